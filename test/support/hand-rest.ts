import { ExchangeRest } from '../../src/collectors/rest/exchange-rest.ts';
import { EXCHANGES, type ExchangeId } from '../../src/exchanges/registry.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { untraced } from '../../src/runtime/tracing.ts';

interface Range {
  readonly first: bigint;
  readonly last: bigint;
}

/** When trade 0 would have been made; one trade a second follows. Large ids begin again, as a time must stay one. */
export const EPOCH = Date.UTC(2026, 0, 1);
const timeOf = (id: bigint): number => EPOCH + Number(id % 1_000_000_000n) * 1_000;
const HOUR_MS = 3_600_000;

/** The REST side of an exchange whose record of trades is what the test says it is. */
export class HandRest {
  /** Ids the exchange has, ascending. */
  made: readonly Range[];
  /** Newest id that REST shows, and the oldest it keeps. */
  newest: bigint | null = null;
  oldest = 0n;
  /** Answers instead of the exchange, in their order; the last one for ever. */
  /** Nothing was traded for ten hours after this id. */
  quietAfter: bigint | null = null;
  readonly instead: (() => Response | Promise<Response>)[] = [];
  readonly requests: {
    readonly path: string;
    readonly query: Readonly<Record<string, string>>;
    readonly at: number;
  }[] = [];
  readonly rest: ExchangeRest;
  readonly #exchange: ExchangeId;

  constructor(exchange: ExchangeId, clock: Clock, ...made: readonly (readonly [number | bigint, number | bigint])[]) {
    this.#exchange = exchange;
    this.made = made.map(([first, last]) => ({ first: BigInt(first), last: BigInt(last) }));
    const adapter = EXCHANGES[exchange];
    const fetch = async (url: URL) => {
      const query = Object.fromEntries(url.searchParams);
      this.requests.push({ path: url.pathname.split('/').at(-1) ?? '', query, at: clock.monotonic() });
      const instead = this.instead.length > 1 ? this.instead.shift() : this.instead[0];
      return instead && !url.pathname.endsWith('exchangeInfo') ? instead() : this.#answer(url);
    };
    this.rest = new ExchangeRest({ adapter, connection: adapter.connection, fetch, clock, tracer: untraced });
  }

  pages(): readonly Readonly<Record<string, string>>[] {
    return this.requests.filter(({ path }) => path.startsWith('histor')).map(({ query }) => query);
  }

  timeOf(id: bigint): number {
    return timeOf(id) + (this.quietAfter !== null && id > this.quietAfter ? 10 * HOUR_MS : 0);
  }

  /** The first id from a time on. */
  #firstFrom(time: number): bigint {
    const busy = BigInt(Math.ceil((time - EPOCH) / 1_000));
    if (this.quietAfter === null || busy <= this.quietAfter) return busy;
    const later = BigInt(Math.ceil((time - 10 * HOUR_MS - EPOCH) / 1_000));
    return later > this.quietAfter ? later : this.quietAfter + 1n;
  }

  #answer(url: URL): Response {
    const query = url.searchParams;
    const okx = (ids: readonly bigint[]) => okxAnswer(ids, query.get('instId'), (id) => this.timeOf(id));
    const binance = (ids: readonly bigint[]) => binanceAnswer(ids, (id) => this.timeOf(id));
    const shown = this.made
      .map(({ first, last }) => ({
        first: first > this.oldest ? first : this.oldest,
        last: this.newest !== null && this.newest < last ? this.newest : last,
      }))
      .filter(({ first, last }) => first <= last);
    const limit = Number(query.get('limit'));
    switch (url.pathname.split('/').at(-1)) {
      case 'exchangeInfo':
        return Response.json({ symbols: ['BTC', 'ETH'].map(listed) });
      case 'history-trades': {
        const after = query.get('after') ?? '0';
        return okx(below(shown, query.get('type') === '2' ? this.#firstFrom(Number(after)) : BigInt(after), limit));
      }
      case 'trades':
        return this.#exchange === 'okx'
          ? okx(below(shown, 1n << 62n, limit))
          : binance(below(shown, 1n << 62n, limit).reverse());
      case 'historicalTrades':
        return binance(from(shown, BigInt(query.get('fromId') ?? '0'), limit));
      case 'aggTrades': {
        const [start, end] = ['startTime', 'endTime'].map((name) => Number(query.get(name)));
        const ids = from(shown, this.#firstFrom(start ?? 0), limit).filter((id) => this.timeOf(id) <= (end ?? 0));
        return Response.json(
          ids.map((id) => ({
            a: 1,
            p: '1',
            q: '2',
            f: Number(id),
            l: Number(id),
            T: this.timeOf(id),
            m: false,
            M: true,
          })),
        );
      }
      default:
        return new Response('not here', { status: 404 });
    }
  }
}

const listed = (base: string) => ({
  ...{ symbol: `${base}USDT`, baseAsset: base, quoteAsset: 'USDT', status: 'TRADING', isSpotTradingAllowed: true },
});

function below(shown: readonly Range[], end: bigint, limit: number): bigint[] {
  const ids: bigint[] = [];
  for (const { first, last } of shown.toReversed())
    for (let id = last < end ? last : end - 1n; id >= first && ids.length < limit; id--) ids.push(id);
  return ids;
}

function from(shown: readonly Range[], start: bigint, limit: number): bigint[] {
  const ids: bigint[] = [];
  for (const { first, last } of shown)
    for (let id = first > start ? first : start; id <= last && ids.length < limit; id++) ids.push(id);
  return ids;
}

const okxAnswer = (ids: readonly bigint[], instId: string | null, time: (id: bigint) => number) =>
  Response.json({
    code: '0',
    msg: '',
    data: ids.map((id) => ({
      ...{ instId, side: 'sell', sz: '2', px: '1.5', tradeId: String(id), ts: String(time(id)) },
    })),
  });

const binanceAnswer = (ids: readonly bigint[], time: (id: bigint) => number) =>
  Response.json(
    ids.map((id) => ({ id: Number(id), price: '1.5', qty: '2', quoteQty: '3', time: time(id), isBuyerMaker: true })),
  );
