import type { ConnectionConfig, ExchangeAdapter, RestRequest, Route } from '../../exchanges/adapter.ts';
import { DataType } from '../../market/data-type.ts';
import type { Trade } from '../../market/market-event.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import { type Tracer, traced } from '../../runtime/tracing.ts';
import { InstrumentList } from './instrument-list.ts';
import { type Fetch, RestClient } from './rest-client.ts';

export interface ExchangeRestOptions {
  readonly adapter: ExchangeAdapter;
  readonly connection: ConnectionConfig;
  readonly fetch: Fetch;
  readonly clock: Clock;
  readonly tracer: Tracer;
}

/** What one request for trades gave. */
export interface TradesAnswer {
  /** In ascending order of their ids. */
  readonly trades: readonly Trade[];
  /** Rows that could not be read; whatever they were, they are not missing. */
  readonly rejected: number;
}

/** The REST side of one exchange at one address: the one rate budget, the list of instruments, and trades. */
export class ExchangeRest {
  readonly adapter: ExchangeAdapter;
  readonly client: RestClient;
  readonly instruments: InstrumentList;
  readonly #clock: Clock;
  readonly #tracer: Tracer;

  constructor(options: ExchangeRestOptions) {
    this.adapter = options.adapter;
    this.client = new RestClient(options);
    this.instruments = new InstrumentList(options.adapter, this.client, options.clock);
    this.#clock = options.clock;
    this.#tracer = options.tracer;
  }

  /** ms that one request of this weight takes of the budget. */
  paceOf({ weight }: Pick<RestRequest, 'weight'>): number {
    const { budget } = this.adapter.rest;
    return (weight * budget.perMs) / budget.weight;
  }

  /**
   * The answer to a request for trades of one market.
   * @throws {AppError} EXCHANGE_REST_FAILED, FRAME_MALFORMED or SYMBOL_UNKNOWN.
   */
  async trades(
    symbol: string,
    request: (nativeSymbol: string, adapter: ExchangeAdapter) => RestRequest,
    signal?: AbortSignal,
  ): Promise<TradesAnswer> {
    const nativeSymbol = await this.instruments.nativeSymbol(symbol);
    const attributes = { 'tcp_dashboard.exchange': this.adapter.id, 'tcp_dashboard.symbol': symbol };
    return traced(this.#tracer, `trades of ${this.adapter.id}`, { kind: 'client', attributes }, async (span) => {
      const body = await this.client.get(request(nativeSymbol, this.adapter), signal);
      const route = this.#route(nativeSymbol, symbol);
      const { events, rejected } = this.adapter.rest.readTrades(body, route, this.#clock.now());
      const trades = events.filter((event) => event.kind === 'trade');
      span.set({ 'tcp_dashboard.rows': trades.length });
      return { trades, rejected: rejected.length };
    });
  }

  #route(nativeSymbol: string, symbol: string): Route {
    const [channel] = this.adapter.channels(nativeSymbol, DataType.TRADE);
    if (channel) return { channel, symbol };
    throw new AppError('EXCHANGE_REST_FAILED', `${this.adapter.name} has no trades of ${symbol}`);
  }
}

/** First and last id a trade stands for: more than one for a packed trade. */
export const idsOf = ({ tradeId, fillCount }: Trade): { readonly first: bigint; readonly last: bigint } => {
  const last = BigInt(tradeId);
  return { first: last - BigInt(fillCount) + 1n, last };
};
