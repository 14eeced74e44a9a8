import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { configOf, type ServerProcess, startServerProcess } from '../support/whole-server.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
const present = existsSync(FOLDER);
if (!present) console.warn(`SKIPPED: recorded sessions are not replayed, because ${FOLDER} does not exist.`);

// biome-ignore lint/suspicious/noExplicitAny: recorded JSON, read as it is to have something independent to compare with
type Json = any;
type Sides = { bids: Map<string, string>; asks: Map<string, string> };

interface Recording {
  readonly exchange: 'okx' | 'binance';
  readonly files: readonly string[];
  readonly pairs: Parameters<typeof configOf>[0][number]['pairs'];
  /** A readable name of the recorded symbol. */
  symbolOf(native: string): string;
}

const RECORDINGS: readonly Recording[] = [
  {
    exchange: 'okx',
    files: ['okx/session.BTC-USDT.2022-05.jsonl'],
    pairs: [
      {
        symbol: 'BTC-USDT',
        data_types: ['trade', 'ticker', 'orderbook'],
        channels: { trades: 'trades', orderbook: 'books' },
      },
    ],
    symbolOf: (native) => native,
  },
  {
    exchange: 'binance',
    files: [
      'binance/spot.session.NKNUSDT.2021-10.jsonl',
      'binance/spot.rest.depth.NKNUSDT.2021-10.jsonl',
      'binance/spot.rest.exchangeInfo.2021-10.jsonl',
    ],
    pairs: [
      { symbol: 'NKN-USDT', data_types: ['trade', 'ticker', 'orderbook', 'candle'], channels: { trades: 'aggTrade' } },
    ],
    symbolOf: (native) => native.replace('USDT', '-USDT'),
  },
  {
    exchange: 'binance',
    files: [
      'binance/spot.session.US-CRV-COMP.2021-10.jsonl',
      'binance/spot.rest.depth.US-CRV-COMP.2021-10.jsonl',
      'binance/spot.rest.exchangeInfo.2021-10.jsonl',
    ],
    pairs: ['CRV-USDT', 'COMP-USDT'].map((symbol) => ({ symbol, data_types: ['ticker', 'orderbook'] })),
    symbolOf: (native) => native.replace('USDT', '-USDT'),
  },
];

describe.skipIf(!present).each(RECORDINGS)('the recording $files.0', (recording) => {
  it('is stored, queried and streamed with the recorded values', async () => {
    const expected = read(recording);
    await using simulator = await startSimulator({
      exchange: recording.exchange,
      replay: { files: recording.files.map((file) => `${FOLDER}${file}`), speed: 20 },
    });
    simulator.faults.add({ kind: 'refuse' }); // until somebody listens
    const collection = {
      ticker_sample_interval: 0,
      orderbook_sample_interval: 0,
      orderbook_stored_levels: 25,
      store_forming_candles: true,
    };
    const connection = { max_reconnect_attempts: 1_000, reconnect_delay: 0.2 };
    await using server = await startServerProcess(
      configOf([{ simulator, pairs: recording.pairs, collection, connection }]),
      await databaseOptions(),
    );

    const streamed = listen(server, recording);
    await vi.waitFor(() => expect(streamed.connected()).toBe(true), 10_000);
    simulator.faults.clear();

    for (const [symbol, want] of expected) {
      const name = { exchange: recording.exchange, symbol };
      await vi.waitFor(
        async () => {
          expect((await page(server, 'trades', name, 'tradeId price size side exchangeTime')).map(plainTrade)).toEqual(
            want.trades,
          );
          expect(await payloads(server, name, 'TICKER')).toEqual(want.tickers);
          expect(await payloads(server, name, 'CANDLE')).toEqual(want.candles);
          expect((await payloads(server, name, 'ORDERBOOK')).map(levels)).toEqual(want.books);
        },
        { timeout: 30_000, interval: 500 },
      );
      expect(streamed.trades(symbol)).toEqual(want.trades);
      expect(streamed.tickers(symbol)).toEqual(want.tickerPrices);
      expect(streamed.books(symbol)).toEqual(want.books);
      console.log(
        `${testDatabaseKind()}, ${recording.exchange} ${symbol}: ${want.trades.length} trades, ${want.tickers.length} tickers, ${want.books.length} books, ${want.candles.length} candles`,
      );
    }
    const { collectors } = await server.ask<Json>(
      '{ collectors { health { isHealthy issues } statistics { errors } } }',
    );
    for (const collector of collectors)
      expect(collector).toEqual({ health: { isHealthy: true, issues: [] }, statistics: { errors: 0 } });
  }, 90_000);
});

interface Expected {
  readonly trades: unknown[];
  readonly tickers: unknown[];
  readonly tickerPrices: unknown[];
  readonly candles: unknown[];
  readonly books: unknown[];
}

const lines = (file: string): readonly Json[] =>
  readFileSync(`${FOLDER}${file}`, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

/** What must come out, by a plain reading that shares nothing with the product. */
function read({ exchange, files, pairs, symbolOf }: Recording): ReadonlyMap<string, Expected> {
  const expected = new Map<string, Expected>(
    pairs.map(({ symbol }) => [symbol, { trades: [], tickers: [], tickerPrices: [], candles: [], books: [] }]),
  );
  const sides = new Map<string, Sides & { last: number }>();
  const [session = '', depth] = files;
  if (depth)
    for (const { url, body } of lines(depth)) {
      const snapshot = JSON.parse(body);
      const symbol = symbolOf(new URL(url).searchParams.get('symbol') ?? '');
      sides.set(symbol, { bids: new Map(snapshot.bids), asks: new Map(snapshot.asks), last: snapshot.lastUpdateId });
    }
  for (const line of lines(session)) {
    if (line.dir !== 'in') continue;
    const frame = JSON.parse(line.raw);
    if (exchange === 'okx') readOkx(frame, expected, sides);
    else readBinance(frame.stream, frame.data, expected, sides, symbolOf);
  }
  return expected;
}

function readOkx(
  frame: Json,
  expected: ReadonlyMap<string, Expected>,
  sides: Map<string, Sides & { last: number }>,
): void {
  const want = expected.get(frame.arg?.instId);
  if (!want || frame.event) return;
  for (const record of frame.data) {
    if (frame.arg.channel === 'trades')
      want.trades.push({
        tradeId: record.tradeId,
        price: record.px,
        size: record.sz,
        side: record.side.toUpperCase(),
        time: Number(record.ts),
      });
    if (frame.arg.channel === 'tickers') {
      want.tickers.push(record);
      want.tickerPrices.push([record.last, record.bidPx, record.askPx]);
    }
    if (frame.arg.channel === 'books') {
      if (frame.action === 'snapshot') sides.set(frame.arg.instId, { bids: new Map(), asks: new Map(), last: 0 });
      want.books.push(apply(sides.get(frame.arg.instId), record.bids, record.asks));
    }
  }
}

function readBinance(
  stream: string,
  data: Json,
  expected: ReadonlyMap<string, Expected>,
  sides: Map<string, Sides & { last: number }>,
  symbolOf: Recording['symbolOf'],
): void {
  const symbol = symbolOf(data.s);
  const want = expected.get(symbol);
  const book = sides.get(symbol);
  if (!want || !book) throw new Error(`the recording has ${symbol}`);
  if (stream.endsWith('@aggTrade'))
    want.trades.push({
      tradeId: String(data.l),
      price: data.p,
      size: data.q,
      side: data.m ? 'SELL' : 'BUY',
      time: data.T,
    });
  if (stream.endsWith('@bookTicker')) {
    want.tickers.push(data);
    want.tickerPrices.push([null, data.b, data.a]);
  }
  if (stream.includes('@kline')) want.candles.push(data);
  if (!stream.includes('@depth')) return;
  if (data.u <= book.last) {
    if (want.books.length === 0) return; // before the snapshot
    throw new Error('the recording goes back');
  }
  if (want.books.length === 0) want.books.push(apply(book, [], [])); // the snapshot itself
  want.books.push(apply(book, data.b, data.a));
  book.last = data.u;
}

function apply(book: Sides | undefined, bids: string[][], asks: string[][]): unknown {
  if (!book) throw new Error('a book begins with a snapshot');
  for (const [side, changes] of [
    [book.bids, bids],
    [book.asks, asks],
  ] as const)
    for (const [price = '', size = ''] of changes) {
      if (Number(size) === 0) side.delete(price);
      else side.set(price, size);
    }
  const sorted = (side: Map<string, string>, sign: number) =>
    [...side].sort(([a], [b]) => sign * (Number(a) - Number(b))).slice(0, 25);
  return { bids: sorted(book.bids, -1), asks: sorted(book.asks, 1) };
}

const plainTrade = ({ exchangeTime, ...trade }: Json) => ({ ...trade, time: Date.parse(exchangeTime) });
const levels = ({ bids, asks, validity }: Json) => (validity === 'VALID' ? { bids, asks } : { validity });

async function page(
  server: ServerProcess,
  field: string,
  { exchange, symbol }: { exchange: string; symbol: string },
  node: string,
  more = '',
): Promise<Json[]> {
  const answer = await server.ask<Json>(
    `query ($exchange: String!, $symbol: String!) { ${field}(exchange: $exchange, symbol: $symbol, ${more} order: ASC, first: 1000) { edges { node { ${node} } } } }`,
    { exchange, symbol },
  );
  return answer[field].edges.map((edge: Json) => edge.node);
}

const payloads = async (
  server: ServerProcess,
  name: { exchange: string; symbol: string },
  dataType: string,
): Promise<Json[]> =>
  (await page(server, 'marketData', name, 'data', `dataType: ${dataType},`)).map(({ data }) => data);

/** Subscribes to everything there is of the recording's symbols, and keeps it in order of arrival. */
function listen(server: ServerProcess, { exchange, pairs }: Recording) {
  const client = server.subscribe();
  const kept = {
    trades: new Map<string, unknown[]>(),
    tickers: new Map<string, unknown[]>(),
    books: new Map<string, unknown[]>(),
  };
  let connected = false;
  client.on('connected', () => {
    connected = true;
  });
  const add = (map: Map<string, unknown[]>, symbol: string, value: unknown) =>
    map.set(symbol, [...(map.get(symbol) ?? []), value]);
  const follow = (query: string, next: (data: Json) => void) =>
    client.subscribe({ query }, { next: ({ data }) => next(data), error: () => {}, complete: () => {} });
  follow(
    `subscription { trades(exchange: "${exchange}") { edges { node { symbol tradeId price size side exchangeTime } } } }`,
    ({ trades }) => {
      for (const {
        node: { symbol, ...trade },
      } of trades.edges)
        add(kept.trades, symbol, plainTrade(trade));
    },
  );
  follow(`subscription { tickers(exchange: "${exchange}") { tickers { symbol last bid ask } } }`, ({ tickers }) => {
    for (const { symbol, last, bid, ask } of tickers.tickers) add(kept.tickers, symbol, [last, bid, ask]);
  });
  for (const { symbol } of pairs)
    follow(
      `subscription { orderBook(exchange: "${exchange}", symbol: "${symbol}", depth: 25) { orderBooks { validity bids { price size } asks { price size } } } }`,
      ({ orderBook }) => {
        const flat = (side: Json[]) => side.map(({ price, size }) => [price, size]);
        for (const { validity, bids, asks } of orderBook.orderBooks)
          add(kept.books, symbol, levels({ validity, bids: flat(bids), asks: flat(asks) }));
      },
    );
  return {
    connected: () => connected,
    trades: (symbol: string) => kept.trades.get(symbol) ?? [],
    tickers: (symbol: string) => kept.tickers.get(symbol) ?? [],
    books: (symbol: string) => kept.books.get(symbol) ?? [],
  };
}
