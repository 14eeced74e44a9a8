import { CandleHistory } from './candle-history.ts';
import type { RestAnswer, RestCall } from './dialect.ts';
import { OKX_INTERVALS } from './interval.ts';
import type { Market } from './market.ts';
import { candleRow, restBook, singleTrade, ticker } from './okx-frames.ts';
import { RateWindow } from './rate-window.ts';
import { countAt, placeOf, type Tape } from './tape.ts';
import { stepAt } from './tape-book.ts';

interface OkxRestSetup {
  readonly markets: ReadonlyMap<string, Market>;
  readonly enforceLimits: boolean;
}

interface Path {
  /** Requests per 2 seconds. */
  readonly limit: number;
  read(call: RestCall, market: Market, history: CandleHistory): readonly string[];
}

/** Paths that ask for one instrument. https://www.okx.com/docs-v5/en/#public-data */
const PATHS: Readonly<Record<string, Path>> = {
  '/api/v5/market/trades': { limit: 100, read: (call, market) => newest(call, market, limitOf(call, 500)) },
  '/api/v5/market/history-trades': { limit: 20, read: historyTrades },
  '/api/v5/market/candles': { limit: 40, read: (call, market, history) => candles(call, market, history, 1_440) },
  '/api/v5/market/history-candles': {
    limit: 20,
    read: (call, market, history) => candles(call, market, history, Number.POSITIVE_INFINITY),
  },
  '/api/v5/market/books': {
    limit: 40,
    read: ({ query, now }, { tape }) => [
      restBook(tape, stepAt(tape, now), Math.min(400, Math.max(1, Number(query.get('sz') ?? 1))), now),
    ],
  },
  '/api/v5/market/ticker': { limit: 20, read: ({ now }, market) => [ticker(market.tape, market.count, now)] },
};

const TWO_SECONDS = 2000;

/** OKX REST for public data. Bodies are written as text, so that nothing passes through a float. */
export class OkxRest {
  readonly #setup: OkxRestSetup;
  readonly #history = new CandleHistory();
  readonly #windows = new Map<string, RateWindow>();

  constructor(setup: OkxRestSetup) {
    this.#setup = setup;
  }

  answer(call: RestCall): RestAnswer {
    const path = Object.hasOwn(PATHS, call.path) ? PATHS[call.path] : undefined;
    if (this.#setup.enforceLimits && !this.#window(call.path, path?.limit ?? 20).spend(1, call.now))
      return { status: 429, body: '{"code":"50011","msg":"Too Many Requests","data":[]}' };
    try {
      if (path !== undefined) return ok(path.read(call, this.#market(call), this.#history));
      if (call.path === '/api/v5/public/time') return ok([`{"ts":"${call.now}"}`]);
      if (call.path === '/api/v5/public/instruments') return ok(instruments(call, this.#setup.markets));
      if (call.path === '/api/v5/market/tickers')
        return ok([...this.#setup.markets.values()].map((market) => ticker(market.tape, market.count, call.now)));
    } catch (refusal) {
      if (refusal instanceof Refusal) return refusal.answer;
      throw refusal;
    }
    return { status: 404, body: '{"code":"404","data":[],"msg":"Request path not found"}' };
  }

  #market(call: RestCall): Market {
    const symbol = call.query.get('instId');
    if (symbol === null || symbol === '') throw new Refusal(400, '50014', 'Parameter instId can not be empty.');
    const market = this.#setup.markets.get(symbol);
    if (market === undefined)
      throw new Refusal(200, '51001', "Instrument ID, Instrument ID code, or Spread ID doesn't exist.");
    return market;
  }

  #window(path: string, limit: number): RateWindow {
    const found = this.#windows.get(path) ?? new RateWindow(limit, TWO_SECONDS);
    if (this.#windows.size < 100) this.#windows.set(path, found);
    return found;
  }
}

class Refusal extends Error {
  readonly answer: RestAnswer;

  constructor(status: number, code: string, msg: string) {
    super(msg);
    this.answer = { status, body: JSON.stringify({ code, msg, data: [] }) };
  }
}

const ok = (data: readonly string[]): RestAnswer => ({
  status: 200,
  body: `{"code":"0","msg":"","data":[${data.join(',')}]}`,
});

function limitOf(call: RestCall, most: number): number {
  const text = call.query.get('limit') ?? '100';
  if (!/^\d{1,6}$/.test(text) || Number(text) < 1) throw new Refusal(400, '51000', 'Parameter limit error');
  return Math.min(most, Number(text));
}

/** Places below `end`, newest first, not older than REST knows. */
function placesBelow(tape: Tape, end: number, oldest: number, limit: number): readonly number[] {
  const start = Math.max(end - limit, countAt(tape, oldest - 1), 0);
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => end - 1 - i);
}

const happened = (call: RestCall, { tape, count }: Market): number => Math.max(count, countAt(tape, call.now));

function newest(call: RestCall, market: Market, limit: number): readonly string[] {
  return placesBelow(market.tape, happened(call, market), call.oldest, limit).map((k) => singleTrade(market.tape, k));
}

/** `after` walks into the past, `before` into the present; both are exclusive. */
function historyTrades(call: RestCall, market: Market): readonly string[] {
  const { tape } = market;
  const limit = limitOf(call, 100);
  const [after, before] = [call.query.get('after'), call.query.get('before')];
  const count = happened(call, market);
  const byTime = call.query.get('type') === '2';
  const place = (cursor: string): number => {
    if (!/^\d{1,30}$/.test(cursor)) throw new Refusal(400, '51000', 'Parameter after or before error');
    if (byTime) return countAt(tape, Number(cursor) - 1);
    return placeOf(tape, cursor) ?? (BigInt(cursor) < tape.firstId ? -1 : count);
  };
  const end = after === null ? count : Math.min(count, Math.max(0, place(after)));
  const start = before === null || byTime ? 0 : place(before) + 1;
  const from = before === null || after !== null ? end : Math.min(end, start + limit);
  return placesBelow(tape, from, call.oldest, limit)
    .filter((k) => k >= start)
    .map((k) => singleTrade(tape, k));
}

function candles(call: RestCall, market: Market, history: CandleHistory, depth: number): readonly string[] {
  const { tape } = market;
  const interval = OKX_INTERVALS.get(call.query.get('bar') ?? '1m');
  if (interval === undefined) throw new Refusal(400, '51000', 'Parameter bar error');
  const limit = limitOf(call, 300);
  const running = interval.openOf(call.now);
  const [after, before] = [milliseconds(call, 'after'), milliseconds(call, 'before')];
  const oldest = Math.max(tape.startTime, running - (depth - 1) * interval.ms, before === null ? 0 : before + 1);
  const opens: number[] = [];
  let open = after === null ? running : Math.min(running, interval.openOf(after - 1));
  for (; opens.length < limit && open >= oldest; open = interval.openOf(open - 1)) opens.push(open);
  return history
    .read(tape, interval, opens, happened(call, market))
    .map((candle) => candleRow(tape, candle, candle.openTime === running ? '0' : '1'));
}

function milliseconds(call: RestCall, name: 'after' | 'before'): number | null {
  const text = call.query.get(name);
  if (text === null || text === '') return null;
  if (!/^\d{1,15}$/.test(text)) throw new Refusal(400, '51000', `Parameter ${name} error`);
  return Number(text);
}

function instruments(call: RestCall, markets: ReadonlyMap<string, Market>): readonly string[] {
  const kind = call.query.get('instType');
  if (kind === null) throw new Refusal(400, '50014', 'Parameter instType can not be empty.');
  return [...markets.values()]
    .map(({ tape }) => tape.instrument)
    .filter((instrument) => (instrument.kind === 'spot' ? 'SPOT' : 'SWAP') === kind)
    .map((instrument) => {
      const spot = instrument.kind === 'spot';
      const unit = (places: number) => (places === 0 ? '1' : `0.${'1'.padStart(places, '0')}`);
      return JSON.stringify({
        instType: kind,
        instId: instrument.nativeSymbol,
        uly: spot ? '' : `${instrument.base}-${instrument.quote}`,
        instFamily: spot ? '' : `${instrument.base}-${instrument.quote}`,
        baseCcy: spot ? instrument.base : '',
        quoteCcy: spot ? instrument.quote : '',
        settleCcy: spot ? '' : instrument.quote,
        ctVal: spot ? '' : '0.01',
        ctMult: spot ? '' : '1',
        ctValCcy: spot ? '' : instrument.base,
        ctType: spot ? '' : 'linear',
        tickSz: unit(instrument.pricePlaces),
        lotSz: unit(instrument.sizePlaces),
        minSz: unit(instrument.sizePlaces),
        listTime: '1548133413000',
        expTime: '',
        state: 'live',
      });
    });
}
