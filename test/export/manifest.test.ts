import { describe, expect, it } from 'vitest';
import { inWords, manifestOf } from '../../src/export/manifest.ts';
import type { ExportRequest } from '../../src/export/request.ts';
import type { Stretch } from '../../src/market/coverage.ts';

const T0 = Date.parse('2026-11-20T12:00:00.000Z');

/** Ids are seconds after T0. */
const stretch = (first: number, last: number, own: Partial<Stretch> = {}): Stretch => ({
  ...{ first: BigInt(first), last: BigInt(last), from: T0 + first * 1_000, to: T0 + last * 1_000 },
  ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', actual: last - first + 1 },
  ...{ cause: null, gap: null, gapFoundAt: null, ...own },
});

const REQUEST: ExportRequest = {
  ...{ exchange: 'okx', symbol: 'BTC-USDT', type: 'trades', interval: null, format: 'csv', state: null },
  ...{ from: T0, to: T0 + 1_000_000 },
};
const gap = (first: number, last: number) =>
  stretch(first, last, {
    ...{ status: 'UNFILLABLE', actual: 0, cause: 'older than the exchange gives' },
    ...{ from: T0 + (first - 1) * 1_000, to: T0 + (last + 1) * 1_000, gap: BigInt(first), gapFoundAt: T0 },
  });

const manifest = (stretches: readonly Stretch[]) =>
  manifestOf(REQUEST, { takenAt: T0, state: 'state', stretches, range: REQUEST, rows: null });

describe('the manifest of an export', () => {
  it('tells what is proven and what is missing, in numbers and in words', () => {
    const { coverage, estimatedRows, href } = manifest([stretch(0, 399), gap(400, 409), stretch(410, 1_200)]);
    expect(
      coverage.intervals.map(({ status, from, to, firstId, lastId }) => [status, from, to, firstId, lastId]),
    ).toEqual([
      ['PROVEN', '2026-11-20T12:00:00.000Z', '2026-11-20T12:06:39.000Z', '0', '399'],
      ['UNFILLABLE', '2026-11-20T12:06:39.000Z', '2026-11-20T12:06:50.001Z', '400', '409'],
      ['PROVEN', '2026-11-20T12:06:50.001Z', '2026-11-20T12:16:40.000Z', '410', '1200'],
    ]);
    expect(coverage.totals).toMatchObject({
      PROVEN: { seconds: 988.999, share: 0.988999 },
      UNFILLABLE: { seconds: 11.001, share: 0.011001 },
      GAP: { seconds: 0, share: 0 },
    });
    expect(coverage.summary).toBe(
      '98.8 % of the time is proven, 1.1 % missing for good; 1 gap: 2026-11-20T12:06:39.000Z to 2026-11-20T12:06:50.001Z (ids 400 to 409, older than the exchange gives)',
    );
    expect(estimatedRows).toBeGreaterThan(980);
    expect(estimatedRows).toBeLessThan(1_000);
    expect(href).toContain('&state=state');
  });

  it('says 100 % of nothing but all, and that nothing is known where that is so', () => {
    expect(manifest([stretch(0, 1_200)]).coverage.summary).toBe('100 % of the time is proven');
    expect(
      manifest([stretch(0, 998), stretch(999, 1_200, { status: 'UNPROVEN', gap: null })]).coverage.summary,
    ).toMatch(/^99\.9 % of the time is proven, 0\.1 % unproven$/);
    expect(manifest([]).coverage).toMatchObject({
      summary: '100 % of the time is unproven',
      intervals: [{ status: 'UNPROVEN', firstId: null, cause: 'not collected' }],
    });
    expect(inWords([])).toBe('there is no time in the range');
  });

  it('names three gaps and counts the others', () => {
    const gaps = [100, 200, 300, 400, 500].flatMap((at, k) => [stretch(k * 100, at - 1), gap(at, at)]);
    const parts = gaps.map((one, k) =>
      k > 0 && one.status === 'PROVEN' ? { ...one, first: one.first + 1n, from: one.from + 1_000 } : one,
    );
    expect(manifest([...parts, stretch(501, 2_000)]).coverage.summary).toMatch(
      /; 5 gaps: .*ids 100 .*ids 200 .*ids 300 .*; 2 more$/,
    );
  });
});
