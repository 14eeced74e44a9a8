import type { ExchangeAdapter, ListedInstrument } from '../../exchanges/adapter.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import type { RestClient } from './rest-client.ts';

const FRESH_MS = 3_600_000;
/** An unknown symbol may have been listed since, but asking for the whole list more often would burn the rate budget. */
const RETRY_UNKNOWN_MS = 60_000;

/** What an exchange lists, fetched when first needed and kept for an hour; several askers share one fetch. */
export class InstrumentList {
  readonly #adapter: ExchangeAdapter;
  readonly #rest: RestClient;
  readonly #clock: Clock;
  #bySymbol: ReadonlyMap<string, ListedInstrument> = new Map();
  #fetchedAt = Number.NEGATIVE_INFINITY;
  #fetching: Promise<void> | null = null;

  constructor(adapter: ExchangeAdapter, rest: RestClient, clock: Clock) {
    this.#adapter = adapter;
    this.#rest = rest;
    this.#clock = clock;
  }

  /**
   * The exchange's own name of a canonical symbol.
   * @throws {AppError} SYMBOL_UNKNOWN when the exchange does not list it, EXCHANGE_REST_FAILED when it is not known and the
   * list cannot be had.
   */
  async nativeSymbol(symbol: string): Promise<string> {
    if (!this.#adapter.needsInstruments) return this.#adapter.nativeSymbol(symbol);
    const age = this.#clock.monotonic() - this.#fetchedAt;
    const known = this.#bySymbol.get(symbol);
    if (known) {
      if (age > FRESH_MS) this.#refresh().catch(() => undefined); // its name hardly changed; the next asker tries again
      return known.nativeSymbol;
    }
    if (age > RETRY_UNKNOWN_MS) await this.#refresh();
    const listed = this.#bySymbol.get(symbol);
    if (listed) return listed.nativeSymbol;
    throw new AppError(
      'SYMBOL_UNKNOWN',
      `${this.#adapter.name} does not list ${symbol}; symbols are BASE-QUOTE, such as BTC-USDT`,
    );
  }

  #refresh(): Promise<void> {
    this.#fetching ??= this.#fetch().finally(() => {
      this.#fetching = null;
    });
    return this.#fetching;
  }

  async #fetch(): Promise<void> {
    const bySymbol = new Map<string, ListedInstrument>();
    for (const request of this.#adapter.rest.instruments())
      for (const listed of this.#adapter.rest.readInstruments(await this.#rest.get(request)))
        bySymbol.set(listed.symbol, listed);
    this.#bySymbol = bySymbol;
    this.#fetchedAt = this.#clock.monotonic();
  }
}
