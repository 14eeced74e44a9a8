/** The REST side of the exchange on the tape: pages and newest trades as OKX gives them, with lag, failures and a horizon. */
import { ExchangeRest, type TradesAnswer } from '../../src/collectors/rest/exchange-rest.ts';
import type { ExchangeAdapter, RestRequest } from '../../src/exchanges/adapter.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { untraced } from '../../src/runtime/tracing.ts';
import { EPOCH, type Tape } from './tape.ts';

/** What the exchange shows at the moment. */
export interface RestState {
  readonly tapes: readonly Tape[];
  /** Of each market: the oldest place that is kept. */
  readonly horizon: number[];
  lagMs: number;
  away: boolean;
}

export class TapeRest extends ExchangeRest {
  readonly #state: RestState;
  readonly #time: Clock;
  readonly #latency: () => number;

  constructor(state: RestState, clock: Clock, latency: () => number) {
    const adapter = EXCHANGES.okx;
    const fetch = () => Promise.reject(new Error('no network'));
    super({ adapter, connection: adapter.connection, fetch, clock, tracer: untraced });
    this.#state = state;
    this.#time = clock;
    this.#latency = latency;
  }

  override async trades(
    symbol: string,
    request: (nativeSymbol: string, adapter: ExchangeAdapter) => RestRequest,
    signal?: AbortSignal,
  ): Promise<TradesAnswer> {
    const { path, query } = request(symbol, this.adapter);
    await this.#time.sleep(this.#latency(), signal);
    const { tapes, horizon, lagMs, away } = this.#state;
    if (away) throw new AppError('EXCHANGE_REST_FAILED', 'okx answered 503');
    const market = tapes.findIndex((tape) => tape.symbol === symbol);
    const tape = tapes[market];
    if (!tape) throw new AppError('SYMBOL_UNKNOWN', `No ${symbol} here`);
    const now = this.#time.now();
    const end = path.includes('history') ? Math.min(tape.count, tape.place(String(query.after))) : tape.count;
    const limit = Number(query.limit);
    const places: number[] = [];
    for (let place = end - 1; place >= (horizon[market] ?? 0) && places.length < limit; place -= 1)
      if (EPOCH + tape.madeAt(place) <= now - lagMs) places.unshift(place);
    return { trades: places.map((place) => tape.trade(place, now)), rejected: 0 };
  }
}
