import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/exchanges/adapter.ts';
import { binance } from '../../src/exchanges/binance/adapter.ts';
import { okx } from '../../src/exchanges/okx/adapter.ts';
import { EXCHANGES, type ExchangeId } from '../../src/exchanges/registry.ts';
import type { MarketEvent } from '../../src/market/market-event.ts';
import { answersOf, fixtureFiles, framesOf, hasFixtures, linesOf, type Recorded } from './fixtures.ts';
import { plainBinance, plainOkx, type Reading } from './plain-readings.ts';
import { routesOf, withoutRaw } from './samples.ts';

/** Frames per file and kind; a file that is missing here fails, so that a new recording is looked at. */
const EXPECTED: Readonly<Record<ExchangeId, Readonly<Record<string, Readonly<Record<string, number>>>>>> = {
  okx: {
    'account.jsonl': { events: 1 },
    'acks.2022-05.jsonl': { subscribed: 18 },
    'acks.BTC-USDT.2026-08.jsonl': { subscribed: 5 },
    'books.BTC-USDT.2022-05.jsonl': { book: 98 },
    'books.okcoin-BTCUSD-USDTUSD.2023-05.jsonl': { book: 3 },
    'books5.BTC-USDT.2026-08.jsonl': { book: 2 },
    'candle1m.BTC-USDT.2026-08.jsonl': { events: 2 },
    'candle1m.okcoin-BTCUSD-USDTUSD.2023-05.jsonl': { events: 6 },
    'client-sent.2022-05.jsonl': { sent: 3 },
    'control-and-errors.jsonl': { pong: 1, 'logged-in': 1, error: 3, unsubscribed: 1, 'closing-soon': 1, ignored: 1 },
    'session.BTC-USDT.2022-05.jsonl': { sent: 3, subscribed: 6, book: 98, events: 94 },
    'tickers.BTC-USDT.2022-05.jsonl': { events: 25 },
    'tickers.BTC-USDT.2026-08.jsonl': { events: 4 },
    'tickers.okcoin-BTCUSD-USDTUSD.2023-05.jsonl': { events: 4 },
    'trades.BTC-USDT.2022-05.jsonl': { events: 69 },
    'trades.BTC-USDT.2025-02.jsonl': { events: 2 },
    'trades.BTC-USDT.2026-08.jsonl': { events: 2 },
    'trades.okcoin-BTCUSD-USDTUSD.2023-05.jsonl': { events: 2 },
  },
  binance: {
    'control-and-errors.jsonl': { subscribed: 1, ignored: 1, error: 2, 'closing-soon': 1 },
    'spot.aggTrade.NKNUSDT.2021-10.jsonl': { events: 1 },
    'spot.bookTicker.NKNUSDT.2021-10.jsonl': { events: 74 },
    'spot.bookTicker.US-CRV-COMP.2021-10.jsonl': { events: 55 },
    'spot.depth.NKNUSDT.2021-10.jsonl': { book: 150 },
    'spot.depth.US-CRV-COMP.2021-10.jsonl': { book: 136 },
    'spot.kline_1m.NKNUSDT.2021-10.jsonl': { events: 1 },
    'spot.session.NKNUSDT.2021-10.jsonl': { book: 150, events: 76 },
    'spot.session.US-CRV-COMP.2021-10.jsonl': { book: 136, events: 55 },
    'spot.trade.2019.jsonl': { events: 2 },
    'usdm.aggTrade.SUSHI-KEEP.2021-07.jsonl': { events: 45 },
    'usdm.bookTicker.SUSHI-KEEP.2021-07.jsonl': { events: 380 },
    'usdm.depth.SUSHI-KEEP.2021-07.jsonl': { book: 390 },
    'usdm.kline_1m.SUSHI-KEEP.2021-07.jsonl': { events: 27 },
    'usdm.session.SUSHI-KEEP.2021-07.jsonl': { book: 390, events: 452 },
  },
};

/** Symbols come from the exchange's own list, as in production. */
function instrumentsOf(exchange: ExchangeId): ReadonlyMap<string, string> {
  if (exchange === 'okx')
    return new Map(['BTC-USDT', 'BTC-USD', 'USDT-USD', 'BTC-USD-220527', 'UNI-USD-SWAP'].map((id) => [id, id]));
  const [answer] = answersOf('binance', 'spot.rest.exchangeInfo.2021-10.jsonl');
  const used = new Set(['NKNUSDT', 'CRVUSDT', 'COMPUSDT', 'SUSHIUSDT', 'KEEPUSDT', 'BNBBTC']);
  const listed = binance.rest.readInstruments(answer?.body ?? '').filter(({ nativeSymbol }) => used.has(nativeSymbol));
  expect(listed).toHaveLength(used.size);
  return new Map(listed.map(({ nativeSymbol, symbol }) => [nativeSymbol, symbol]));
}

const RECORDED = (Object.keys(EXCHANGES) as ExchangeId[]).filter(hasFixtures);

describe.each(RECORDED)('%s', (id) => {
  const adapter = EXCHANGES[id];
  const instruments = instrumentsOf(id);
  const routes = routesOf(adapter, instruments);
  const read = ({ text, receivedAt }: Recorded): Frame => adapter.readFrame(text, receivedAt, routes);
  const plain = ({ text, receivedAt }: Recorded): Reading | null =>
    id === 'okx' ? plainOkx(text, receivedAt) : plainBinance(text, receivedAt, instruments);
  const frameFiles = fixtureFiles(id).filter((file) => !file.includes('.rest.') && !file.startsWith('rest.'));

  it('has no recording that this suite does not know', () => {
    expect(frameFiles).toEqual(Object.keys(EXPECTED[id]).sort());
  });

  it.each(frameFiles)('understands every line of %s', (file) => {
    const counts: Record<string, number> = {};
    for (const recorded of framesOf(id, file)) {
      const kind = recorded.dir === 'out' ? 'sent' : read(recorded).kind;
      counts[kind] = (counts[kind] ?? 0) + 1;
    }
    expect(counts).toEqual(EXPECTED[id][file]);
    expect(Object.values(counts).reduce((sum, count) => sum + count, 0)).toBe(linesOf(id, file).length);
  });

  it.each(frameFiles)('finds in %s what a plain reading finds, and rejects nothing', (file) => {
    for (const recorded of framesOf(id, file).filter(({ dir }) => dir === 'in')) {
      const frame = read(recorded);
      const expected = plain(recorded);
      expect(frame.kind === 'events' || frame.kind === 'book').toBe(expected !== null);
      if ((frame.kind !== 'events' && frame.kind !== 'book') || !expected) continue;
      const values: readonly object[] = frame.kind === 'book' ? frame.changes : frame.events.map(withoutRaw);
      expect({ channel: frame.channel, values, rejected: frame.rejected }).toEqual({ ...expected, rejected: [] });
    }
  });

  it('reads every stored payload of the recordings back', () => {
    let events = 0;
    for (const recorded of frameFiles.flatMap((file) => framesOf(id, file)).filter(({ dir }) => dir === 'in')) {
      const frame = read(recorded);
      const route = frame.kind === 'events' ? routes.get(frame.channel) : undefined;
      if (frame.kind !== 'events' || !route) continue;
      for (const event of frame.events)
        expect(adapter.readPayload(event.raw, route, recorded.receivedAt)).toEqual(event);
      events += frame.events.length;
    }
    expect(events).toBe(id === 'okx' ? 213 : 1_168);
  });
});

const tradesOf = (id: ExchangeId, file: string): readonly (MarketEvent & { readonly kind: 'trade' })[] => {
  const routes = routesOf(EXCHANGES[id], instrumentsOf(id));
  return framesOf(id, file)
    .filter(({ dir }) => dir === 'in')
    .map(({ text, receivedAt }) => EXCHANGES[id].readFrame(text, receivedAt, routes))
    .flatMap((frame) => (frame.kind === 'events' ? frame.events : []))
    .filter((event) => event.kind === 'trade');
};

describe.each<[ExchangeId, string, number]>([
  ['okx', 'trades.BTC-USDT.2022-05.jsonl', 68],
  ['okx', 'session.BTC-USDT.2022-05.jsonl', 68],
  ['okx', 'trades.BTC-USDT.2025-02.jsonl', 1],
  ['okx', 'trades.BTC-USDT.2026-08.jsonl', 1],
  ['binance', 'usdm.aggTrade.SUSHI-KEEP.2021-07.jsonl', 43],
])('%s %s', (id, file, transitions) => {
  it.runIf(RECORDED.includes(id))(`has ${transitions} trades that follow the one before without a gap`, () => {
    const last = new Map<string, string>();
    const steps: { readonly previous: string; readonly expected: string }[] = [];
    for (const { symbol, tradeId, fillCount } of tradesOf(id, file)) {
      const previous = last.get(symbol);
      if (previous !== undefined) steps.push({ previous, expected: String(BigInt(tradeId) - BigInt(fillCount)) });
      last.set(symbol, tradeId);
    }
    expect(steps.map(({ previous }) => previous)).toEqual(steps.map(({ expected }) => expected));
    expect(steps).toHaveLength(transitions);
  });
});

describe.runIf(RECORDED.includes('okx'))('what a client sent to OKX', () => {
  it('is what we would send for the same channels', () => {
    for (const { text } of framesOf('okx', 'client-sent.2022-05.jsonl')) {
      const { op, args } = JSON.parse(text) as { op: string; args: { channel: string; instId: string }[] };
      const types = { tickers: 'ticker', trades: 'trade', books: 'orderbook' } as const;
      const channels = args.flatMap(({ channel, instId }) =>
        okx.channels(instId, types[channel as keyof typeof types], channel),
      );
      const frames = okx.subscribeFrames(channels, () => '1').map((frame) => JSON.parse(frame.text));
      expect(frames).toEqual([{ id: '1', op, args }]);
    }
  });
});
