import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { listCandles } from '../../src/candles/candle-history.ts';
import type { CandlePorts } from '../../src/candles/candles-request.ts';
import { assessDay } from '../../src/candles/data-quality.ts';
import type { ExchangeAdapter } from '../../src/exchanges/adapter.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import type { CandleValues } from '../../src/market/candle.ts';
import { type CandleInterval, windowAt } from '../../src/market/candle-window.ts';
import type { DataType } from '../../src/market/data-type.ts';
import { compareDecimals, type Decimal, decimal, scaled } from '../../src/market/decimal.ts';
import type { ExchangeCandle, MarketEvent, Trade } from '../../src/market/market-event.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { nearestTrade, readCandles } from '../../src/storage/candles.ts';
import { listStretches } from '../../src/storage/coverage.ts';
import { listRecordedRuns } from '../../src/storage/late-trades.ts';
import { aCandle } from '../pipeline/market-data.ts';
import { useTestDatabase } from '../support/database.ts';
import { tradeOf } from '../support/trades.ts';
import { toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
const present = existsSync(FOLDER);
if (!present) console.warn(`SKIPPED: candles are not compared with recorded ones, because ${FOLDER} does not exist.`);

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON, read as it is to have something independent to compare with
type Json = any;
const MINUTE = 60_000;
const textsOf = (file: string): readonly string[] =>
  readFileSync(`${FOLDER}${file}`, 'utf8').split('\n').filter(Boolean);
const linesOf = (file: string): readonly Json[] => textsOf(file).map((line) => JSON.parse(line));
const upper = <T>(values: readonly T[], isMore: (a: T, b: T) => boolean): T =>
  values.reduce((most, one) => (isMore(one, most) ? one : most));
const same = (a: Decimal | undefined, b: string) => a !== undefined && compareDecimals(a, decimal(b)) === 0;

/** Records trades one by one; what their candle is after each of them, as it was known then. */
async function statesOf(trades: readonly Trade[], interval: CandleInterval): Promise<readonly CandleValues[]> {
  const { exchange = '', symbol = '' } = trades[0] ?? {};
  const clock = { ...systemClock, now: () => now };
  const recordedAt = (k: number) => (trades.at(-1)?.exchangeTime ?? 0) + k;
  let now = 0;
  await using writer = await openTestWriter(db(), { clock });
  for (const [k, trade] of trades.entries()) {
    now = recordedAt(k);
    await writer.write([toRecord(trade)]);
  }
  const states: CandleValues[] = [];
  for (const [k, { exchangeTime }] of trades.entries()) {
    const windows = [windowAt({ interval, timeZone: 'UTC', anchor: null }, exchangeTime)];
    const query = { exchange, symbol, windows, endInclusive: false, asOf: recordedAt(k) };
    const [candle] = await readCandles(db(), query);
    if (candle?.values) states.push(candle.values);
  }
  expect(states).toHaveLength(trades.length);
  return states;
}

const db = useTestDatabase();
const ports = (): CandlePorts => ({
  readCandles: (query) => readCandles(db(), query),
  nearestTrade: (query) => nearestTrade(db(), query),
  listRecordedRuns: (query) => listRecordedRuns(db(), query),
  listStretches: (query) => listStretches(db(), query),
  clock: systemClock,
});

describe.skipIf(!present)('our candles of recorded trades', () => {
  it('are the recorded candles of every whole minute, quiet ones too (Kraken REST)', async () => {
    const market = { exchange: 'kraken', symbol: 'XBT-USDT' };
    const bodyOf = (file: string) => JSON.parse(linesOf(file)[0].body).result.XBTUSDT;
    const rows: Json[] = bodyOf('kraken/rest.Trades.2025-11.jsonl');
    const trades = rows.map(([price, size, time, side, , , id]) =>
      tradeOf(id, {
        ...{ ...market, price: decimal(price), size: decimal(size), side: side === 'b' ? 'buy' : 'sell' },
        exchangeTime: Math.floor(time * 1_000),
      }),
    );
    const [first, last] = [trades[0] as Trade, trades.at(-1) as Trade];
    const [from, to] = [first.exchangeTime, last.exchangeTime];
    const ids = { first: BigInt(first.tradeId), last: BigInt(last.tradeId) };
    const stretch = {
      ...({ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', ...ids, from, to } as const),
      ...{ actual: trades.length, cause: null, gap: null, gapFoundAt: null },
    };
    await using writer = await openTestWriter(db());
    await writer.write(
      trades.map((trade) => toRecord(trade)),
      [{ ...market, first: ids.first, stretch }],
    );

    const closed: Json[] = bodyOf('kraken/rest.OHLC.jsonl').slice(0, -1); // the last one is not over
    const candles = closed.map(([time, open, high, low, close, , volume, tradeCount]): ExchangeCandle => {
      const openTime = time * 1_000;
      const prices = { open, high, low, close, volume } as Record<
        'open' | 'high' | 'low' | 'close' | 'volume',
        Decimal
      >;
      return aCandle({ ...market, ...prices, openTime, closeTime: openTime + MINUTE, tradeCount });
    });
    const minutes = { from: Math.ceil(from / MINUTE) * MINUTE, to: Math.floor(to / MINUTE) * MINUTE };
    const theirs = new Map(candles.map((candle) => [candle.closeTime, candle]));
    const { compared, differences, onlyOurs, onlyTheirs } = await assessDay(ports(), { ...market, ...minutes, theirs });
    expect({ compared, differences, onlyOurs, onlyTheirs }).toEqual({
      ...{ compared: 409, differences: [], onlyOurs: 0, onlyTheirs: 0 },
    });
    const traded = candles.filter(({ openTime, closeTime, tradeCount }) => {
      return openTime >= minutes.from && closeTime <= minutes.to && tradeCount !== 0;
    });
    expect(traded).toHaveLength(272);
    console.log(`Kraken: ${compared} whole minutes equal, ${traded.length} of them with trades`);
  });

  it.each(['BTC-USD', 'USDT-USD'])(
    'of a quiet minute are its recorded candle, and its flat price is our last one (OKX %s)',
    async (symbol) => {
      const read = reader(EXCHANGES.okx, symbol, symbol);
      const [trade] = read('trade', 'trades', 'okx/trades.okcoin-BTCUSD-USDTUSD.2023-05.jsonl') as readonly Trade[];
      const candles = read(
        'candle',
        'candle1m',
        'okx/candle1m.okcoin-BTCUSD-USDTUSD.2023-05.jsonl',
      ) as ExchangeCandle[];
      const closed = candles.find((candle) => candle.closed);
      if (!trade || !closed) throw new Error('the recording has a trade and a closed minute');
      await using writer = await openTestWriter(db());
      await writer.write([toRecord(trade)]);
      const { openTime: from, closeTime: to } = closed;
      const market = { exchange: 'okx', symbol, from, to };
      const { compared, differences } = await assessDay(ports(), { ...market, theirs: new Map([[to, closed]]) });
      expect({ compared, differences }).toEqual({ compared: 1, differences: [] });
      const { candles: carried } = await listCandles(ports(), {
        ...{ ...market, windows: { interval: '1m', timeZone: 'UTC', anchor: null }, emptyIntervals: 'CARRY_FORWARD' },
        ...{ includeForming: false, endInclusive: false, asOf: null, order: 'ASC', limit: 1 },
        ...{ after: null, before: null, fromEnd: false },
      });
      expect(carried).toMatchObject([
        { closeTime: to, values: { close: closed.close, high: closed.high, tradeCount: 0 } },
      ]);
    },
  );

  it.each([
    ['spot', 'BYBIT.ws.3', 'BTCUSDT', 10],
    ['linear', 'BYBIT.ws.2', 'BTCUSDT', 19],
    ['linear', 'BYBIT.ws.2', 'SOLUSDT', 22],
  ])('grow as the recorded forming candle did (Bybit %s, %s %s)', async (kind, connection, native, count) => {
    const frames = linesOf('bybit/session.dev.2026-08.jsonl')
      .filter(({ dir, conn }) => dir === 'in' && conn === connection)
      .map(({ raw }) => JSON.parse(raw));
    const of = (topic: string) => frames.filter((frame) => frame.topic === topic).flatMap(({ data }) => data as Json[]);
    const klines = of(`kline.1.${native}`);
    const start = Math.max(...klines.map((kline) => kline.start)); // the one minute that was recorded from its first trade
    const trades = of(`publicTrade.${native}`)
      .filter(({ T }) => T >= start)
      .map(({ T, p, v, S }, k) => {
        // Ids of linear trades are random, so their order is that of arrival.
        const sort = { exchange: 'bybit', symbol: `${native}-${kind}`, exchangeTime: T as number };
        return tradeOf(k + 1, { ...sort, price: decimal(p), size: decimal(v), side: S === 'Buy' ? 'buy' : 'sell' });
      });
    const states = await statesOf(trades, '1m');
    const forming = klines.filter((kline) => kline.start === start && Number(kline.volume) > 0);
    let place = 0;
    for (const kline of forming) {
      place = states.findIndex(({ volume }, k) => k >= place && same(volume, kline.volume));
      const { open, high, low, close, quoteVolume } = states[place] ?? {};
      expect([kline, close, quoteVolume]).toEqual([kline, expect.anything(), expect.anything()]);
      expect([kline, same(close, kline.close), same(quoteVolume, kline.turnover)]).toEqual([kline, true, true]);
      // Bybit opens a linear candle at the close of the one before, whether that was traded in it or not.
      const opened = kind === 'linear' ? [kline.open as Decimal] : [];
      const highest = upper([high as Decimal, ...opened], (a, b) => compareDecimals(a, b) > 0);
      const lowest = upper([low as Decimal, ...opened], (a, b) => compareDecimals(a, b) < 0);
      expect([kline, same(highest, kline.high), same(lowest, kline.low)]).toEqual([kline, true, true]);
      if (kind === 'spot') expect([kline, same(open, kline.open)]).toEqual([kline, true]);
    }
    expect(forming).toHaveLength(count);
    console.log(`Bybit ${kind} ${native}: ${forming.length} updates of a forming minute equal`);
  });

  it('grow as the recorded five minutes did (Coinbase)', async () => {
    const trades = linesOf('coinbase/at.market_trades.BTC-USD.2026-08.jsonl')
      .flatMap(({ events }) => events.flatMap((event: Json) => event.trades as Json[]))
      .map(({ trade_id, price, size, side, time }) =>
        tradeOf(Number(trade_id), {
          ...{ exchange: 'coinbase', symbol: 'BTC-USD', price: decimal(price), size: decimal(size) },
          ...{ side: side === 'BUY' ? 'sell' : 'buy', exchangeTime: Date.parse(time) },
        }),
      )
      .toSorted((a, b) => Number(a.tradeId) - Number(b.tradeId));
    const states = await statesOf(trades, '5m');
    const updates = linesOf('coinbase/at.candles.BTC-USD.2026-08.jsonl').map(({ events }) => events[0].candles.at(-1));
    // A snapshot of all candles begins with the oldest or with the newest.
    const start = String(Math.max(...updates.map((candle) => Number(candle.start))));
    let [place, equal] = [0, 0];
    for (const candle of updates.filter((one) => one.start === start)) {
      place = states.findIndex(({ volume }, k) => k >= place && same(volume, candle.volume));
      for (const name of ['open', 'high', 'low', 'close'] as const)
        expect([candle, name, same(states[place]?.[name], candle[name])]).toEqual([candle, name, true]);
      equal += 1;
    }
    expect(equal).toBe(3);
    console.log(`Coinbase BTC-USD: ${equal} updates of a forming five minutes equal`);
  });

  it.each([
    ['SUSHI', { updates: 10, whole: 5 }],
    ['KEEP', { updates: 2, whole: 1 }],
  ])('grow by what the recorded candle grew by (Binance aggregate trades, %s)', async (base, expected) => {
    const native = `${base}USDT`;
    const read = reader(EXCHANGES.binance, native, `${base}-USDT`);
    const trades = read('trade', 'aggTrade', 'binance/usdm.aggTrade.SUSHI-KEEP.2021-07.jsonl') as readonly Trade[];
    const klines = read('candle', 'kline_1m', 'binance/usdm.kline_1m.SUSHI-KEEP.2021-07.jsonl') as ExchangeCandle[];
    const states = await statesOf(trades, '1m');
    // Only where an aggregate ends with the kline: the kline may hold half of the next one already.
    const pairs = klines.flatMap((kline) => {
      const k = trades.findIndex(({ tradeId }) => tradeId === String((kline.raw as Json).k.L));
      const state = states[k];
      return state && trades[k] && trades[k].exchangeTime >= kline.openTime ? [{ kline, state, k }] : [];
    });
    const firstId = Number(trades[0]?.tradeId) - (trades[0]?.fillCount ?? 1) + 1;
    let [updates, whole] = [0, 0];
    for (const [at, { kline, state }] of pairs.entries()) {
      expect([kline, same(state.close, kline.close)]).toEqual([kline, true]);
      if ((kline.raw as Json).k.f > firstId) {
        // The minute was recorded from its first trade.
        for (const name of ['open', 'high', 'low', 'volume'] as const)
          expect([kline, name, same(state[name], kline[name])]).toEqual([kline, name, true]);
        expect([kline.quoteVolume, kline.tradeCount]).toEqual([expect.anything(), state.tradeCount]);
        expect(same(state.quoteVolume, kline.quoteVolume ?? '')).toBe(true);
        whole += 1;
        continue;
      }
      const before = pairs[at - 1];
      if (before?.kline.openTime !== kline.openTime) continue;
      expect(grownBy(state.volume, before.state.volume)).toBe(grownBy(kline.volume, before.kline.volume));
      expect(grownBy(state.quoteVolume, before.state.quoteVolume)).toBe(
        grownBy(kline.quoteVolume as Decimal, before.kline.quoteVolume as Decimal),
      );
      expect(state.tradeCount - before.state.tradeCount).toBe((kline.tradeCount ?? 0) - (before.kline.tradeCount ?? 0));
      updates += 1;
    }
    expect({ updates, whole }).toEqual(expected);
    console.log(`Binance ${native}: ${updates} growths and ${whole} updates of a minute from its first trade equal`);
  });
});

const grownBy = (a: Decimal, b: Decimal): bigint => scaled(a, 20) - scaled(b, 20);

/** Frames of one channel as the adapter reads them. */
function reader(adapter: ExchangeAdapter, native: string, symbol: string) {
  return (dataType: DataType, channelName: string, file: string): readonly MarketEvent[] => {
    const channels = adapter.channels(native, dataType, channelName);
    const routes = new Map(channels.map((channel) => [channel.key, { channel, symbol }]));
    return textsOf(file).flatMap((text) => {
      const frame = adapter.readFrame(text, 0, routes);
      return frame.kind === 'events' ? frame.events : [];
    });
  };
}
