import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Trade } from '../../../src/market/market-event.ts';
import type { SpoolItem } from '../../../src/pipeline/spool/spool-batch.ts';
import { decodeItems, encodeItems } from '../../../src/pipeline/spool/spool-text.ts';
import { dec } from '../../storage/samples.ts';

const WRITER = 3;
const AT = 1786538760260;

const anyId = fc.oneof(fc.nat().map(String), fc.constantFrom('', '9007199254740993', 'an "id"', '\\', 'é\u2028'));
const anyTime = fc.oneof(
  { weight: 20, arbitrary: fc.integer({ min: AT - 5_000, max: AT + 5 }) },
  { weight: 1, arbitrary: fc.constantFrom(0, -1, AT + 0.5, 2 ** 53) },
);
const anyDecimal = fc.constantFrom('0.5', '64040.20', '-1', '0').map(dec);
const anyTrade = fc
  .record({
    exchange: fc.constantFrom('okx', 'binance'),
    symbol: fc.constantFrom('BTC-USDT', 'ETH-USDT', 'A "B"'),
    ...{ exchangeTime: anyTime, receivedAt: anyTime, tradeId: anyId, fillCount: fc.integer({ min: 1, max: 9 }) },
    ...{ price: anyDecimal, size: anyDecimal, side: fc.constantFrom('buy' as const, 'sell' as const) },
    provenance: fc.constantFrom('LIVE' as const, 'BACKFILL' as const, 'RECONCILED' as const),
    payload: fc.option(
      fc.json().map((text): unknown => JSON.parse(text.replaceAll('-0', '0'))),
      { freq: 3, nil: null },
    ),
    storeRaw: fc.boolean(),
    ...{ isLater: fc.nat(20).map((n) => n === 0), hasHole: fc.nat(20).map((n) => n === 0) },
  })
  .map(({ provenance, payload, storeRaw, isLater, hasHole, ...rest }) => ({
    ...{ provenance, storeRaw, isLater, hasHole },
    trade: { kind: 'trade' as const, ...rest, raw: storeRaw ? payload : null },
  }));
const market = { exchange: 'okx', symbol: 'BTC-USDT' };
const range = { first: 1n, last: 9007199254740993n };
const words: readonly SpoolItem[] = [
  { kind: 'give-up', ...market, range, cause: 'the exchange has none', now: AT, wasTaken: false },
  { kind: 'declare', ...market, range, about: { from: 1, to: 2, cause: 'asked for' }, now: AT },
];
const anyBatch = fc
  .array(fc.oneof({ weight: 9, arbitrary: anyTrade }, { weight: 1, arbitrary: fc.constantFrom(...words) }))
  .map((parts) => {
    let sequence = 9007199254740990n;
    return parts.map((part): SpoolItem => {
      if ('kind' in part) return part;
      const { isLater, hasHole, ...rest } = part;
      sequence += hasHole ? 2n : 1n;
      return { kind: 'trade', ...rest, writer: WRITER, sequence, recordedAt: AT + (isLater ? 1 : 0) };
    });
  });

/** As it was written when every trade said all by itself. */
const EARLIER = `[["9007199254740993",1786538760260,"okx","BTC-USDT",1786538760218,1786538760251,"1040968613",1,"64040.20","0.5","buy","LIVE",true,{"instId":"BTC-USDT","seqId":79706765242}],["9007199254740994",1786538760260,"binance","BTC-USDT",1786538760218,1786538760251,"an \\"id\\"",3,"64040.20","0.5","sell","BACKFILL",false,null],{"kind":"give-up","exchange":"okx","symbol":"BTC-USDT","range":["1","9007199254740993"],"cause":"the exchange has none","now":1786538760260,"wasTaken":false},{"kind":"declare","exchange":"okx","symbol":"BTC-USDT","range":["1","9007199254740993"],"about":{"from":1,"to":2,"cause":"asked for"},"now":1786538760260}]`;

describe('the text of a spooled batch', () => {
  it('is read as what was written, whatever its items have in common', () => {
    fc.assert(
      fc.property(anyBatch, (items) => {
        expect(decodeItems(encodeItems(items), WRITER)).toEqual(items);
      }),
      { numRuns: 2_000 },
    );
  });

  it('is read in the form of earlier versions, which another start may find', () => {
    const common = { exchangeTime: 1786538760218, receivedAt: 1786538760251, price: dec('64040.20'), size: dec('0.5') };
    const about = { writer: WRITER, recordedAt: AT };
    expect(decodeItems(EARLIER, WRITER)).toEqual([
      {
        kind: 'trade',
        ...{ ...about, sequence: 9007199254740993n, provenance: 'LIVE', storeRaw: true },
        trade: {
          ...{ kind: 'trade', exchange: 'okx', symbol: 'BTC-USDT', ...common, tradeId: '1040968613', fillCount: 1 },
          ...{ side: 'buy', raw: { instId: 'BTC-USDT', seqId: 79706765242 } },
        },
      },
      {
        kind: 'trade',
        ...{ ...about, sequence: 9007199254740994n, provenance: 'BACKFILL', storeRaw: false },
        trade: {
          ...{ kind: 'trade', exchange: 'binance', symbol: 'BTC-USDT', ...common, tradeId: 'an "id"', fillCount: 3 },
          ...{ side: 'sell', raw: null },
        },
      },
      ...words,
    ]);
  });

  it('says of a trade like the one before it little more than its id, price and size', () => {
    const trade: Trade = {
      ...{ kind: 'trade', ...market, exchangeTime: AT - 40, receivedAt: AT - 9, price: dec('64040.20'), raw: null },
      ...{ tradeId: '1040968613', fillCount: 1, size: dec('0.5'), side: 'buy' },
    };
    const items = Array.from({ length: 100 }, (_, k): SpoolItem => {
      const about = { writer: WRITER, recordedAt: AT, provenance: 'LIVE', storeRaw: false } as const;
      return { kind: 'trade', ...about, trade, sequence: BigInt(k + 1) };
    });
    expect(encodeItems(items).length / items.length).toBeLessThan(45);
  });

  it.each(['', '7', '{}', '[7]', `{"at":1,"first":"1","markets":[],"items":[0,0,0,1,1,"1","1","1"]}`])(
    'is refused where it is something else: %s',
    (body) => {
      expect(() => decodeItems(body, WRITER)).toThrow();
    },
  );
});
