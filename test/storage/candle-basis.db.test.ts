import { expect, it } from 'vitest';
import { type CandleInterval, type CandleWindow, windowAt } from '../../src/market/candle-window.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { newestTimes, readCandleBases } from '../../src/storage/candle-basis.ts';
import { seeded } from '../chaos/seeded.ts';
import { basisByHand, type Recorded } from '../support/candle-by-hand.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, NOW, scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();

interface Placed extends Recorded {
  readonly writer: number;
  readonly sequence: bigint;
}

it('what a candle grows on from is what was traded up to a position of two writers, whatever was stored since', async () => {
  const random = seeded('bases of candles');
  const below = (limit: number) => Math.floor(random() * limit);
  const { symbol, trade } = scene();
  let now = NOW;
  const clock = { ...systemClock, now: () => now };
  await using first = await openTestWriter(db(), { clock });
  await using second = await openTestWriter(db(), { clock });
  const all: Placed[] = [];
  const positions: ReadonlyMap<number, bigint>[] = [];
  for (let batch = 0, id = 1; batch < 50; batch += 1) {
    now = NOW + batch * 1_003_777;
    const writer = random() < 0.7 ? first : second;
    const trades = Array.from({ length: 1 + below(12) }, () =>
      trade(id++, {
        exchangeTime: random() < 0.3 ? now - below(30_000_000) : now - below(5_000),
        price: dec(`${100 + below(50)}.${10 + below(90)}`),
        size: dec(`0.00${1 + below(9)}`),
      }),
    );
    let sequence = writer.position;
    await writer.write(trades.map((one) => toRecord(one)));
    for (const one of trades) {
      sequence += 1n;
      all.push({ trade: one, recordedAt: now, writer: writer.writer, sequence });
    }
    positions.push(
      new Map([
        [first.writer, first.position],
        [second.writer, second.position],
      ]),
    );
  }
  const intervals: CandleInterval[] = ['1s', '30s', '1m', '5m', '1h', '4h', '1d', '1M'];
  for (let asked = 0; asked < 100; asked += 1) {
    const windows = { interval: intervals[below(intervals.length)] ?? '1m', timeZone: 'UTC', anchor: null } as const;
    const position = positions[below(positions.length)] ?? new Map<number, bigint>();
    const list: CandleWindow[] = [];
    let at = all[below(all.length)]?.trade.exchangeTime ?? NOW;
    for (let k = 0; k < 5; k += 1) {
      const window = windowAt(windows, at);
      list.push(window);
      at = window.closeTime;
    }
    const known = all.filter(({ writer, sequence }) => sequence <= (position.get(writer) ?? 0n));
    const bases = await readCandleBases(db(), { exchange: 'okx', symbol, windows: list, position });
    expect({ windows, bases }).toEqual({ windows, bases: list.map((window) => basisByHand(known, window)) });
  }
  const ahead = new Map(positions.at(-1)).set(first.writer, first.position + 1n);
  const window = windowAt({ interval: '1m', timeZone: 'UTC', anchor: null }, NOW);
  expect(await readCandleBases(db(), { exchange: 'okx', symbol, windows: [window], position: ahead })).toBeNull();
  expect(
    await readCandleBases(db(), { exchange: 'okx', symbol: 'NOT-HERE', windows: [window], position: new Map() }),
  ).toEqual([null]);
  expect(await newestTimes(db(), 'okx', [symbol, 'NOT-HERE'])).toEqual(
    new Map([
      [symbol, Math.max(...all.map(({ trade: { exchangeTime } }) => exchangeTime))],
      ['NOT-HERE', Number.NEGATIVE_INFINITY],
    ]),
  );
}, 60_000);
