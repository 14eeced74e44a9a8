import type { Channel, ConnectionConfig, Credentials, Endpoint, ExchangeAdapter, Route } from '../exchanges/adapter.ts';
import type { Clock, Random } from '../runtime/clock.ts';
import type { Gate } from '../runtime/gate.ts';
import type { Log } from '../runtime/log.ts';
import { Attempts } from './attempts.ts';
import { CarriedChannels, type ChannelListener, type ConnectionState } from './carried-channels.ts';
import { type DataFrame, Link, type LinkEnd } from './link.ts';
import type { RateLimit } from './rate-limit.ts';
import { RequestBatch } from './request-batch.ts';
import type { OpenSocket } from './socket.ts';

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

/** The next socket has this long to carry everything; then another one is tried. */
const HANDOVER_TIMEOUT_MS = 20_000;
/** A socket younger than this is not replaced for its silence. */
const YOUNG_MS = 300_000;
/** Without data for this long a socket has nothing to lose. */
const MUTE_MS = 5_000;
/** A replaced socket is read for this long: what was under way on it is not lost. */
const OVERLAP_MS = 1_000;
/** Share of a socket's hourly requests that is used before it is replaced; the rest is for what cannot wait. */
const REQUESTS_USED = 0.9;

/**
 * A place for channels that outlives its sockets: reconnects with jittered back-off, subscribes everything again, and
 * replaces a socket that is about to be closed before it goes (both deliver for a moment; trades are unique by id).
 */
export class Connection implements Disposable {
  readonly #options: ConnectionOptions;
  readonly #carried = new CarriedChannels();
  readonly #disposing = new AbortController();
  readonly #timers: Disposable[];
  #current: Link | null = null;
  #next: Link | null = null;
  /** Replaced at `since` (monotonic ms), and closed soon. */
  #old: { readonly link: Link; since: number } | null = null;
  #handover: AbortController | null = null;
  #state: ConnectionState = 'connecting';
  #message = 'opening the first socket';
  #connectedAt: number | null = null;
  readonly #attempts: Attempts;
  readonly #requests = new RequestBatch((left, asked) => this.#send(left, asked));

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { connection, clock, random } = options;
    this.#attempts = new Attempts(clock, random, connection.reconnect_delay * 1_000);
    const tickMs = Math.min(1_000, connection.ping_interval * 250, connection.pong_timeout * 250);
    this.#timers = [clock.every(tickMs, () => this.#tick()), options.gate.onChange((open) => this.#setReading(open))];
    void this.#connect(0);
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint;
  }

  get channelCount(): number {
    return this.#carried.size;
  }

  /** Attempts in a row without an answer of the exchange. */
  get reconnectAttempts(): number {
    return this.#attempts.failures;
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
    return this.#carried.size + channels <= this.#options.adapter.limits.channelsPerSocket && !this.#requestsUsed;
  }

  /** Carries a channel for a listener. A second listener shares the subscription. */
  want(route: Route, listener: ChannelListener): void {
    const { key } = route.channel;
    if (this.#carried.add(route, listener)) this.#requests.ask(key);
    if (this.#state === 'failed' || this.#state === 'refused') this.#revive();
    listener.connection([key], this.#state, this.#message);
    if (this.#carried.status(key) === 'subscribed') listener.subscribed(key);
  }

  /** The last listener's leaving unsubscribes. Repeating changes nothing. */
  unwant(key: string, listener: ChannelListener): void {
    const channel = this.#carried.remove(key, listener);
    if (channel) this.#requests.leave(channel);
  }

  /**
   * Subscribes one channel again, also one that was refused; its neighbours do not notice. False when that cannot be done
   * now: there is no socket, nobody reads it, or everything is subscribed anew anyway.
   */
  resubscribe(key: string): boolean {
    if (!this.#current?.ready || !this.#options.gate.open || this.#handover) return false;
    const wasRefused = this.#carried.askAgain(key);
    const [channel] = this.#carried.channels([key]);
    if (!channel) return false;
    if (this.#requestsUsed) void this.#handOver(this.#current, 'its requests of this hour are used up');
    else {
      if (!wasRefused) this.#requests.leave(channel);
      this.#requests.ask(key);
    }
    return true;
  }

  /**
   * Moves everything to a new socket; nothing is lost. Not when the present one was opened since `openedBefore` (monotonic
   * ms); without that, not while it is young, so that it can be asked for often.
   */
  replace(reason: string, openedBefore: number | null = null): void {
    const { clock, gate } = this.#options;
    if (!this.#current?.ready || !gate.open) return;
    if (this.#current.openedAt > (openedBefore ?? clock.monotonic() - YOUNG_MS)) return;
    void this.#handOver(this.#current, reason);
  }

  /** Cuts a socket on which no data comes at all and opens another; where some comes, replaces it, for the neighbours' sake. */
  reconnect(reason: string, openedBefore: number): void {
    const { clock, gate } = this.#options;
    if (!this.#current || !gate.open || this.#current.openedAt > openedBefore) return;
    if (clock.monotonic() - this.#current.dataAt < MUTE_MS) this.replace(reason, openedBefore);
    else this.#current.abandon(reason);
  }

  [Symbol.dispose](): void {
    if (this.#disposing.signal.aborted) return;
    this.#disposing.abort();
    this.#handover?.abort();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const link of this.#everyLink()) link.close();
  }

  get #requestsUsed(): boolean {
    const { requestsPerHour } = this.#options.adapter.limits;
    return (this.#current?.requestsThisHour ?? 0) >= requestsPerHour * REQUESTS_USED;
  }

  #everyLink(): readonly Link[] {
    return [this.#current, this.#next, this.#old?.link].filter((link) => link != null);
  }

  #send(left: readonly Channel[], asked: readonly string[]): void {
    if (this.#disposing.signal.aborted) return;
    for (const link of [this.#current, this.#next]) {
      if (!link?.ready) continue;
      link.unsubscribe(left);
      link.subscribe(this.#carried.channels(asked));
    }
  }

  async #connect(waitMs: number): Promise<void> {
    const { clock, connects } = this.#options;
    const { signal } = this.#disposing;
    try {
      await clock.sleep(waitMs, signal);
      await connects.take(1, signal);
      signal.throwIfAborted();
    } catch {
      return; // disposed while waiting
    }
    this.#current = this.#open();
  }

  #open(): Link {
    return new Link({
      ...this.#options,
      routes: this.#carried.routes,
      handlers: {
        ready: (link) => this.#ready(link),
        data: (link, frame) => this.#data(link, frame),
        subscribed: (link, keys) => this.#subscribed(link, keys),
        refused: (link, key, code, message) => this.#refused(link, key, code, message),
        unreadable: (_link, reason, detail) => this.#carried.tell((listener) => listener.trouble(reason, detail)),
        closingSoon: (link, reason) => void this.#handOver(link, reason),
        ended: (link, end) => this.#ended(link, end),
      },
    });
  }

  #ready(link: Link): void {
    if (!this.#options.gate.open) link.setReading(false);
    link.subscribe(this.#carried.channels(this.#carried.keys));
    if (link === this.#current) {
      this.#options.log.info('Connected', { endpoint: this.endpoint });
      this.#become('live', 'connected');
    }
    this.#completeHandOver(link);
  }

  #data(link: Link, frame: DataFrame): void {
    this.#attempts.data();
    this.#carried.data(frame, link, link === (this.#next ?? this.#current));
  }

  #subscribed(link: Link, keys: readonly string[]): void {
    this.#attempts.answered();
    this.#carried.subscribed(keys);
    this.#completeHandOver(link);
  }

  #refused(link: Link, key: string, code: string, message: string): void {
    this.#options.log.warn('The exchange refused a subscription', { channel: key, code, reason: message });
    this.#carried.refused(key, code, message);
    this.#completeHandOver(link);
  }

  #ended(link: Link, end: LinkEnd): void {
    this.#carried.forget(link);
    if (link === this.#old?.link) this.#old = null;
    if (link === this.#next) {
      this.#next = null;
      this.#options.log.warn('The next socket ended early', { endpoint: this.endpoint, reason: end.message });
    }
    if (link !== this.#current) return;
    const { connection, log } = this.#options;
    if (this.#next?.ready) return this.#promote(this.#next);
    this.#attempts.failed();
    this.#handover?.abort();
    this.#next?.close();
    this.#next = null;
    this.#current = null;
    this.#carried.interrupted();
    if (!end.retry || this.#attempts.failures > connection.max_reconnect_attempts) {
      const message = end.retry
        ? `gave up after ${connection.max_reconnect_attempts} attempts: ${end.message}`
        : end.message;
      log.error('Connection failed', { endpoint: this.endpoint, reason: message });
      return this.#become(end.retry ? 'failed' : 'refused', message);
    }
    const wait = this.#attempts.nextWaitMs();
    log.warn('Connection lost', {
      endpoint: this.endpoint,
      reason: end.message,
      attempt: this.#attempts.failures,
      waitMs: Math.round(wait),
    });
    this.#become('reconnecting', end.message);
    void this.#connect(wait);
  }

  #revive(): void {
    this.#attempts.answered();
    this.#become('reconnecting', 'trying again');
    void this.#connect(0);
  }

  /** Opens the next socket while the old one still delivers; tries until it carries everything or the old one is gone. */
  async #handOver(link: Link, reason: string): Promise<void> {
    if (link !== this.#current || this.#handover) return;
    const { connects, log, clock, gate } = this.#options;
    log.info('Replacing a socket', { endpoint: this.endpoint, reason });
    const handover = new AbortController();
    this.#handover = handover;
    try {
      for (;;) {
        await connects.take(1, handover.signal);
        handover.signal.throwIfAborted();
        this.#next = this.#open();
        do await clock.sleep(HANDOVER_TIMEOUT_MS, handover.signal);
        while (!gate.open); // nobody reads its answers
        log.warn('The next socket did not become ready in time', { endpoint: this.endpoint });
        this.#closeNext();
      }
    } catch (error) {
      if (!handover.signal.aborted) throw error; // else done, or the old socket is gone
    } finally {
      if (this.#handover === handover) this.#handover = null;
    }
  }

  #closeNext(): void {
    if (!this.#next) return;
    this.#carried.forget(this.#next);
    this.#next.close();
    this.#next = null;
  }

  #completeHandOver(next: Link): void {
    if (next !== this.#next || !next.settled) return;
    this.#old?.link.close();
    this.#old = this.#current && { link: this.#current, since: this.#options.clock.monotonic() };
    this.#promote(next);
  }

  #promote(next: Link): void {
    this.#current = next;
    this.#next = null;
    this.#handover?.abort();
    this.#handover = null;
    this.#become('live', 'moved to the next socket');
  }

  #tick(): void {
    const { adapter, clock, gate } = this.#options;
    if (!gate.open) return;
    this.#next?.tick();
    this.#current?.tick();
    if (this.#old && clock.monotonic() - this.#old.since > OVERLAP_MS) {
      this.#carried.forget(this.#old.link);
      this.#old.link.close();
      this.#old = null;
    }
    const current = this.#current;
    if (current?.ready && clock.monotonic() - current.openedAt > adapter.limits.socketLifeMs)
      void this.#handOver(current, 'the exchange closes sockets of this age');
  }

  #setReading(reading: boolean): void {
    for (const link of this.#everyLink()) link.setReading(reading);
    if (this.#old) this.#old.since = this.#options.clock.monotonic();
  }

  #become(state: ConnectionState, message: string): void {
    this.#connectedAt = state === 'live' ? this.#options.clock.now() : null;
    this.#state = state;
    this.#message = message;
    this.#carried.tell((listener, keys) => listener.connection(keys, state, message));
  }
}
