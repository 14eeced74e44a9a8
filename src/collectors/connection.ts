import type { Channel, ConnectionConfig, Credentials, Endpoint, ExchangeAdapter, Route } from '../exchanges/adapter.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Gate } from '../runtime/gate.ts';
import type { Log } from '../runtime/log.ts';
import { backoffMs } from './backoff.ts';
import { type DataFrame, Link, type LinkEnd } from './link.ts';
import type { RateLimit } from './rate-limit.ts';
import type { OpenSocket } from './socket.ts';

/**
 * connecting, reconnecting: no data comes, it is being worked on. failed: the attempts are used up. refused: the login
 * is not accepted, trying again cannot help. A new `want` tries again in both.
 */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'failed' | 'refused';

/** What a collector hears about one of its channels. */
export interface ChannelListener {
  data(frame: DataFrame): void;
  subscribed(key: string): void;
  refused(key: string, code: string, message: string): void;
  /** The socket that carries the channel changed its state; told once at the beginning too. */
  connection(state: ConnectionState, message: string): void;
  /** Something on the socket could not be read, and belongs to nobody in particular. */
  trouble(reason: string, detail: string): void;
}

export interface ConnectionOptions {
  readonly adapter: ExchangeAdapter;
  readonly connection: ConnectionConfig;
  readonly endpoint: Endpoint;
  readonly credentials: Credentials | null;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly gate: Gate;
  /** New sockets of the whole exchange per second. */
  readonly connects: RateLimit;
}

interface Carried {
  readonly route: Route;
  readonly listeners: Set<ChannelListener>;
  /** The link whose order-book frames count; during a handover the old one until the new one has sent a frame. */
  carrier: Link | null;
  refused: boolean;
}

/** Good data for this long makes the next break a first break again. */
const GOOD_DATA_MS = 30_000;
const HANDOVER_TIMEOUT_MS = 20_000;
/** Share of a socket's hourly requests after which new channels go elsewhere; the rest is for subscribing again. */
const REQUESTS_USED = 0.9;

/**
 * A place for channels that outlives its sockets: reconnects with jittered back-off, subscribes everything again, and
 * replaces a socket that is about to be closed before it goes (both deliver for a moment; trades are unique by id).
 */
export class Connection implements Disposable {
  readonly #options: ConnectionOptions;
  readonly #carried = new Map<string, Carried>();
  readonly #routes = new Map<string, Route>();
  readonly #disposing = new AbortController();
  readonly #timers: Disposable[];
  #current: Link | null = null;
  #next: Link | null = null;
  #state: ConnectionState = 'connecting';
  #message = 'opening the first socket';
  /** Attempts in a row that brought no data. */
  #failures = 0;
  /** Grows with every break, falls to 0 after GOOD_DATA_MS of data. */
  #breaks = 0;
  #liveSince: number | null = null;
  #connectedAt: number | null = null;
  #flushing = false;
  readonly #pending = new Set<string>();

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const tickMs = Math.min(1_000, options.connection.ping_interval * 250, options.connection.pong_timeout * 250);
    this.#timers = [
      options.clock.every(tickMs, () => this.#tick()),
      options.gate.onChange((open) => this.#setReading(open)),
    ];
    void this.#connect(0);
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint;
  }

  get channelCount(): number {
    return this.#carried.size;
  }

  /** Consecutive attempts without data. */
  get reconnectAttempts(): number {
    return this.#failures;
  }

  /** Wall time in ms of the exchange's last sign of life on the present socket; null before the first. */
  get lastHeartbeatAt(): number | null {
    return this.#current?.lastInboundAt ?? null;
  }

  /** Wall time in ms when the present socket became usable; null while there is none. */
  get connectedAt(): number | null {
    return this.#connectedAt;
  }

  has(key: string): boolean {
    return this.#carried.has(key);
  }

  /** Whether it can take so many more channels within the exchange's limits of one socket. */
  hasRoomFor(channels: number): boolean {
    const { channelsPerSocket, requestsPerHour } = this.#options.adapter.limits;
    const hasRequests = (this.#current?.requests ?? 0) < requestsPerHour * REQUESTS_USED;
    return this.#carried.size + channels <= channelsPerSocket && hasRequests;
  }

  /** Carries a channel for a listener. A second listener shares the subscription. */
  want(route: Route, listener: ChannelListener): void {
    const { key } = route.channel;
    const carried = this.#carried.get(key);
    if (carried && !carried.refused) carried.listeners.add(listener);
    else {
      this.#carried.set(key, {
        route,
        listeners: new Set([...(carried?.listeners ?? []), listener]),
        carrier: null,
        refused: false,
      });
      this.#routes.set(key, route);
      this.#ask(key);
    }
    if (this.#state === 'failed' || this.#state === 'refused') this.#revive();
    listener.connection(this.#state, this.#message);
  }

  /** The last listener's leaving unsubscribes. Repeating changes nothing. */
  unwant(key: string, listener: ChannelListener): void {
    const carried = this.#carried.get(key);
    if (!carried?.listeners.delete(listener) || carried.listeners.size > 0) return;
    this.#carried.delete(key);
    this.#routes.delete(key);
    this.#pending.delete(key);
    if (!carried.refused) for (const link of this.#links()) link.unsubscribe([carried.route.channel]);
  }

  /** Subscribes one channel again; its neighbours do not notice. */
  resubscribe(key: string): void {
    const carried = this.#carried.get(key);
    if (!carried || !this.#current?.ready) return;
    this.#current.unsubscribe([carried.route.channel]);
    this.#ask(key);
  }

  [Symbol.dispose](): void {
    if (this.#disposing.signal.aborted) return;
    this.#disposing.abort();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const link of this.#links()) link.close();
  }

  #links(): readonly Link[] {
    return [this.#current, this.#next].filter((link) => link !== null);
  }

  /** Channels wanted in the same turn share one request. */
  #ask(key: string): void {
    this.#pending.add(key);
    if (this.#flushing) return;
    this.#flushing = true;
    queueMicrotask(() => {
      this.#flushing = false;
      const channels = this.#channels([...this.#pending]);
      this.#pending.clear();
      if (this.#disposing.signal.aborted) return;
      for (const link of this.#links()) if (link.ready) link.subscribe(channels);
    });
  }

  #channels(keys: Iterable<string>): readonly Channel[] {
    return [...keys].flatMap((key) => {
      const carried = this.#carried.get(key);
      return carried && !carried.refused ? [carried.route.channel] : [];
    });
  }

  async #connect(waitMs: number): Promise<void> {
    const { clock, connects } = this.#options;
    try {
      await clock.sleep(waitMs, this.#disposing.signal);
      await connects.take(1, this.#disposing.signal);
    } catch {
      return; // disposed while waiting
    }
    this.#current = this.#open();
  }

  #open(): Link {
    return new Link({
      ...this.#options,
      routes: this.#routes,
      handlers: {
        ready: (link) => this.#ready(link),
        data: (link, frame) => this.#data(link, frame),
        subscribed: (link, keys) => this.#subscribed(link, keys),
        refused: (_link, key, code, message) => this.#refused(key, code, message),
        unreadable: (_link, reason, detail) => this.#everyListener((listener) => listener.trouble(reason, detail)),
        closingSoon: (link, reason) => void this.#handOver(link, reason),
        ended: (link, end) => this.#ended(link, end),
      },
    });
  }

  #ready(link: Link): void {
    if (!this.#options.gate.open) link.setReading(false);
    this.#pending.clear();
    link.subscribe(this.#channels(this.#carried.keys()));
    if (link === this.#current) this.#become('live', 'connected');
  }

  #data(link: Link, frame: DataFrame): void {
    const carried = this.#carried.get(frame.channel);
    if (!carried) return;
    if (this.#liveSince === null) {
      this.#liveSince = this.#options.clock.monotonic();
      this.#failures = 0;
    }
    if (frame.kind === 'book') {
      if (link === this.#next || carried.carrier === null) carried.carrier = link;
      if (link !== carried.carrier) return;
    }
    for (const listener of carried.listeners) listener.data(frame);
  }

  #subscribed(link: Link, keys: readonly string[]): void {
    this.#failures = 0;
    for (const key of keys) for (const listener of this.#carried.get(key)?.listeners ?? []) listener.subscribed(key);
    if (link === this.#next && link.settled) this.#completeHandOver(link);
  }

  #refused(key: string, code: string, message: string): void {
    const carried = this.#carried.get(key);
    if (!carried) return;
    carried.refused = true;
    this.#options.log.warn('The exchange refused a subscription', { channel: key, code, reason: message });
    for (const listener of carried.listeners) listener.refused(key, code, message);
  }

  #ended(link: Link, end: LinkEnd): void {
    if (link === this.#next) {
      this.#next = null;
      return;
    }
    if (link !== this.#current) return;
    const { clock, random, connection, log } = this.#options;
    if (this.#liveSince !== null && clock.monotonic() - this.#liveSince > GOOD_DATA_MS) this.#breaks = 0;
    this.#liveSince = null;
    for (const carried of this.#carried.values()) carried.carrier = null;
    if (this.#next?.ready) return this.#promote(this.#next);
    this.#next?.close();
    this.#next = null;
    this.#current = null;
    this.#failures += 1;
    if (!end.retry || this.#failures > connection.max_reconnect_attempts) {
      const message = end.retry
        ? `gave up after ${connection.max_reconnect_attempts} attempts: ${end.message}`
        : end.message;
      log.error('Connection failed', { endpoint: this.endpoint, reason: message });
      return this.#become(end.retry ? 'failed' : 'refused', message);
    }
    const wait = backoffMs(this.#breaks++, connection.reconnect_delay * 1_000, random);
    log.warn('Connection lost', {
      endpoint: this.endpoint,
      reason: end.message,
      attempt: this.#failures,
      waitMs: Math.round(wait),
    });
    this.#become('reconnecting', end.message);
    void this.#connect(wait);
  }

  #revive(): void {
    this.#failures = 0;
    this.#become('reconnecting', 'trying again');
    void this.#connect(0);
  }

  /** Opens the next socket while the old one still delivers. */
  async #handOver(link: Link, reason: string): Promise<void> {
    if (link !== this.#current || this.#next) return;
    const { connects, log, clock } = this.#options;
    log.info('Replacing a socket before it closes', { endpoint: this.endpoint, reason });
    const next = this.#open();
    this.#next = next;
    connects.reserve();
    await clock.sleep(HANDOVER_TIMEOUT_MS, this.#disposing.signal).catch(() => undefined);
    if (this.#next !== next) return;
    log.warn('The next socket did not become ready in time', { endpoint: this.endpoint });
    this.#next = null;
    next.close();
  }

  #completeHandOver(next: Link): void {
    const old = this.#current;
    this.#promote(next);
    old?.close();
  }

  #promote(next: Link): void {
    this.#current = next;
    this.#next = null;
    for (const carried of this.#carried.values()) if (carried.carrier !== next) carried.carrier = null;
    this.#become('live', 'moved to the next socket');
  }

  #tick(): void {
    const { adapter, clock, gate } = this.#options;
    if (!gate.open) return;
    for (const link of this.#links()) link.tick();
    const current = this.#current;
    if (current?.ready && clock.monotonic() - current.openedAt > adapter.limits.socketLifeMs)
      void this.#handOver(current, 'the exchange closes sockets of this age');
  }

  #setReading(reading: boolean): void {
    for (const link of this.#links()) link.setReading(reading);
  }

  #become(state: ConnectionState, message: string): void {
    this.#connectedAt = state === 'live' ? this.#options.clock.now() : null;
    this.#state = state;
    this.#message = message;
    this.#everyListener((listener) => listener.connection(state, message));
  }

  #everyListener(tell: (listener: ChannelListener) => void): void {
    const told = new Set<ChannelListener>();
    for (const carried of this.#carried.values()) for (const listener of carried.listeners) told.add(listener);
    for (const listener of told) tell(listener);
  }
}
