import type { DataType } from '../market/data-type.ts';
import type { MarketEvent } from '../market/market-event.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import { CollectorCounters, iso, type LinkFacts } from './collector-counters.ts';
import { type CollectorEnvironment, DEFAULT_ENVIRONMENT } from './collector-environment.ts';
import type { CollectorState, CollectorStatus, ExchangeCollectorConfig, HealthStatus } from './collector-status.ts';
import { type DataCallback, DataListeners } from './data-listeners.ts';
import { Operations } from './operations.ts';
import { Punctuality } from './pacing/punctuality.ts';
import { type Rejection, Rejections } from './rejections.ts';
import { type StreamListener, StreamSet } from './watch/stream-set.ts';
import type { StreamStatus } from './watch/stream-status.ts';

/** Told of every event, before the data callbacks; the recorder listens here. */
export type EventListener = (event: MarketEvent, collector: BaseDataCollector) => void;
export type StateListener = (collector: BaseDataCollector, message: string) => void;

const SILENT_CHECKS = 2;
/** How often somebody calls `relieve`. */
export const RELIEF_MS = 1_000;

/**
 * One exchange x one symbol: life, status and health, and who is told about its data. A subclass says how data comes:
 * `open` begins collecting and calls `emit`, `close` ends it.
 */
export abstract class BaseDataCollector {
  readonly config: ExchangeCollectorConfig;
  /** e.g. "okx:BTC-USDT" */
  readonly name: string;
  readonly #environment: CollectorEnvironment;
  protected readonly streams: StreamSet;
  readonly #data = new DataListeners((error) => this.trouble('callback', `a data callback threw: ${messageOf(error)}`));
  readonly #stateListeners = new Set<StateListener>();
  readonly #rejections = new Rejections();
  #state: CollectorState = 'stopped';
  #stateMessage = 'not started';
  #shouldBeRunning = false;
  readonly #operations = new Operations();
  readonly #counters = new CollectorCounters();
  readonly #punctuality: Punctuality;
  #opening: AbortController | null = null;
  #startedAt: number | null = null;

  constructor(config: ExchangeCollectorConfig, environment: CollectorEnvironment = DEFAULT_ENVIRONMENT) {
    this.config = Object.freeze({ ...config });
    this.name = `${config.exchange}:${config.symbol}`;
    this.#environment = environment;
    this.streams = new StreamSet(config.dataTypes, this.maxSilenceSeconds * 1_000, environment.clock);
    this.#punctuality = new Punctuality(environment.clock, RELIEF_MS);
  }

  /**
   * Begins collecting; resolves when data can come. A rejection puts the collector into the state `error`. `signal` aborts
   * when it is asked to stop meanwhile; `close` follows then.
   */
  protected abstract open(signal: AbortSignal): Promise<void>;

  /** Ends collecting; after it nothing is emitted. `force`: do not wait for the other side. */
  protected abstract close(options: { readonly force: boolean }): Promise<void>;

  /** What the connection says; a collector without one has nothing to add. */
  protected linkFacts(): LinkFacts {
    return { heartbeatAt: null, connectedAt: this.#startedAt, reconnectAttempts: 0 };
  }

  /** Tries again what failed and nothing else; false when everything has to be closed and opened instead. */
  protected revive(): boolean {
    return false;
  }

  /** Whether what failed waits between its own attempts, so that nobody else needs to. */
  get hasOwnBackoff(): boolean {
    return false;
  }

  /** Whether the data of a type can come now, whatever the other types do. */
  protected carries(_type: DataType): boolean {
    return this.#state === 'running';
  }

  /** Whether the other side is listened to; what it sends meanwhile waits there. */
  protected get listening(): boolean {
    return true;
  }

  /** Looks into silent streams and does something about them; called about once a second. */
  protected tend(): void {}

  /** Why the data of a type does not come, where the collector's own state does not say it. */
  protected interruption(_type: DataType): string | null {
    return null;
  }

  /** Issues of the subclass's own, e.g. refused channels. */
  protected ownIssues(): readonly string[] {
    return [];
  }

  get exchange(): string {
    return this.config.exchange;
  }

  get symbol(): string {
    return this.config.symbol;
  }

  get state(): CollectorState {
    return this.#state;
  }

  get shouldBeRunning(): boolean {
    return this.#shouldBeRunning;
  }

  get autoRestart(): boolean {
    return this.config.autoRestart ?? true;
  }

  get storeRawData(): boolean {
    return this.config.storeRawData ?? true;
  }

  /** Silence allowed before a stream counts as stalled: two health checks. */
  get maxSilenceSeconds(): number {
    return SILENT_CHECKS * (this.config.healthCheckInterval ?? 30);
  }

  /** True when it runs. Idempotent; two callers at once share one outcome. False: `getHealthStatus().issues` says why. */
  start(): Promise<boolean> {
    this.#shouldBeRunning = true;
    return this.#operations.run('start', async () => {
      if (this.#isUp()) return this.#state === 'running';
      if (this.#state === 'error') await this.#close(true);
      return this.#open();
    });
  }

  /** Idempotent. */
  stop(options: { readonly force?: boolean } = {}): Promise<void> {
    this.#shouldBeRunning = false;
    this.#opening?.abort();
    return this.#operations.run('stop', async () => {
      if (this.#state === 'stopped') return;
      await this.#close(options.force ?? false);
      this.become('stopped', 'stopped on request');
    });
  }

  /** Stops and starts; the exchange's other collectors do not notice. */
  restart(): Promise<boolean> {
    this.#shouldBeRunning = true;
    return this.#operations.run('restart', () => this.#reopen());
  }

  /** What the manager does about `error`: a restart, which leaves alone what still works. */
  recover(): Promise<boolean> {
    return this.#operations.run('recover', async () => {
      if (this.#state !== 'error' || !this.#shouldBeRunning) return this.#state === 'running';
      if (!this.revive()) return this.#reopen();
      this.#countRestart();
      return false;
    });
  }

  /** Callbacks get every event of a type, in order; one that throws is counted and does not disturb the others. */
  addDataCallback(type: DataType, callback: DataCallback): void {
    this.#data.addCallback(type, callback);
  }

  removeDataCallback(type: DataType, callback: DataCallback): void {
    this.#data.removeCallback(type, callback);
  }

  onEvent(listener: EventListener): Disposable {
    return this.#data.add((event) => listener(event, this));
  }

  onStateChange(listener: StateListener): Disposable {
    this.#stateListeners.add(listener);
    return { [Symbol.dispose]: () => this.#stateListeners.delete(listener) };
  }

  /** Told when the data of a type begins to be carried by a subscribed channel of a live socket, and when that ends. */
  onStreamChange(listener: StreamListener): Disposable {
    return this.streams.onChange(listener);
  }

  getStatus(): CollectorStatus {
    const { config, autoRestart, maxSilenceSeconds: maxSilenceDuration } = this;
    return {
      exchange: config.exchange,
      status: this.#state,
      shouldBeRunning: this.#shouldBeRunning,
      symbols: [config.symbol],
      dataTypes: config.dataTypes,
      autoRestart,
      ...this.#counters.status({
        facts: this.linkFacts(),
        lastMessageAt: this.streams.lastMessageAt,
        startedAt: this.#startedAt,
        maxSilenceDuration,
        now: this.#environment.clock.now(),
      }),
    };
  }

  getHealthStatus(): HealthStatus {
    const issues = this.#issues();
    return {
      isHealthy: issues.length === 0,
      issues,
      status: this.#state,
      lastHeartbeat: iso(this.linkFacts().heartbeatAt),
      lastDataReceived: iso(this.streams.lastMessageAt),
      shouldBeRunning: this.#shouldBeRunning,
      isRunning: this.#state === 'running',
    };
  }

  getStreams(): readonly StreamStatus[] {
    return this.streams.all.map((stream) => {
      if (this.carries(stream.dataType)) return stream.status(null);
      if (!this.#isUp()) return stream.status({ health: 'STOPPED', reason: 'The collector is not running.' });
      const reason = this.interruption(stream.dataType) ?? 'The connection is being established.';
      return stream.status({ health: 'RECONNECTING', reason });
    });
  }

  /** What could not be used, by reason. */
  getRejections(): readonly Rejection[] {
    return this.#rejections.list();
  }

  /** Data types whose stream is mute, or silent for longer than its rhythm allows. */
  stalledStreams(): readonly DataType[] {
    return this.streams.all
      .filter((stream) => this.carries(stream.dataType) && stream.stalled)
      .map((stream) => stream.dataType);
  }

  /** Looks after silent streams; to be called every RELIEF_MS. Silence that was our own standstill is forgiven. */
  relieve(): void {
    const late = this.#punctuality.tick();
    if (!this.listening) return this.streams.forgive(RELIEF_MS + late);
    if (late > 0) this.streams.forgive(late + RELIEF_MS);
    if (this.#isUp()) this.tend();
  }

  /** Hands one event to the listeners and callbacks. `at`, monotonic ms: when it came. */
  protected emit(event: MarketEvent, at = this.#environment.clock.monotonic()): void {
    // A forming candle is labelled by a close that is still to come, and an unstamped event by its receipt: neither tells a lag.
    const stamped = event.kind !== 'candle' && event.exchangeTime !== event.receivedAt;
    const isNews = event.kind !== 'orderbook' || event.validity !== 'STALE'; // a book grown old is the lack of a message
    if (isNews) this.streams.get(event.kind)?.message(event.receivedAt, stamped ? event.exchangeTime : null, at);
    this.#data.tell(event);
  }

  /** Whether the payload of an event is of use: it is stored, or a callback gets it. */
  protected keepsPayload(type: DataType): boolean {
    return this.storeRawData || this.#data.calls(type);
  }

  /** Counts a message of the exchange. */
  protected countMessage(processed: boolean): void {
    this.#counters.messagesReceived += 1;
    if (processed) this.#counters.messagesProcessed += 1;
  }

  /** Counts something that went wrong without ending anything. */
  protected trouble(reason: string, detail: string): void {
    this.#counters.failed(`${reason}: ${detail}`);
    this.#rejections.add(reason, detail);
    this.#environment.log.debug('Trouble', { collector: this.name, reason, detail });
  }

  protected become(state: CollectorState, message: string): void {
    if (state === this.#state && message === this.#stateMessage) return;
    this.#state = state;
    this.#stateMessage = message;
    if (state === 'error') this.#counters.lastError = message;
    const { log } = this.#environment;
    log[state === 'error' ? 'error' : 'info']('Collector state', { collector: this.name, state, reason: message });
    for (const listener of this.#stateListeners) listener(this, message);
    this.reportCarried(message);
  }

  /** Tells of the streams that begin or cease to be carried. */
  protected reportCarried(cause: string): void {
    for (const type of this.config.dataTypes) this.streams.carry(type, this.carries(type), cause);
  }

  #isUp(): boolean {
    return this.#state === 'running' || this.#state === 'starting' || this.#state === 'reconnecting';
  }

  async #open(): Promise<boolean> {
    this.become('starting', 'asked to start');
    this.#startedAt = this.#environment.clock.now();
    this.streams.begin();
    const opening = new AbortController();
    this.#opening = opening;
    try {
      await this.open(opening.signal);
    } catch (error) {
      await this.#endCollecting(true);
      if (opening.signal.aborted) return false;
      this.#counters.errors += 1;
      this.become('error', error instanceof AppError ? error.message : `could not start: ${messageOf(error)}`);
      return false;
    } finally {
      this.#opening = null;
    }
    if (this.#state === 'starting') this.become('running', 'collecting');
    return this.#state === 'running';
  }

  async #reopen(): Promise<boolean> {
    this.#countRestart();
    if (this.#state !== 'stopped') await this.#close(false);
    return this.#open();
  }

  #countRestart(): void {
    this.#counters.restarts += 1;
    this.#counters.lastRestartAt = this.#environment.clock.now();
  }

  async #close(force: boolean): Promise<void> {
    this.become('stopping', 'asked to stop');
    await this.#endCollecting(force);
  }

  /** A subclass whose `close` fails must not keep the collector from its next state. */
  async #endCollecting(force: boolean): Promise<void> {
    try {
      await this.close({ force });
    } catch (error) {
      this.trouble('close', `could not close: ${messageOf(error)}`);
    }
    this.#startedAt = null;
  }

  #issues(): readonly string[] {
    const issues = [...this.ownIssues()];
    if (this.#shouldBeRunning && this.#state !== 'running')
      issues.push(`Should be running but is ${this.#state}: ${this.#stateMessage}`);
    for (const type of this.stalledStreams()) issues.push(this.streams.get(type)?.reason ?? '');
    return issues;
  }
}
