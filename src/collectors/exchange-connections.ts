import type { BookChange, ConnectionConfig, Credentials, ExchangeAdapter, Route } from '../exchanges/adapter.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Gate } from '../runtime/gate.ts';
import type { Log } from '../runtime/log.ts';
import type { ChannelListener } from './carried-channels.ts';
import { Connection } from './connection.ts';
import type { ExchangeRest } from './exchange-rest.ts';
import type { InstrumentList } from './instrument-list.ts';
import { RateLimit } from './rate-limit.ts';
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
}

/** The sockets of one exchange, shared by the collectors, and the way to its REST side. */
export class ExchangeConnections implements Disposable {
  readonly #options: ExchangeConnectionsOptions;
  readonly #connects: RateLimit;
  readonly #connections = new Set<Connection>();

  constructor(options: ExchangeConnectionsOptions) {
    this.#options = options;
    const perSecond = options.adapter.limits.connectsPerSecond;
    // A bucket of one: the exchange counts calendar seconds we cannot see, so attempts are spread evenly.
    this.#connects = new RateLimit(options.clock, { amount: 1, perMs: 1_000 / perSecond });
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

  resubscribe(key: string): void {
    for (const connection of this.#connections) connection.resubscribe(key);
  }

  /** Moves everything on the socket of a channel to a new one; nothing is lost. Not while the socket is young. */
  replace(key: string, reason: string): void {
    for (const connection of this.carrying([key])) connection.replace(reason);
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
