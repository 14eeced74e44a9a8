/**
 * A client nobody here wrote against our simulator: ccxt's OKX client, REST and WebSocket, must understand every market, trade,
 * ticker and order book as the tape has it. Prints what was compared as JSON; ends with 1 where anything differs.
 *
 *   npm run bench -- ccxt
 */
import { isDeepStrictEqual } from 'node:util';
import ccxt from 'ccxt';
import { TEST_CREDENTIALS } from '../src/simulator/okx-account.ts';
import { startSimulator } from '../src/simulator/simulator.ts';
import { countAt, groupOf, placeOf, type Tape, tradeAt } from '../src/simulator/tape.ts';
import { bookAt, type Level, sequenceAt, stepAt } from '../src/simulator/tape-book.ts';
import bench from './package.json' with { type: 'json' };

const SYMBOLS = { 'BTC/USDT': 'BTC-USDT', 'PEPE/USDT': 'PEPE-USDT', 'BTC/USDT:USDT': 'BTC-USDT-SWAP' } as const;
type Symbol = keyof typeof SYMBOLS;
const SYMBOL_LIST = Object.keys(SYMBOLS) as Symbol[];
const TRADES = 200;
const UPDATES = 30;

/** What ccxt makes of a trade, as far as it is compared. Its numbers are floats, and so are ours here. */
interface Understood {
  readonly id: string;
  readonly price: number;
  readonly amount: number;
  readonly side: string;
  readonly timestamp: number;
}

const compared: Record<string, number> = {};
const differences: { readonly what: string; readonly found: unknown; readonly expected: unknown }[] = [];

function compare(what: string, found: unknown, expected: unknown): void {
  compared[what] = (compared[what] ?? 0) + 1;
  if (!isDeepStrictEqual(found, expected)) differences.push({ what, found, expected });
}

await using simulator = await startSimulator({
  exchange: 'okx',
  symbols: Object.values(SYMBOLS),
  rate: 50,
  firstId: 9_007_199_254_740_993n,
  enforceLimits: true,
});
const { key, secret, passphrase } = TEST_CREDENTIALS;
const client = await openClient();
/** ccxt keeps what comes on `trades` and on `trades-all` in one place, so each channel gets a client of its own. */
const singleFills = await openClient();
const tapeOf = (symbol: Symbol): Tape => simulator.tape(SYMBOLS[symbol]);
const understood = ({ id, price, amount, side, timestamp }: Understood) => ({ id, price, amount, side, timestamp });

async function openClient() {
  const opened = new ccxt.pro.okx({ apiKey: key, secret, password: passphrase, newUpdates: true });
  opened.has.fetchCurrencies = false; // with keys it would ask for deposits and withdrawals, which are not simulated
  await opened.loadHttpProxyAgent(); // what ccxt needs for ws:// instead of wss://
  const { rest_url: rest, public_ws_url } = simulator.connection;
  opened.urls.api = { rest, ws: public_ws_url.replace('/public', '') };
  return opened;
}

/** One fill, as REST and `trades-all` print it. */
function expectedFill(tape: Tape, id: string): Understood | null {
  const place = placeOf(tape, id);
  if (place === null) return null;
  const { tradeId, price, size, side, time } = tradeAt(tape, place);
  return { id: tradeId, price: Number(price), amount: Number(size), side, timestamp: time };
}

/** All fills of one taker at one price, as `trades` packs them under the last id; null for an id that is not the last. */
function expectedPack(tape: Tape, id: string): Understood | null {
  const place = placeOf(tape, id);
  if (place === null) return null;
  const { first, last } = groupOf(tape, place);
  const trade = expectedFill(tape, id);
  if (trade === null || place !== last) return null;
  let lots = 0;
  const perUnit = 10 ** tape.instrument.sizePlaces;
  for (let k = first; k <= last; k += 1) lots += Math.round(Number(tradeAt(tape, k).size) * perUnit);
  return { ...trade, amount: Number((lots / perUnit).toFixed(tape.instrument.sizePlaces)) };
}

async function markets(): Promise<void> {
  const listed = await client.loadMarkets();
  compare('markets listed', Object.keys(listed).toSorted(), SYMBOL_LIST.toSorted());
  for (const symbol of SYMBOL_LIST) {
    const { instrument } = tapeOf(symbol);
    const { id, base, quote, active, precision } = client.market(symbol);
    compare(
      'market',
      { id, base, quote, active, price: precision.price },
      {
        ...{ id: instrument.nativeSymbol, base: instrument.base, quote: instrument.quote, active: true },
        price: Number(`1e-${instrument.pricePlaces}`),
      },
    );
  }
}

async function recentTrades(symbol: Symbol): Promise<void> {
  const trades = await client.fetchTrades(symbol, undefined, 100);
  compare('trades by REST, a page', trades.length, 100);
  for (const trade of trades)
    compare('trade by REST', understood(trade as Understood), expectedFill(tapeOf(symbol), String(trade.id)));
}

async function liveTrades(symbol: Symbol, channel: 'trades' | 'trades-all'): Promise<void> {
  const reader = channel === 'trades' ? client : singleFills;
  const tape = tapeOf(symbol);
  const expected = channel === 'trades' ? expectedPack : expectedFill;
  let next: number | null = null;
  for (let seen = 0; seen < TRADES; )
    for (const trade of await reader.watchTrades(symbol, undefined, undefined, { channel })) {
      seen += 1;
      const id = String(trade.id);
      compare(`trade on ${channel}`, understood(trade as Understood), expected(tape, id));
      const place = placeOf(tape, id) ?? -1;
      const first = channel === 'trades' ? groupOf(tape, place).first : place;
      if (next !== null) compare(`no hole on ${channel}`, first, next);
      next = place + 1;
    }
}

async function tickers(symbol: Symbol): Promise<void> {
  const tape = tapeOf(symbol);
  await client.watchTicker(symbol); // the first one says what was known a few ms before its time
  for (let seen = 0; seen < UPDATES; seen += 1) {
    const { timestamp = 0, last, bid, ask } = await client.watchTicker(symbol);
    const book = bookAt(tape, stepAt(tape, timestamp), 1);
    const newest = tradeAt(tape, countAt(tape, timestamp) - 1);
    const [bids, asks] = [levelsOf(tape, book.bids), levelsOf(tape, book.asks)];
    compare('ticker', { last, bid, ask }, { last: Number(newest.price), bid: bids[0]?.[0], ask: asks[0]?.[0] });
  }
}

async function books(symbol: Symbol): Promise<void> {
  const tape = tapeOf(symbol);
  for (let seen = 0; seen < UPDATES; seen += 1) {
    const { timestamp = 0, nonce, bids, asks } = await client.watchOrderBook(symbol);
    const step = stepAt(tape, timestamp);
    const book = bookAt(tape, step);
    compare(
      'order book, all levels',
      { nonce, bids: Array.from(bids, pair), asks: Array.from(asks, pair) },
      { nonce: sequenceAt(tape, step), bids: levelsOf(tape, book.bids), asks: levelsOf(tape, book.asks) },
    );
  }
}

const pair = ([price, size]: readonly unknown[]) => [Number(price), Number(size)];
const levelsOf = (tape: Tape, levels: readonly Level[]) =>
  levels.map(({ ticks, lots }) => [
    Number(`${ticks}e-${tape.instrument.pricePlaces}`),
    Number(`${lots}e-${tape.instrument.sizePlaces}`),
  ]);

try {
  await markets();
  for (const symbol of SYMBOL_LIST) await recentTrades(symbol);
  await Promise.all(
    SYMBOL_LIST.flatMap((symbol) => [
      liveTrades(symbol, 'trades'),
      liveTrades(symbol, 'trades-all'),
      tickers(symbol),
      books(symbol),
    ]),
  );
} finally {
  await Promise.all([client.close(), singleFills.close()]);
}
const result = { client: `ccxt ${bench.dependencies.ccxt}`, compared, differing: differences.length };
console.log(JSON.stringify({ ...result, differences: differences.slice(0, 5) }, null, 2));
process.exitCode = differences.length > 0 ? 1 : 0;
