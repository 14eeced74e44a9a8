import { expect, test } from 'vitest';
import { FailureLimit } from '../../src/access/failure-limit.ts';
import { ManualClock } from '../support/manual-clock.ts';

const addressOf = (n: number) => `10.0.${n >> 8}.${n & 255}`;

test('of addresses that failed the newest 10,000 are remembered, whoever guesses from however many', () => {
  const limit = new FailureLimit(new ManualClock(), 1);
  for (let n = 0; n <= 10_000; n += 1) limit.add(addressOf(n));
  expect(limit.waitOf(addressOf(0))).toBe(0);
  for (const n of [1, 10_000]) expect(limit.waitOf(addressOf(n))).toBe(60_000);
});

test('who goes on failing is not forgotten for others', () => {
  const limit = new FailureLimit(new ManualClock(), 2);
  limit.add(addressOf(0));
  for (let n = 1; n < 10_000; n += 1) limit.add(addressOf(n));
  limit.add(addressOf(0));
  limit.add(addressOf(10_000));
  expect(limit.waitOf(addressOf(0))).toBe(60_000);
});
