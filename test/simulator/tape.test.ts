import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  countAt,
  eachFill,
  fillAt,
  groupAt,
  groupOf,
  openTape,
  placeOf,
  tradeAt,
  tradeById,
} from '../../src/simulator/tape.ts';

const tapes = fc
  .record({
    seed: fc.string(),
    exchange: fc.constantFrom('okx' as const, 'binance' as const),
    symbol: fc.constantFrom('BTC-USDT', 'PEPE-USDT', 'MADE-UP'),
    rate: fc.constantFrom(0.5, 1, 7, 333.333, 10_000),
    firstId: fc.constantFrom(1n, 9_007_199_254_740_993n),
  })
  .map(openTape);
const places = fc.oneof(
  fc.nat(1_000_000),
  fc.maxSafeInteger().map((n) => Math.abs(n) % 1_000_000_000_000),
);

const same = { seed: '1', exchange: 'okx', symbol: 'BTC-USDT', rate: 100 } as const;

describe('the tape', () => {
  it('recomputes any trade from its id alone', () => {
    fc.assert(
      fc.property(tapes, places, (tape, k) => {
        const trade = tradeAt(tape, k);
        expect(tradeById({ ...tape }, trade.tradeId)).toEqual(trade);
        expect(placeOf(tape, trade.tradeId)).toBe(k);
        expect(BigInt(trade.tradeId)).toBe(tape.firstId + BigInt(k));
      }),
    );
  });

  it('knows no trade for an id it never gives', () => {
    const tape = openTape({ ...same, firstId: 100n });
    expect(tradeById(tape, '99')).toBeNull();
    expect(tradeById(tape, 'x')).toBeNull();
    expect(tradeById(tape, '100')?.k).toBe(0);
  });

  it('prints exact positive decimals with the places of the instrument', () => {
    fc.assert(
      fc.property(tapes, places, (tape, k) => {
        const { price, size } = tradeAt(tape, k);
        for (const text of [price, size]) {
          expect(text).toMatch(/^\d+(\.\d+)?$/);
          expect(text).toMatch(/[1-9]/);
        }
        if (tape.instrument.exchange === 'binance') expect(price).toMatch(/\.\d{8,}$/);
        else expect(price).not.toMatch(/\.\d*0$/);
      }),
    );
    const prices = Array.from({ length: 100 }, (_, k) => tradeAt(openTape({ ...same, symbol: 'PEPE-USDT' }), k).price);
    expect(Math.max(...prices.map((price) => price.split('.')[1]?.length ?? 0))).toBe(10);
  });

  it('never goes back in time, and counts what has happened without counting from the start', () => {
    fc.assert(
      fc.property(tapes, places, (tape, k) => {
        const { time } = fillAt(tape, k);
        expect(fillAt(tape, k + 1).time).toBeGreaterThanOrEqual(time);
        const count = countAt(tape, time);
        expect(count).toBeGreaterThan(k);
        expect(fillAt(tape, count - 1).time).toBeLessThanOrEqual(time);
        expect(fillAt(tape, count).time).toBeGreaterThan(time);
      }),
    );
  });

  it('is the same visited in a row', () => {
    fc.assert(
      fc.property(tapes, places, fc.nat(60), (tape, first, length) => {
        const visited: unknown[] = [];
        eachFill(tape, first, first + length, (fill) => visited.push(fill));
        expect(visited).toEqual(Array.from({ length }, (_, i) => fillAt(tape, first + i)));
      }),
    );
  });

  it('trades at its rate', () => {
    const tape = openTape({ ...same, rate: 400 });
    const minutes = countAt(tape, tape.startTime + 600_000) / 600;
    expect(minutes).toBeGreaterThan(399);
    expect(minutes).toBeLessThan(401);
    expect(countAt(openTape({ ...same, rate: 0 }), Date.now())).toBe(0);
    expect(countAt(tape, tape.startTime - 1)).toBe(0);
  });

  it('wanders, but stays near its base price', () => {
    fc.assert(
      fc.property(tapes, places, (tape, k) => {
        const distance = Math.abs(fillAt(tape, k).ticks - tape.instrument.baseTicks);
        expect(distance).toBeLessThan(tape.instrument.baseTicks * 0.025 + 40);
      }),
    );
    const tape = openTape(same);
    expect(new Set(Array.from({ length: 1000 }, (_, k) => fillAt(tape, k * 100).ticks)).size).toBeGreaterThan(300);
  });

  it('packs the fills of one order at one price, decided from any of its trades', () => {
    fc.assert(
      fc.property(tapes, places, (tape, k) => {
        const group = groupOf(tape, k);
        expect(group.first).toBeLessThanOrEqual(k);
        expect(group.last).toBeGreaterThanOrEqual(k);
        const first = fillAt(tape, group.first);
        for (let each = group.first; each <= group.last; each += 1) {
          const { ticks, buy, time } = fillAt(tape, each);
          expect({ ticks, buy, time }).toEqual({ ticks: first.ticks, buy: first.buy, time: first.time });
          expect(groupOf(tape, each)).toEqual(group);
        }
        expect(groupAt(tape, group.number)).toEqual(group);
        expect(groupOf(tape, group.last + 1)).toMatchObject({ number: group.number + 1, first: group.last + 1 });
      }),
    );
  });

  it('has packed trades, and several trades in one millisecond at several prices', () => {
    const tape = openTape(same);
    const fills = Array.from({ length: 2000 }, (_, k) => fillAt(tape, k));
    const pairs = fills.slice(1).map((fill, i) => [fills[i], fill] as const);
    expect(pairs.filter(([a, b]) => a?.time === b.time && a.ticks === b.ticks).length).toBeGreaterThan(500);
    expect(pairs.filter(([a, b]) => a?.time === b.time && a.ticks !== b.ticks).length).toBeGreaterThan(200);
    expect(fills.filter(({ buy }) => buy).length).toBeGreaterThan(600);
    expect(fills.filter(({ buy }) => !buy).length).toBeGreaterThan(600);
  });

  it('is another one for another seed, exchange or symbol', () => {
    const print = (options: Partial<Parameters<typeof openTape>[0]>) =>
      JSON.stringify(Array.from({ length: 20 }, (_, k) => fillAt(openTape({ ...same, ...options }), k).lots));
    const prints = [print({}), print({ seed: '2' }), print({ exchange: 'binance' }), print({ symbol: 'ETH-USDT' })];
    expect(new Set(prints).size).toBe(4);
    expect(print({})).toBe(prints[0]);
  });

  it('refuses a symbol or rate that cannot be', () => {
    expect(() => openTape({ ...same, symbol: 'BTCUSDT' })).toThrow(/BASE-QUOTE/);
    expect(() => openTape({ ...same, exchange: 'binance', symbol: 'BTC-USDT-SWAP' })).toThrow(/BASE-QUOTE/);
    expect(() => openTape({ ...same, rate: -1 })).toThrow(/0 to 100000/);
  });
});
