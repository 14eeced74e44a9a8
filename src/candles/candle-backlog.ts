import type { DeliveryMode } from '../pipeline/stream/delivery.ts';
import type { QueueRegistry } from '../runtime/bounded-queue.ts';
import { type CandleChange, mergeChanges } from './candle-change.ts';

/** Changes that wait as they came; beyond it those of one candle become one. */
const CAPACITY = 1_024;
/** Candles that wait; more than one update can tell of. */
const MOST = 16_384;

/** Changes that wait for one subscriber, bounded and counted. */
export class CandleBacklog implements Disposable {
  readonly capacity = MOST;
  readonly #mode: DeliveryMode;
  readonly #leave: () => void;
  #waiting: CandleChange[] = [];
  /** Candles that could not become fewer at the last try. */
  #distinct = 0;
  #in = 0;
  #out = 0;
  #dropped = 0;
  #conflated = 0;
  #missed = 0;

  constructor(mode: DeliveryMode, registry: QueueRegistry) {
    this.#mode = mode;
    this.#leave = registry.enter('candle subscribers', this);
  }

  get in(): number {
    return this.#in;
  }

  get out(): number {
    return this.#out;
  }

  get dropped(): number {
    return this.#dropped;
  }

  get held(): number {
    return this.#waiting.length;
  }

  /** False: more candles wait than there is room for. */
  put(changes: readonly CandleChange[]): boolean {
    this.#in += changes.length;
    this.#waiting.push(...changes);
    if (this.#mode === 'DROP_OLDEST') {
      this.#drop(this.#waiting.length - CAPACITY);
      return true;
    }
    if (this.#waiting.length > this.#distinct + CAPACITY) {
      this.#conflated += this.#merge();
      this.#distinct = this.#waiting.length;
    }
    return this.#waiting.length <= MOST;
  }

  take(most: number): {
    readonly changes: readonly CandleChange[];
    /** Changes that gave way to a newer one of their candle. */
    readonly conflated: number;
    readonly missed: number;
  } {
    if (this.#mode === 'CONFLATE') this.#conflated += this.#merge();
    const changes = this.#waiting.splice(0, most);
    this.#out += changes.length;
    this.#distinct = Math.min(this.#distinct, this.#waiting.length);
    const taken = { changes, conflated: this.#conflated, missed: this.#missed };
    [this.#conflated, this.#missed] = [0, 0];
    return taken;
  }

  [Symbol.dispose](): void {
    this.#dropped += this.#waiting.length;
    this.#waiting = [];
    this.#leave();
  }

  #drop(count: number): void {
    if (count <= 0) return;
    this.#waiting.splice(0, count);
    this.#dropped += count;
    this.#missed += count;
  }

  /** Leaves one change of each candle, in the order they last changed; returns how many went. */
  #merge(): number {
    const newest = new Map<string, CandleChange>();
    for (const change of this.#waiting) {
      const key = `${change.candle.symbol} ${change.candle.closeTime}`;
      const before = newest.get(key);
      newest.delete(key);
      newest.set(key, before ? mergeChanges(before, change) : change);
    }
    const gone = this.#waiting.length - newest.size;
    this.#waiting = [...newest.values()];
    this.#dropped += gone;
    return gone;
  }
}
