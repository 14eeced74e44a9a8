import type { Channel, Route } from '../exchanges/adapter.ts';
import { DataType } from '../market/data-type.ts';
import type { MarketEvent } from '../market/market-event.ts';
import { AppError } from '../runtime/errors.ts';
import { BaseDataCollector, type CollectorEnvironment, type LinkFacts } from './base-data-collector.ts';
import type { ChannelListener, ConnectionState } from './carried-channels.ts';
import type { ExchangeCollectorConfig } from './collector-status.ts';
import type { ExchangeConnections } from './exchange-connections.ts';
import type { DataFrame } from './link.ts';
import { OrderBookStream } from './order-book-stream.ts';

/** Configured channel names per data type; the exchange's default where one is missing. */
export type ChannelNames = Readonly<Partial<Record<DataType, string>>>;

interface Watched {
  readonly route: Route;
  connection: ConnectionState;
  message: string;
  subscribed: boolean;
  /** The exchange's words when it refused the channel. */
  refusal: string | null;
}

const UNTOLD = { connection: 'connecting', message: '', subscribed: false, refusal: null } as const;

/** A caller of start waits this long for the exchange; after it the collector goes on by itself. */
const START_WAIT_MS = 4_500;
/** Wait after the first remedy for a stalled stream; it doubles up to the cap while nothing helps. */
const REMEDY_WAIT_MS = 60_000;
const REMEDY_CAP_MS = 600_000;

/** Collects one symbol of an exchange with an adapter, over sockets it shares with the exchange's other collectors. */
export class ExchangeCollector extends BaseDataCollector {
  readonly #environment: CollectorEnvironment;
  readonly #connections: ExchangeConnections;
  readonly #channelNames: ChannelNames;
  #watched: ReadonlyMap<string, Watched> = new Map();
  #book: OrderBookStream | null = null;
  #tickerParts: readonly string[] = [];
  readonly #tickerPayloads = new Map<string, unknown>();
  #settled = Promise.withResolvers<void>();
  /** What was tried for streams that are silent, until data comes. */
  readonly #remedies = new Map<DataType, { readonly tries: number; readonly nextAt: number }>();

  constructor(
    config: ExchangeCollectorConfig,
    channelNames: ChannelNames,
    connections: ExchangeConnections,
    environment: CollectorEnvironment,
  ) {
    super(config, environment);
    this.#environment = environment;
    this.#connections = connections;
    this.#channelNames = channelNames;
  }

  protected override async open(signal: AbortSignal): Promise<void> {
    const done = new AbortController();
    const late = this.#environment.clock.sleep(START_WAIT_MS, AbortSignal.any([signal, done.signal]));
    try {
      this.#subscribe(
        await Promise.race([this.#connections.instruments.nativeSymbol(this.symbol), this.#tooLate(late)]),
      );
      await Promise.race([this.#settled.promise, late]);
    } finally {
      done.abort();
    }
    if (this.state === 'starting') this.become('reconnecting', 'the exchange has not answered yet');
  }

  async #tooLate(late: Promise<void>): Promise<never> {
    await late;
    const { name } = this.#connections.adapter;
    throw new AppError('EXCHANGE_REST_FAILED', `${name} did not send its list of instruments in time`);
  }

  #subscribe(nativeSymbol: string): void {
    const { adapter } = this.#connections;
    const routes = this.config.dataTypes.flatMap((type) =>
      adapter
        .channels(nativeSymbol, type, this.#channelNames[type])
        .map((channel) => ({ channel, symbol: this.symbol })),
    );
    this.#settled = Promise.withResolvers();
    this.#tickerParts = routes
      .filter(({ channel }) => channel.dataType === DataType.TICKER)
      .map(({ channel }) => channel.key);
    this.#tickerPayloads.clear();
    this.#book = this.#openBook(nativeSymbol);
    this.#watched = new Map(routes.map((route) => [route.channel.key, { ...UNTOLD, route }]));
    this.#remedies.clear();
    this.#connections.want(routes, this.#listener);
  }

  protected override async close(_options: { readonly force: boolean }): Promise<void> {
    const routes = [...this.#watched.values()].map(({ route }) => route);
    this.#watched = new Map();
    this.#connections.unwant(routes, this.#listener);
    this.#book?.[Symbol.dispose]();
    this.#book = null;
  }

  protected override revive(): boolean {
    const watched = [...this.#watched.values()];
    const failed = watched.filter(({ connection }) => connection === 'failed');
    if (failed.length === 0 || failed.length === watched.length) return false;
    this.#connections.want(
      failed.map(({ route }) => route),
      this.#listener,
    );
    return true;
  }

  /** First the channels are asked for again, then their sockets are replaced; ever more rarely while nothing helps. */
  protected override resubscribe(types: readonly DataType[]): void {
    if (types.includes(DataType.ORDERBOOK)) this.#book?.growOld();
    const now = this.#environment.clock.monotonic();
    for (const type of types) {
      const { tries, nextAt } = this.#remedies.get(type) ?? { tries: 0, nextAt: now };
      if (now < nextAt) continue;
      this.#remedies.set(type, {
        tries: tries + 1,
        nextAt: now + Math.min(REMEDY_CAP_MS, REMEDY_WAIT_MS * 2 ** tries),
      });
      const watched = [...this.#watched.values()].filter(({ route }) => route.channel.dataType === type);
      const askAgain = tries === 0 || watched.some(({ refusal }) => refusal !== null);
      this.trouble('stalled', `no ${type} for too long, ${askAgain ? 'subscribing again' : 'replacing its socket'}`);
      for (const { route } of watched)
        if (askAgain) this.#connections.resubscribe(route.channel.key);
        else this.#connections.replace(route.channel.key, `no ${type} comes on it`);
    }
  }

  protected override carries(type: DataType): boolean {
    const watched = [...this.#watched.values()].filter(({ route }) => route.channel.dataType === type);
    const live = watched.filter(({ connection, subscribed }) => connection === 'live' && subscribed);
    return super.carries(type) || (live.length > 0 && live.length === watched.length);
  }

  protected override linkFacts(): LinkFacts {
    const carrying = this.#connections.carrying([...this.#watched.keys()]);
    const times = (read: (connection: (typeof carrying)[number]) => number | null) =>
      carrying.flatMap((connection) => read(connection) ?? []);
    const heartbeats = times((connection) => connection.lastHeartbeatAt);
    const connected = times((connection) => connection.connectedAt);
    return {
      heartbeatAt: heartbeats.length === 0 ? null : Math.max(...heartbeats),
      connectedAt: connected.length === 0 ? null : Math.min(...connected),
      reconnectAttempts: Math.max(0, ...carrying.map((connection) => connection.reconnectAttempts)),
    };
  }

  protected override ownIssues(): readonly string[] {
    return [...this.#watched.values()].flatMap(({ route, refusal, connection, message }) => {
      if (refusal !== null) return [`The exchange refused ${route.channel.key} (${refusal})`];
      return connection === 'refused' ? [`No ${route.channel.dataType}: ${message}`] : [];
    });
  }

  /** What the sockets tell; everything is told only of channels that are watched. */
  readonly #listener: ChannelListener = {
    data: (frame) => this.#read(frame),
    subscribed: (key) => this.#hear([key], (watched) => this.#subscribed(watched)),
    refused: (key, code, message) =>
      this.#hear([key], (watched) => {
        watched.refusal = `${code} ${message}`;
        this.trouble('refused', `${key}: ${code} ${message}`);
      }),
    connection: (keys, state, message) =>
      this.#hear(keys, (watched) => {
        watched.connection = state;
        watched.message = message;
        if (state === 'live') return;
        watched.subscribed = false;
        if (watched.route.channel.dataType === DataType.ORDERBOOK) this.#book?.lost();
      }),
    trouble: (reason, detail) => this.trouble(reason, detail),
  };

  #hear(keys: readonly string[], hear: (watched: Watched) => void): void {
    for (const key of keys) {
      const watched = this.#watched.get(key);
      if (watched) hear(watched);
    }
    this.#judge();
  }

  #subscribed(watched: Watched): void {
    watched.refusal = null;
    if (!watched.subscribed) this.beginStream(watched.route.channel.dataType);
    watched.subscribed = true;
  }

  #read(frame: DataFrame): void {
    const channel = this.#watched.get(frame.channel)?.route.channel;
    if (!channel) return;
    this.countMessage(frame.rejected.length === 0);
    if (frame.rejected.length === 0) this.#remedies.delete(channel.dataType);
    for (const { reason, detail } of frame.rejected) this.trouble(reason, detail);
    if (frame.kind === 'book') for (const change of frame.changes) this.#book?.accept(change);
    else
      for (const event of frame.events)
        this.emit(this.#tickerParts.length > 1 && event.kind === 'ticker' ? this.#merged(channel, event) : event);
  }

  /** Where an exchange spreads its ticker over several channels, each event is completed by the newest payloads of the others. */
  #merged(channel: Channel, event: MarketEvent): MarketEvent {
    this.#tickerPayloads.set(channel.key, event.raw);
    const route = this.#watched.get(channel.key)?.route;
    if (!route) return event;
    let payload = {};
    for (const key of this.#tickerParts)
      payload = { ...payload, ...(this.#tickerPayloads.get(key) as object | undefined) };
    return {
      ...this.#connections.adapter.readPayload(payload, route, event.receivedAt),
      exchangeTime: event.exchangeTime,
    };
  }

  #openBook(nativeSymbol: string): OrderBookStream {
    const { clock, random } = this.#environment;
    return new OrderBookStream({
      exchange: this.exchange,
      symbol: this.symbol,
      adapter: this.#connections.adapter,
      clock,
      random,
      fetchSnapshot: (signal) => this.#connections.orderBook(nativeSymbol, signal),
      resubscribe: () => {
        for (const { route } of this.#watched.values())
          if (route.channel.dataType === DataType.ORDERBOOK) this.#connections.resubscribe(route.channel.key);
      },
      publish: (book) => this.emit(book),
      trouble: (reason, detail) => this.trouble(reason, detail),
    });
  }

  /** The state that follows from the channels. A refused login or channel stops its own data only. */
  #judge(): void {
    if (this.state === 'stopping' || this.state === 'stopped' || this.#watched.size === 0) return;
    const all = [...this.#watched.values()];
    const alive = all.filter(({ refusal, connection }) => refusal === null && connection !== 'refused');
    const failed = alive.find(({ connection }) => connection === 'failed');
    const waiting = alive.find(({ connection, subscribed }) => connection !== 'live' || !subscribed);
    if (alive.length === 0) this.#settle('error', 'the exchange refuses everything that was asked for');
    else if (failed) this.#settle('error', failed.message);
    else if (!waiting) this.#settle('running', 'collecting');
    else if (this.state === 'running' || this.state === 'error' || waiting.connection === 'reconnecting')
      this.become('reconnecting', waiting.message || 'waiting for the exchange');
  }

  #settle(state: 'running' | 'error', message: string): void {
    this.become(state, message);
    this.#settled.resolve();
  }
}
