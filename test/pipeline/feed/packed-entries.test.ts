import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedTrade } from '../../../src/market/recorded-trade.ts';
import { PackedEntries } from '../../../src/pipeline/feed/packed-entries.ts';
import { dec } from '../../storage/samples.ts';

const PLACES = 4;
const time = fc.oneof(fc.integer({ min: 0, max: 4e12 }), fc.constant(1.5));
const digits = fc.oneof(
  fc.nat().map((n) => `${n}.${n}`),
  fc.constantFrom('0', '1'.repeat(60)),
);
const anyRecord = fc
  .record({
    exchange: fc.constantFrom('okx', 'binance'),
    symbol: fc.constantFrom('BTC-USDT', 'ETH-USDT'),
    tradeId: fc.oneof(fc.nat().map(String), fc.string({ maxLength: 70 }), fc.constantFrom('', 'a\nb', 'é', '₿')),
    ...{ exchangeTime: time, receivedAt: time, recordedAt: time, fillCount: fc.integer({ min: 1, max: 1e6 }) },
    ...{ price: digits.map(dec), size: digits.map(dec), side: fc.constantFrom('buy' as const, 'sell' as const) },
    raw: fc.oneof(fc.constant(null), fc.constant({ px: '1' })),
    provenance: fc.constantFrom('LIVE' as const, 'BACKFILL' as const, 'RECONCILED' as const),
    ...{ writer: fc.nat(3), sequence: fc.bigInt({ min: 1n, max: 2n ** 62n }) },
  })
  .map(({ writer, sequence, recordedAt, provenance, ...trade }): RecordedTrade => {
    return { trade: { kind: 'trade', ...trade }, writer, sequence, recordedAt, provenance };
  });

describe('packed trades', () => {
  it('are what was put there last, whatever their ids, prices and payloads', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(PLACES - 1), anyRecord), { maxLength: 20 }), (puts) => {
        const entries = new PackedEntries(PLACES);
        const last = new Map<number, RecordedTrade>();
        for (const [place, recorded] of puts) {
          entries.put(place, recorded);
          last.set(place, recorded);
        }
        for (const [place, recorded] of last) expect(entries.get(place, recorded)).toEqual(recorded);
      }),
      { numRuns: 2_000 },
    );
  });
});
