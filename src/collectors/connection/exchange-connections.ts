import type { BookChange, ConnectionConfig, Credentials, ExchangeAdapter, Route } from '../../exchanges/adapter.ts';
import type { Trade } from '../../market/market-event.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { Gate } from '../../runtime/gate.ts';
import type { Log } from '../../runtime/log.ts';
import type { Tracer } from '../../runtime/tracing.ts';
import { RateLimit } from '../pacing/rate-limit.ts';
import type { ExchangeRest } from '../rest/exchange-rest.ts';
import type { InstrumentList } from '../rest/instrument-list.ts';
import type { ChannelListener } from './carried-channels.ts';
import { Connection } from './connection.ts';
import type { OpenSocket } from './socket.ts';

export interface ExchangeConnectionsOptions {
  readonly adapter: ExchangeAdapter;
  readonly connection: ConnectionConfig;
  readonly credentials: Credentials | null;
  readonly openSocket: OpenSocket;
  readonly rest: ExchangeRest;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly gate: Gate;
  readonly tracer: Tracer;
}

/** Of the REST budget, for asking whether a silent market is quiet. */
const PROBES_SHARE = 0.2;

/** The sockets of one exchange, shared by the collectors, and the way to its REST side. */
export class ExchangeConnections implements Disposable {
  readonly #options: ExchangeConnectionsOptions;
  readonly #connects: RateLimit;
  readonly #connections = new Set<Connection>();
  /** Probes of silent markets: there may be hundreds of them. */
  readonly #probes: RateLimit;

  constructor(options: ExchangeConnectionsOptions) {
    this.#options = options;
    const perSecond = options.adapter.limits.connectsPerSecond;
    // A bucket of one: the exchange counts calendar seconds we cannot see, so attempts are spread evenly.
    this.#connects = new RateLimit(options.clock, { amount: 1, perMs: 1_000 / perSecond });
    const { weight, perMs } = options.adapter.rest.budget;
    this.#probes = new RateLimit(options.clock, { amount: weight * PROBES_SHARE, perMs });
  }

  get adapter(): ExchangeAdapter {
    return this.#options.adapter;
  }

  get instruments(): InstrumentList {
    return this.#options.rest.instruments;
  }

  /** Carries channels for a listener, on sockets with room, all of one call and endpoint together where possible. */
  want(routes: readonly Route[], listener: ChannelListener): void {
    for (const route of routes) this.#connectionFor(route).want(route, listener);
  }

  /** Gives channels back; a socket nobody needs any more is closed. */
  unwant(routes: readonly Route[], listener: ChannelListener): void {
    for (const connection of this.#connections) {
      for (const { channel } of routes) connection.unwant(channel.key, listener);
      if (connection.channelCount > 0) continue;
      connection[Symbol.dispose]();
      this.#connections.delete(connection);
    }
  }

  /** One more attempt for sockets whose attempts are used up, each when it is time to. */
  retry(keys: readonly string[]): void {
    for (const connection of this.carrying(keys)) connection.retry();
  }

  /** Whether the sockets are read at present. */
  get listening(): boolean {
    return this.#options.gate.open;
  }

  /** Subscribes one channel again; false when that cannot be done now. */
  resubscribe(key: string): boolean {
    return this.carrying([key]).some((connection) => connection.resubscribe(key));
  }

  /**
   * Moves everything on the socket of a channel to a new one; nothing is lost. Not when the socket was opened since
   * `openedBefore` (monotonic ms), or, without that, while it is young.
   */
  replace(key: string, reason: string, openedBefore: number | null): void {
    for (const connection of this.carrying([key])) connection.replace(reason, openedBefore);
  }

  /** Cuts the socket of a channel when nothing comes on it any more, else replaces it; under the same condition. */
  reconnect(key: string, reason: string, openedBefore: number): void {
    for (const connection of this.carrying([key])) connection.reconnect(reason, openedBefore);
  }

  /** The sockets that carry any of the channels. */
  carrying(keys: readonly string[]): readonly Connection[] {
    return [...this.#connections].filter((connection) => keys.some((key) => connection.has(key)));
  }

  /** @throws {AppError} EXCHANGE_REST_FAILED or FRAME_MALFORMED. */
  async orderBook(nativeSymbol: string, signal: AbortSignal): Promise<BookChange & { readonly type: 'snapshot' }> {
    const body = await this.#options.rest.client.get(this.adapter.rest.orderBook(nativeSymbol), signal);
    return this.adapter.rest.readOrderBook(body, this.#options.clock.now());
  }

  /**
   * The newest trades of a market, in ascending order.
   * @throws {AppError} EXCHANGE_REST_FAILED or FRAME_MALFORMED.
   */
  async newestTrades(nativeSymbol: string, route: Route, signal: AbortSignal): Promise<readonly Trade[]> {
    const { rest } = this.adapter;
    const request = rest.recentTrades(nativeSymbol);
    await this.#probes.take(request.weight, signal);
    const body = await this.#options.rest.client.get(request, signal);
    const { events } = rest.readTrades(body, route, this.#options.clock.now());
    return events.filter((event) => event.kind === 'trade');
  }

  [Symbol.dispose](): void {
    for (const connection of this.#connections) connection[Symbol.dispose]();
    this.#connections.clear();
  }

  #connectionFor({ channel }: Route): Connection {
    for (const connection of this.#connections) if (connection.has(channel.key)) return connection;
    for (const connection of this.#connections)
      if (connection.endpoint === channel.endpoint && connection.hasRoomFor(1)) return connection;
    const connection = new Connection({ ...this.#options, endpoint: channel.endpoint, connects: this.#connects });
    this.#connections.add(connection);
    return connection;
  }
}
