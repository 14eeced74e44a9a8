import { DataType } from '../market/data-type.ts';
import { AppError } from '../runtime/errors.ts';
import { BaseDataCollector } from './base-data-collector.ts';
import type { LinkFacts } from './collector-counters.ts';
import type { CollectorEnvironment } from './collector-environment.ts';
import type { ExchangeCollectorConfig } from './collector-status.ts';
import type { ChannelListener } from './connection/carried-channels.ts';
import type { ExchangeConnections } from './connection/exchange-connections.ts';
import type { DataFrame } from './connection/link-handlers.ts';
import { OrderBookStream } from './order-book-stream.ts';
import { TickerParts } from './ticker-parts.ts';
import { Remedies, type RemedyPorts } from './watch/remedies.ts';
import type { StreamMonitor } from './watch/stream-monitor.ts';
import { StreamWatch } from './watch/stream-watch.ts';
import { TradeProbe } from './watch/trade-probe.ts';
import { type Watched, WatchedChannels } from './watch/watched-channels.ts';

/** Configured channel names per data type; the exchange's default where one is missing. */
export type ChannelNames = Readonly<Partial<Record<DataType, string>>>;

/** A caller of start waits this long for the exchange; after it the collector goes on by itself. */
const START_WAIT_MS = 4_500;
/** Collects one symbol of an exchange with an adapter, over sockets it shares with the exchange's other collectors. */
export class ExchangeCollector extends BaseDataCollector {
  readonly #environment: CollectorEnvironment;
  readonly #connections: ExchangeConnections;
  readonly #channelNames: ChannelNames;
  #watched = new WatchedChannels([]);
  #book: OrderBookStream | null = null;
  #ticker: TickerParts | null = null;
  #probe: TradeProbe | null = null;
  #watch: StreamWatch | null = null;
  readonly #remedies: Remedies;
  #settled = Promise.withResolvers<void>();

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
    this.#remedies = new Remedies(this.#remedyPorts, environment.clock, environment.random);
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
    this.#ticker = new TickerParts(adapter, routes);
    this.#book = this.#openBook(nativeSymbol);
    this.#probe = this.#openProbe(nativeSymbol);
    this.#watch = this.#openWatch(this.#probe);
    this.#watched = new WatchedChannels(routes);
    this.#remedies.clear();
    this.#connections.want(routes, this.#listener);
  }

  protected override async close(_options: { readonly force: boolean }): Promise<void> {
    const { routes } = this.#watched;
    this.#watched = new WatchedChannels([]);
    this.reportCarried('stopped');
    this.#connections.unwant(routes, this.#listener);
    this.#book?.[Symbol.dispose]();
    this.#book = null;
    this.#probe?.[Symbol.dispose]();
    this.#probe = null;
    this.#watch = null;
  }

  /** Asks the failed sockets for one more attempt each, when it is time to. */
  protected override revive(): boolean {
    const { failed } = this.#watched;
    this.#connections.retry(failed.map(({ route }) => route.channel.key));
    return failed.length > 0;
  }

  override get hasOwnBackoff(): boolean {
    return this.#watched.failed.length > 0;
  }

  protected override tend(): void {
    if (this.streams.get(DataType.ORDERBOOK)?.stalled && this.carries(DataType.ORDERBOOK)) this.#book?.growOld();
    this.#watch?.tick();
  }

  protected override get listening(): boolean {
    return this.#connections.listening;
  }

  protected override carries(type: DataType): boolean {
    return super.carries(type) || this.#watched.live(type);
  }

  protected override interruption(type: DataType): string | null {
    const waiting = this.#watched.of(type).find(({ connection, subscribed }) => connection !== 'live' || !subscribed);
    return waiting?.message ? `Reconnecting: ${waiting.message}.` : null;
  }

  protected override reportCarried(cause: string, until?: number): void {
    for (const type of this.config.dataTypes) {
      const carried = this.#watched.carried(type);
      this.streams.carry(type, carried, cause, carried ? undefined : until);
    }
  }

  protected override linkFacts(): LinkFacts {
    const carrying = this.#connections.carrying(this.#watched.keys);
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
    return this.#watched.all.flatMap(({ route, refusal, connection, message }) => {
      if (refusal !== null) return [`The exchange refused ${route.channel.key} (${refusal})`];
      return connection === 'refused' ? [`No ${route.channel.dataType}: ${message}`] : [];
    });
  }

  /** What the sockets tell; everything is told only of channels that are watched. */
  readonly #listener: ChannelListener = {
    keepsPayload: (type) => this.keepsPayload(type),
    data: (frame, at) => this.#read(frame, at),
    subscribed: (key) => this.#hear([key], 'subscribed', (watched) => this.#subscribed(watched)),
    refused: (key, code, message) =>
      this.#hear([key], `refused: ${code} ${message}`, (watched) => {
        watched.refusal = `${code} ${message}`;
        watched.renewing = false;
        this.trouble('refused', `${key}: ${code} ${message}`);
      }),
    interrupted: (key, cause, lastSignAt) => {
      const watched = this.#watched.get(key);
      if (watched?.subscribed) watched.renewing = true;
      this.reportCarried(cause, lastSignAt);
    },
    connection: (keys, state, message, lastSignAt) =>
      this.#hear(
        keys,
        message,
        (watched) => {
          watched.connection = state;
          watched.message = message;
          if (state === 'live') return;
          watched.subscribed = false;
          watched.renewing = false;
          if (watched.route.channel.dataType === DataType.ORDERBOOK) this.#book?.lost();
        },
        lastSignAt,
      ),
    trouble: (reason, detail) => this.trouble(reason, detail),
  };

  /** `until`, wall ms: when what ends by this was last known to be carried. */
  #hear(keys: readonly string[], cause: string, hear: (watched: Watched) => void, until?: number): void {
    for (const key of keys) {
      const watched = this.#watched.get(key);
      if (watched) hear(watched);
    }
    this.reportCarried(cause, until);
    this.#judge();
  }

  #subscribed(watched: Watched): void {
    const { dataType } = watched.route.channel;
    watched.refusal = null;
    watched.renewing = false;
    if (watched.subscribed) return;
    watched.subscribed = true;
    this.streams.get(dataType)?.begin();
    if (dataType === DataType.TRADE) this.#probe?.begin();
  }

  #read(frame: DataFrame, at: number): void {
    const channel = this.#watched.channel(frame.channel);
    if (!channel) return;
    this.countMessage(frame.rejected.length === 0);
    for (const { reason, detail } of frame.rejected) this.trouble(reason, detail);
    if (frame.kind === 'book') {
      if (frame.changes.length > 0) this.streams.get(DataType.ORDERBOOK)?.heard(at); // also while it waits for a snapshot
      for (const change of frame.changes) this.#book?.accept(change);
    } else
      for (const event of frame.events) {
        if (event.kind === 'trade') this.#probe?.saw(event);
        this.emit(this.#ticker?.complete(channel, event) ?? event, at);
      }
  }

  #resubscribe(type: DataType, cause: string): void {
    for (const watched of this.#watched.of(type)) {
      if (!this.#connections.resubscribe(watched.route.channel.key)) continue;
      watched.renewing = true;
      this.reportCarried(cause, this.streams.get(type)?.lastMessageAt ?? undefined);
    }
  }

  readonly #remedyPorts: RemedyPorts = {
    resubscribe: (type, cause) => this.#resubscribe(type, cause),
    replace: (type, cause, openedBefore) => {
      for (const key of this.#keysOf(type)) this.#connections.replace(key, cause, openedBefore);
    },
    reconnect: (type, cause, openedBefore) => {
      for (const key of this.#keysOf(type)) this.#connections.reconnect(key, cause, openedBefore);
    },
    refused: (type) => this.#watched.of(type).some(({ refusal }) => refusal !== null),
    acted: (stream, what, waitMs) => this.#acted(stream, what, waitMs),
  };

  #keysOf(type: DataType): readonly string[] {
    return this.#watched.of(type).map(({ route }) => route.channel.key);
  }

  #acted(stream: StreamMonitor, what: string, waitMs: number): void {
    const { reason, dataType } = stream;
    this.trouble('stalled', `${reason} Now ${what}`);
    this.#environment.log.warn('A stream stalled', { collector: this.name, stream: dataType, reason, remedy: what });
    const wait = Math.round(waitMs / 1_000);
    stream.doing(`${what[0]?.toUpperCase()}${what.slice(1)}; the next step, if it does not help, comes in ${wait} s.`);
    this.#watch?.acted(stream);
    if (dataType === DataType.TRADE) this.#probe?.remedied(waitMs);
  }

  #openProbe(nativeSymbol: string): TradeProbe | null {
    const type = DataType.TRADE;
    const [channel] = this.config.dataTypes.includes(type)
      ? this.#connections.adapter.channels(nativeSymbol, type, this.#channelNames[type])
      : [];
    if (!channel) return null;
    const route = { channel, symbol: this.symbol };
    return new TradeProbe({
      exchange: this.#connections.adapter.name,
      newestTrades: (signal) => this.#connections.newestTrades(nativeSymbol, route, signal),
      listening: () => this.#connections.listening,
      clock: this.#environment.clock,
    });
  }

  #openWatch(probe: TradeProbe | null): StreamWatch {
    return new StreamWatch({
      streams: this.streams,
      carries: (type) => this.carries(type),
      remedies: this.#remedies,
      probe,
    });
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
      resubscribe: () => this.#resubscribe(DataType.ORDERBOOK, 'its chain broke'),
      publish: (book) => this.emit(book),
      trouble: (reason, detail) => this.trouble(reason, detail),
    });
  }

  /** The state that follows from the channels. A refused login or channel stops its own data only. */
  #judge(): void {
    if (this.state === 'stopping' || this.state === 'stopped' || this.#watched.size === 0) return;
    const { alive, failed, waiting } = this.#watched.sum;
    if (alive === 0) this.#settle('error', 'the exchange refuses everything that was asked for');
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
