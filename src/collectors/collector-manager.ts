import { AppError, messageOf } from '../runtime/errors.ts';
import { type BaseDataCollector, RELIEF_MS } from './base-data-collector.ts';
import { type CollectorEnvironment, DEFAULT_ENVIRONMENT } from './collector-environment.ts';
import type { CollectorEvent, CollectorState, CollectorStatus, ExchangeCollectorConfig } from './collector-status.ts';
import { backoffMs } from './pacing/backoff.ts';

/** Keeps what should run beyond the life of the process. */
export interface CollectorStore {
  save(collectors: readonly BaseDataCollector[]): Promise<void>;
  remove(name: string): Promise<void>;
}

export interface ManagerOptions extends CollectorEnvironment {
  readonly store: CollectorStore | null;
  /** Makes collectors for `addFromConfig`. */
  readonly factory: { createCollector(config: ExchangeCollectorConfig): BaseDataCollector } | null;
}

export interface ManagerStatus {
  readonly isRunning: boolean;
  readonly totalCollectors: number;
  readonly byState: Readonly<Record<CollectorState, number>>;
  readonly collectors: Readonly<Record<string, CollectorStatus>>;
}

/** What the manager adds to a collector. */
interface Managed {
  readonly collector: BaseDataCollector;
  readonly subscriptions: readonly Disposable[];
  restartAttempts: number;
  restartAt: number | null;
  runningSince: number | null;
  healthy: boolean;
}

const SAVE_MS = 5_000;
/** At least this long after it failed; its back-off comes on top. */
const RESTART_MS = 1_000;
const RESTART_CAP_MS = 60_000;
/** Running this long makes the next failure a first failure again. */
const STEADY_MS = 30_000;

/** Owns the collectors: what should run is started, supervised, restarted with back-off for ever, and remembered. */
export class CollectorManager {
  readonly #options: ManagerOptions;
  readonly #managed = new Map<string, Managed>();
  readonly #listeners = new Set<(event: CollectorEvent) => void>();
  readonly #unsaved = new Set<string>();
  #supervision: Disposable[] = [];
  #saving: Promise<void> = Promise.resolve();
  #isRunning = false;
  #stoppedOnPurpose: ReadonlySet<string> = new Set();

  constructor(options: Partial<ManagerOptions> = {}) {
    this.#options = { ...DEFAULT_ENVIRONMENT, store: null, factory: null, ...options };
  }

  /** @throws {AppError} COLLECTOR_EXISTS when one of the same exchange and symbol is there. */
  addCollector(collector: BaseDataCollector): void {
    const { name } = collector;
    if (this.#managed.has(name)) throw new AppError('COLLECTOR_EXISTS', `A collector ${name} is already there`);
    const subscriptions = [collector.onStateChange((_collector, message) => this.#stateChanged(name, message))];
    this.#managed.set(name, {
      collector,
      subscriptions,
      restartAttempts: 0,
      restartAt: null,
      runningSince: null,
      healthy: true,
    });
    this.#changed(name);
    this.#tell(collector, 'ADDED', 'added');
  }

  /**
   * Makes a collector, adds it and, while the manager runs, starts it.
   * @throws {AppError} COLLECTOR_EXISTS, EXCHANGE_UNKNOWN, COLLECTOR_CONFIG_INVALID.
   */
  async addFromConfig(config: ExchangeCollectorConfig): Promise<BaseDataCollector> {
    const { factory } = this.#options;
    if (!factory)
      throw new AppError('COLLECTOR_CONFIG_INVALID', 'This manager was given no factory to make collectors with');
    const collector = factory.createCollector(config);
    this.addCollector(collector);
    if (this.#isRunning) await collector.start();
    await this.#save();
    return collector;
  }

  /** Stops and forgets it; its data stays. False when there is none of that name. */
  async removeCollector(name: string): Promise<boolean> {
    const managed = this.#managed.get(name);
    if (!managed) return false;
    await managed.collector.stop();
    this.#managed.delete(name);
    this.#unsaved.delete(name);
    for (const subscription of managed.subscriptions) subscription[Symbol.dispose]();
    this.#tell(managed.collector, 'REMOVED', 'removed');
    await this.#saving; // a write that is under way would bring it back
    await this.#options.store?.remove(name);
    return true;
  }

  /** Starts what should run: all that were not stopped on purpose, by the names given or before its own last end. True when all of them run. */
  async start(stopped: ReadonlySet<string> = this.#stoppedOnPurpose): Promise<boolean> {
    if (!this.#isRunning) {
      this.#isRunning = true;
      const { clock } = this.#options;
      this.#supervision = [
        clock.every(RELIEF_MS, () => this.#supervise()),
        clock.every(SAVE_MS, () => void this.#saveAll()),
      ];
    }
    const wanted = [...this.#managed.values()].filter(({ collector }) => !stopped.has(collector.name));
    const running = await Promise.all(wanted.map(({ collector }) => collector.start()));
    await this.#saveAll();
    return running.every(Boolean);
  }

  /** Ends collecting without changing what should run after the next start. */
  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    for (const timer of this.#supervision) timer[Symbol.dispose]();
    this.#supervision = [];
    await this.#saveAll();
    this.#isRunning = false; // nothing is saved from here on: what should run stays written
    const collectors = [...this.#managed.values()].map(({ collector }) => collector);
    const stopped = collectors.filter(({ shouldBeRunning }) => !shouldBeRunning);
    this.#stoppedOnPurpose = new Set(stopped.map(({ name }) => name));
    await Promise.all(collectors.map((collector) => collector.stop()));
  }

  /** @throws {AppError} COLLECTOR_UNKNOWN */
  async startCollector(name: string): Promise<boolean> {
    return this.#control(name, (collector) => collector.start());
  }

  /** @throws {AppError} COLLECTOR_UNKNOWN */
  async stopCollector(name: string, options: { readonly force?: boolean } = {}): Promise<boolean> {
    return this.#control(name, (collector) => collector.stop(options).then(() => true));
  }

  /** @throws {AppError} COLLECTOR_UNKNOWN */
  async restartCollector(name: string): Promise<boolean> {
    return this.#control(name, (collector) => collector.restart());
  }

  async startAll(): Promise<boolean> {
    return this.#controlAll((name) => this.startCollector(name));
  }

  async stopAll(): Promise<boolean> {
    return this.#controlAll((name) => this.stopCollector(name));
  }

  async restartAll(): Promise<boolean> {
    return this.#controlAll((name) => this.restartCollector(name));
  }

  /** Names in the order they were added. */
  listCollectors(): string[] {
    return [...this.#managed.keys()];
  }

  getCollector(name: string): BaseDataCollector | undefined {
    return this.#managed.get(name)?.collector;
  }

  /** When one in `error` is restarted by itself, in ms from now; null when that is not planned, or it waits between attempts of its own. */
  restartInMs(name: string): number | null {
    const managed = this.#managed.get(name);
    if (!this.#isRunning || !managed || managed.restartAt === null || managed.collector.hasOwnBackoff) return null;
    return managed.collector.state === 'error'
      ? Math.max(0, managed.restartAt - this.#options.clock.monotonic())
      : null;
  }

  getStatus(): ManagerStatus {
    const collectors = [...this.#managed.values()].map(({ collector }) => collector);
    const count = (state: CollectorState) => collectors.filter((collector) => collector.state === state).length;
    return {
      isRunning: this.#isRunning,
      totalCollectors: collectors.length,
      byState: {
        stopped: count('stopped'),
        starting: count('starting'),
        running: count('running'),
        reconnecting: count('reconnecting'),
        stopping: count('stopping'),
        error: count('error'),
      },
      collectors: Object.fromEntries(collectors.map((collector) => [collector.name, collector.getStatus()])),
    };
  }

  /** Every event from now on, in order. */
  onEvent(listener: (event: CollectorEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  async #control(name: string, action: (collector: BaseDataCollector) => Promise<boolean>): Promise<boolean> {
    const managed = this.#managed.get(name);
    if (!managed)
      throw new AppError('COLLECTOR_UNKNOWN', `There is no collector ${JSON.stringify(name.slice(0, 100))}`);
    managed.restartAt = null;
    managed.restartAttempts = 0;
    const outcome = await action(managed.collector);
    this.#changed(name);
    await this.#save();
    return outcome;
  }

  async #controlAll(action: (name: string) => Promise<boolean>): Promise<boolean> {
    return (await Promise.all(this.listCollectors().map(action))).every(Boolean);
  }

  #stateChanged(name: string, message: string): void {
    const managed = this.#managed.get(name);
    if (!managed) return;
    const { collector } = managed;
    const { clock, random } = this.#options;
    managed.runningSince = collector.state === 'running' ? clock.monotonic() : null;
    if (collector.state === 'error' && collector.autoRestart && collector.shouldBeRunning) {
      const backoff = collector.hasOwnBackoff ? 0 : backoffMs(managed.restartAttempts++, RESTART_CAP_MS, random);
      managed.restartAt = clock.monotonic() + RESTART_MS + backoff;
    }
    this.#changed(name);
    this.#tell(collector, collector.state === 'error' ? 'ERROR' : 'STATE_CHANGED', message);
  }

  #supervise(): void {
    const now = this.#options.clock.monotonic();
    for (const managed of this.#managed.values()) {
      const { collector } = managed;
      if (managed.runningSince !== null && now - managed.runningSince > STEADY_MS) managed.restartAttempts = 0;
      if (managed.restartAt !== null && now >= managed.restartAt && collector.state === 'error') {
        managed.restartAt = null;
        collector
          .recover()
          .catch((error: unknown) =>
            this.#options.log.error('A restart failed', { collector: collector.name, reason: messageOf(error) }),
          );
      }
      collector.relieve();
      this.#judgeHealth(managed);
    }
  }

  #judgeHealth(managed: Managed): void {
    const { isHealthy, issues } = managed.collector.getHealthStatus();
    if (isHealthy === managed.healthy) return;
    managed.healthy = isHealthy;
    this.#tell(managed.collector, 'HEALTH_CHANGED', isHealthy ? 'healthy again' : issues.join('; '));
  }

  #tell(collector: BaseDataCollector, type: CollectorEvent['type'], message: string): void {
    const event: CollectorEvent = {
      collector: collector.name,
      at: new Date(this.#options.clock.now()),
      type,
      state: collector.state,
      message,
    };
    for (const listener of this.#listeners) listener(event);
  }

  #changed(name: string): void {
    this.#unsaved.add(name);
    void this.#save();
  }

  #saveAll(): Promise<void> {
    for (const name of this.#managed.keys()) this.#unsaved.add(name);
    return this.#save();
  }

  /** Writes what changed while the manager runs; one write at a time, a failed one is tried again with the next. */
  #save(): Promise<void> {
    const { store, log } = this.#options;
    if (!store) return Promise.resolve();
    this.#saving = this.#saving.then(async () => {
      const names = [...this.#unsaved];
      const collectors = names.flatMap((name) => this.#managed.get(name)?.collector ?? []);
      if (!this.#isRunning || collectors.length === 0) return;
      this.#unsaved.clear();
      try {
        await store.save(collectors);
      } catch (error) {
        for (const name of names) this.#unsaved.add(name);
        log.warn('Collector states could not be saved, trying again', { reason: messageOf(error) });
      }
    });
    return this.#saving;
  }
}
