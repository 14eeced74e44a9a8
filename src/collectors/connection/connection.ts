import type {
  Channel,
  ConnectionConfig,
  Credentials,
  Endpoint,
  ExchangeAdapter,
  Route,
} from '../../exchanges/adapter.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import type { Gate } from '../../runtime/gate.ts';
import type { Log } from '../../runtime/log.ts';
import type { Tracer } from '../../runtime/tracing.ts';
import type { RateLimit } from '../pacing/rate-limit.ts';
import { CarriedChannels, type ChannelListener, type ConnectionState } from './carried-channels.ts';
import { withConnectSpan } from './connect-span.ts';
import { Handover } from './handover.ts';
import { Link } from './link.ts';
import type { DataFrame, LinkEnd } from './link-handlers.ts';
import { Reconnecting } from './reconnecting.ts';
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
  readonly tracer: Tracer;
  /** New sockets of the whole exchange per second. */
  readonly connects: RateLimit;
}

/** A socket younger than this is not replaced for its silence. */
const YOUNG_MS = 300_000;
/** Without data for this long a socket has nothing to lose. */
const MUTE_MS = 5_000;
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
  readonly #tickMs: number;
  #current: Link | null = null;
  #handover: Handover | null = null;
  #state: ConnectionState = 'connecting';
  #message = 'opening the first socket';
  #connectedAt: number | null = null;
  readonly #reconnecting: Reconnecting;
  readonly #requests = new RequestBatch((left, asked) => this.#send(left, asked));

  constructor(options: ConnectionOptions) {
    this.#options = options;
    const { connection, clock } = options;
    this.#reconnecting = new Reconnecting(options);
    this.#tickMs = Math.min(1_000, connection.ping_interval * 250, connection.pong_timeout * 250);
    this.#timers = [
      clock.every(this.#tickMs, () => this.#tick()),
      options.gate.onChange((open) => this.#setReading(open)),
    ];
    void this.#connect();
  }

  get endpoint(): Endpoint {
    return this.#options.endpoint;
  }

  get channelCount(): number {
    return this.#carried.size;
  }

  /** Attempts in a row without an answer of the exchange. */
  get reconnectAttempts(): number {
    return this.#reconnecting.attempts.failures;
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
    if (this.#state === 'failed' || this.#state === 'refused') {
      this.#reconnecting.attempts.reset();
      this.#revive();
    }
    listener.connection([key], this.#state, this.#message);
    if (this.#carried.status(key) === 'subscribed') listener.subscribed(key);
  }

  /** One more attempt after the attempts were used up, when it is time to; repeating changes nothing. */
  retry(): void {
    if (this.#state === 'failed') this.#revive();
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
    if (this.#requestsUsed) this.#handOver(this.#current, 'its requests of this hour are used up');
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
    this.#handOver(this.#current, reason);
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
    this.#handover?.[Symbol.dispose]();
    for (const timer of this.#timers) timer[Symbol.dispose]();
    for (const link of this.#everyLink()) link.close();
  }

  get #requestsUsed(): boolean {
    const { requestsPerHour } = this.#options.adapter.limits;
    return (this.#current?.requestsThisHour ?? 0) >= requestsPerHour * REQUESTS_USED;
  }

  #everyLink(): readonly Link[] {
    return [this.#current, this.#handover?.next].filter((link) => link != null);
  }

  #send(left: readonly Channel[], asked: readonly string[]): void {
    if (this.#disposing.signal.aborted) return;
    for (const link of this.#everyLink()) {
      if (!link.ready) continue;
      link.unsubscribe(left);
      link.subscribe(this.#carried.channels(asked));
    }
  }

  async #connect(): Promise<void> {
    if (await this.#reconnecting.turn(this.#disposing.signal)) this.#current = this.#open();
  }

  #open(): Link {
    return new Link({
      ...this.#options,
      tickMs: this.#tickMs,
      routes: this.#carried.routes,
      handlers: withConnectSpan(this.#options, {
        ready: (link) => this.#ready(link),
        data: (link, frame) => this.#data(link, frame),
        subscribed: (_link, keys) => this.#subscribed(keys),
        refused: (_link, key, code, message) => this.#refused(key, code, message),
        unreadable: (_link, reason, detail) => this.#carried.first?.trouble(reason, detail),
        closingSoon: (link, reason) => this.#handOver(link, reason),
        ended: (link, end) => this.#ended(link, end),
        closed: () => {},
      }),
    });
  }

  #ready(link: Link): void {
    this.#reconnecting.attempts.opened();
    if (!this.#options.gate.open) link.setReading(false);
    link.subscribe(this.#carried.channels(this.#carried.keys));
    if (link === this.#current) {
      this.#options.log.info('Connected', { endpoint: this.endpoint });
      this.#become('live', 'connected');
    }
  }

  #data(link: Link, frame: DataFrame): void {
    this.#reconnecting.attempts.data();
    this.#handover?.data(link, frame);
    this.#carried.data(frame, link, link === (this.#handover?.next ?? this.#current));
  }

  #subscribed(keys: readonly string[]): void {
    this.#reconnecting.attempts.answered();
    this.#carried.subscribed(keys);
  }

  #refused(key: string, code: string, message: string): void {
    this.#options.log.warn('The exchange refused a subscription', { channel: key, code, reason: message });
    this.#carried.refused(key, code, message);
  }

  #ended(link: Link, end: LinkEnd): void {
    this.#carried.forget(link);
    if (link === this.#handover?.next) this.#handover.nextEnded(end.message);
    if (link !== this.#current) return;
    const { next } = this.#handover ?? {};
    const lastSignAt = link.lastInboundAt ?? undefined;
    if (next?.ready) {
      this.#promote(next);
      return this.#carried.interrupted(next.unanswered, end.message, lastSignAt);
    }
    this.#handover?.[Symbol.dispose]();
    this.#handover = null;
    next?.close();
    this.#current = null;
    this.#carried.lost();
    const { state, message } = this.#reconnecting.lost(end);
    this.#become(state, message, lastSignAt);
    if (state === 'reconnecting') void this.#connect();
  }

  #revive(): void {
    const { state, message } = this.#reconnecting.revived();
    this.#become(state, message);
    void this.#connect();
  }

  /** Opens the next socket while the old one still delivers. */
  #handOver(link: Link, reason: string): void {
    if (link !== this.#current || this.#handover) return;
    this.#handover = new Handover({
      ...this.#options,
      reason,
      open: () => this.#open(),
      close: (next) => {
        this.#carried.forget(next);
        next.close();
      },
    });
  }

  #promote(next: Link): void {
    const old = this.#current;
    this.#handover?.[Symbol.dispose]();
    this.#handover = null;
    this.#current = next;
    if (old) this.#carried.forget(old);
    old?.close();
    this.#become('live', 'moved to the next socket');
    if (next.closingReason !== null) this.#handOver(next, next.closingReason);
  }

  #tick(): void {
    const { adapter, clock, gate } = this.#options;
    if (!gate.open) return;
    for (const link of this.#everyLink()) link.tick();
    const proven = this.#handover?.tick();
    if (proven) this.#promote(proven);
    const current = this.#current;
    if (current?.ready && clock.monotonic() - current.openedAt > adapter.limits.socketLifeMs)
      this.#handOver(current, 'the exchange closes sockets of this age');
  }

  #setReading(reading: boolean): void {
    for (const link of this.#everyLink()) link.setReading(reading);
    if (reading) this.#handover?.resumed();
  }

  #become(state: ConnectionState, message: string, lastSignAt?: number): void {
    this.#connectedAt = state === 'live' ? this.#options.clock.now() : null;
    this.#state = state;
    this.#message = message;
    this.#carried.tell((listener, keys) => listener.connection(keys, state, message, lastSignAt));
  }
}
