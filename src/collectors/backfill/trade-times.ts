import type { IdRange } from '../../market/coverage.ts';
import type { Trade } from '../../market/market-event.ts';
import { AppError } from '../../runtime/errors.ts';
import { type ExchangeRest, idsOf, type TradesAnswer } from '../rest/exchange-rest.ts';

/** Exchange times in ms: `from` inclusive, `to` exclusive. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

/**
 * The ids of the trades that were made in a stretch of time, as REST has it; null when there are none.
 * @throws {AppError} BACKFILL_REFUSED when it begins before what the exchange keeps, EXCHANGE_REST_FAILED, SYMBOL_UNKNOWN.
 */
export async function idsIn(
  rest: ExchangeRest,
  symbol: string,
  { from, to }: TimeRange,
  signal?: AbortSignal,
): Promise<IdRange | null> {
  const search = new TimeSearch(rest, symbol, signal);
  const first = await search.firstFrom(from);
  const last = (await search.firstFrom(to)) - 1n;
  return first <= last ? { first, last } : null;
}

/** Turns times into ids of one market. Ids and times rise together. */
class TimeSearch {
  readonly #rest: ExchangeRest;
  readonly #symbol: string;
  readonly #signal: AbortSignal | undefined;
  #recent: readonly Trade[] | null = null;

  constructor(rest: ExchangeRest, symbol: string, signal: AbortSignal | undefined) {
    this.#rest = rest;
    this.#symbol = symbol;
    this.#signal = signal;
  }

  /** The first id at or after a time; the one that will be next when there is none yet. */
  async firstFrom(time: number): Promise<bigint> {
    this.#recent ??= (await this.#ask((symbol) => this.#rest.adapter.rest.recentTrades(symbol))).trades;
    const [oldest, newest] = [this.#recent[0], this.#recent.at(-1)];
    if (!oldest || !newest) throw this.#refused(`${this.#rest.adapter.name} has no trades of ${this.#symbol}`);
    if (time > newest.exchangeTime) return idsOf(newest).last + 1n;
    if (time > oldest.exchangeTime) return firstOf(this.#recent, time) ?? idsOf(newest).last + 1n;
    const { trades } = await this.#ask((symbol) => this.#rest.adapter.rest.tradesAround(symbol, time));
    const last = trades.at(-1);
    if (last) return firstOf(trades, time) ?? idsOf(last).last + 1n;
    if (this.#rest.adapter.rest.pages === 'up') return this.#between(time, idsOf(oldest).first);
    const { name, capabilities } = this.#rest.adapter;
    const at = new Date(time).toISOString();
    throw this.#refused(
      `${name} keeps trades for ${capabilities.tradeBackfill.reach}; of ${this.#symbol} it has none from before ${at}`,
    );
  }

  /** Nothing was traded near the time: halves what lies below a trade that is later. */
  async #between(time: number, later: bigint): Promise<bigint> {
    // Up to `low` everything is earlier; from `high` on the first trade is `found`, which is not.
    let [low, high, found] = [-1n, later, later];
    while (high - low > 1n) {
      const middle = (low + high) / 2n;
      const { trades } = await this.#ask((symbol) =>
        this.#rest.adapter.rest.tradesPage(symbol, { afterId: String(middle - 1n), beforeId: String(later + 1n) }),
      );
      const [oldest, newest] = [trades[0], trades.at(-1)];
      if (!oldest || !newest) high = middle;
      else if (oldest.exchangeTime >= time) [high, found] = [middle, idsOf(oldest).first];
      else {
        const first = firstOf(trades, time);
        if (first !== null) return first;
        low = idsOf(newest).last;
      }
    }
    return found;
  }

  #ask(request: Parameters<ExchangeRest['trades']>[1]): Promise<TradesAnswer> {
    return this.#rest.trades(this.#symbol, request, this.#signal);
  }

  #refused(message: string): AppError {
    return new AppError('BACKFILL_REFUSED', message);
  }
}

function firstOf(trades: readonly Trade[], time: number): bigint | null {
  const found = trades.find(({ exchangeTime }) => exchangeTime >= time);
  return found ? idsOf(found).first : null;
}
