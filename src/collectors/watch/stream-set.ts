import type { DataType } from '../../market/data-type.ts';
import type { Clock } from '../../runtime/clock.ts';
import { StreamMonitor } from './stream-monitor.ts';

/** The data of one type begins to be carried by a subscribed channel of a live socket, or ceases to be. */
export interface StreamChange {
  readonly dataType: DataType;
  readonly carried: boolean;
  /** Wall ms. Where it ends: the last moment at which it was known to be carried. */
  readonly at: number;
  /** In words. */
  readonly cause: string;
}

export type StreamListener = (change: StreamChange) => void;

/** The streams of one collector: what each is like, and which are carried. */
export class StreamSet {
  readonly #clock: Clock;
  readonly #monitors: ReadonlyMap<DataType, StreamMonitor>;
  readonly #carried = new Set<DataType>();
  readonly #listeners = new Set<StreamListener>();

  constructor(types: readonly DataType[], allowedSilenceMs: number, clock: Clock) {
    this.#clock = clock;
    this.#monitors = new Map(types.map((type) => [type, new StreamMonitor(type, allowedSilenceMs, clock)]));
  }

  get all(): readonly StreamMonitor[] {
    return [...this.#monitors.values()];
  }

  get(type: DataType): StreamMonitor | undefined {
    return this.#monitors.get(type);
  }

  /** Wall ms of the newest message of any type; null before the first. */
  get lastMessageAt(): number | null {
    const times = this.all.flatMap((stream) => stream.lastMessageAt ?? []);
    return times.length === 0 ? null : Math.max(...times);
  }

  begin(): void {
    for (const stream of this.all) stream.begin();
  }

  forgive(ms: number): void {
    for (const stream of this.all) stream.forgive(ms);
  }

  onChange(listener: StreamListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  isCarried(type: DataType): boolean {
    return this.#carried.has(type);
  }

  /** Says whether a type is carried; listeners are told when that is news. `at` in wall ms, by default now. */
  carry(dataType: DataType, carried: boolean, cause: string, at = this.#clock.now()): void {
    if (!this.#monitors.has(dataType) || this.#carried.has(dataType) === carried) return;
    if (carried) this.#carried.add(dataType);
    else this.#carried.delete(dataType);
    for (const listener of this.#listeners) listener({ dataType, carried, at, cause });
  }
}
