import type { DataType } from '../market/data-type.ts';
import { type MarketDataPoint, toDataPoint } from '../market/market-data-point.ts';
import type { MarketEvent } from '../market/market-event.ts';

export type DataCallback = (point: MarketDataPoint) => void;

/** Who is told about the data of one collector: listeners of every event first, then the callbacks of its type. */
export class DataListeners {
  readonly #callbacks = new Map<DataType, Set<DataCallback>>();
  readonly #listeners = new Set<(event: MarketEvent) => void>();
  readonly #threw: (error: unknown) => void;

  /** `threw` hears of a callback that failed; the others are called all the same. */
  constructor(threw: (error: unknown) => void) {
    this.#threw = threw;
  }

  addCallback(type: DataType, callback: DataCallback): void {
    const callbacks = this.#callbacks.get(type) ?? new Set();
    this.#callbacks.set(type, callbacks.add(callback));
  }

  removeCallback(type: DataType, callback: DataCallback): void {
    this.#callbacks.get(type)?.delete(callback);
  }

  /** Whether there is a callback for a type. */
  calls(type: DataType): boolean {
    return (this.#callbacks.get(type)?.size ?? 0) > 0;
  }

  add(listener: (event: MarketEvent) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  tell(event: MarketEvent): void {
    for (const listener of this.#listeners) listener(event);
    if (this.#callbacks.size === 0) return;
    const callbacks = this.#callbacks.get(event.kind);
    if (!callbacks || callbacks.size === 0) return;
    const point = toDataPoint(event);
    for (const callback of callbacks) {
      try {
        callback(point);
      } catch (error) {
        this.#threw(error);
      }
    }
  }
}
