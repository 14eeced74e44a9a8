import { describe, expect, it } from 'vitest';
import { nextPage, type PlanOptions } from '../../../src/collectors/backfill/backfill-plan.ts';

const range = (first: number, last: number) => ({ first: BigInt(first), last: BigInt(last) });
const plan = (own: Partial<PlanOptions>) =>
  nextPage({ open: [range(1, 1_000)], asked: [], pages: 'down', pageSize: 100, ...own })?.part ?? null;

describe('the next page', () => {
  it.each<[string, Partial<PlanOptions>, ReturnType<typeof range> | null]>([
    ['begins at the top where pages go down', {}, range(902, 1_000)],
    ['begins at the bottom where pages go up', { pages: 'up' }, range(1, 99)],
    ['follows those that are being asked for', { asked: [range(803, 901), range(902, 1_000)] }, range(704, 802)],
    ['follows those that are being asked for, upwards', { pages: 'up', asked: [range(1, 99)] }, range(100, 198)],
    ['does not run into one that is being asked for', { asked: [range(850, 950), range(951, 1_000)] }, range(751, 849)],
    ['fills what is left between two', { asked: [range(400, 500), range(510, 1_000)] }, range(501, 509)],
    ['is of the newest stretch', { open: [range(700, 710), range(1, 10)] }, range(700, 710)],
    [
      'is of an older one when the newest is asked for',
      { open: [range(7, 9), range(1, 3)], asked: [range(5, 50)] },
      range(1, 3),
    ],
    ['is none when everything is asked for', { asked: [range(0, 2_000)] }, null],
    ['is none without a gap', { open: [] }, null],
  ])('%s', (_what, own, expected) => {
    expect(plan(own)).toEqual(expected);
  });
});
