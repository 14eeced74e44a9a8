import type { EventLog, LoggedEvent } from '../../../src/pipeline/events/event-log.ts';

/** Events that are durable as soon as they come. */
export class MemoryEventLog<T> implements EventLog<T> {
  readonly id: string;
  readonly #kept: LoggedEvent<T>[] = [];
  readonly #listeners = new Set<(logged: LoggedEvent<T>) => void>();
  readonly #keep: number;
  newest = 0;

  constructor(id = 'a log', keep = 10_000) {
    this.id = id;
    this.#keep = keep;
  }

  get oldest(): number {
    return this.newest - this.#kept.length + 1;
  }

  get listeners(): number {
    return this.#listeners.size;
  }

  append(event: T): void {
    this.newest += 1;
    const logged = { number: this.newest, event };
    this.#kept.push(logged);
    if (this.#kept.length > this.#keep) this.#kept.shift();
    for (const listener of [...this.#listeners]) listener(logged);
  }

  after(number: number, limit: number): readonly LoggedEvent<T>[] {
    return this.#kept.filter((one) => one.number > number).slice(0, limit);
  }

  onEvent(listener: (logged: LoggedEvent<T>) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }
}
