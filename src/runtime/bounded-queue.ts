/** What a full queue does with one more value: turn it away, or let go of the oldest. Both count it as dropped. */
export type QueuePolicy = 'refuse' | 'drop-oldest';

/** in = out + dropped + held, always. */
export interface QueueCounters {
  readonly name: string;
  /** Of all queues of this name that are open. */
  readonly capacity: number;
  readonly in: number;
  readonly out: number;
  readonly dropped: number;
  readonly held: number;
}

interface QueueOptions {
  /** What it is for; several queues may share a name and are then counted together. */
  readonly name: string;
  readonly capacity: number;
  readonly policy: QueuePolicy;
  readonly registry: QueueRegistry;
}

interface ValueOptions<T> extends QueueOptions {
  /** Told of every value that was let go for a newer one. */
  readonly dropped?: (value: T) => void;
}

/** First in, first out, never more than `capacity`; a ring that grows as it fills, so an idle queue costs little. */
export class BoundedQueue<T> implements Disposable {
  readonly capacity: number;
  readonly #policy: QueuePolicy;
  readonly #onDrop: ((value: T) => void) | undefined;
  readonly #leave: () => void;
  #items: (T | undefined)[] = new Array(8);
  #first = 0;
  #in = 0;
  #out = 0;
  #dropped = 0;
  #held = 0;

  constructor({ name, capacity, policy, registry, dropped }: ValueOptions<T>) {
    if (!Number.isInteger(capacity) || capacity < 1)
      throw new RangeError(`Queue ${name}: capacity ${capacity} is not a positive integer`);
    this.capacity = capacity;
    this.#policy = policy;
    this.#onDrop = dropped;
    this.#leave = registry.enter(name, this);
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
    return this.#held;
  }

  /** The next value to come out, undefined when empty. */
  get oldest(): T | undefined {
    return this.#held === 0 ? undefined : this.#items[this.#first];
  }

  /** False when the value was turned away. */
  push(value: T): boolean {
    this.#in += 1;
    if (this.#held === this.capacity) {
      this.#dropped += 1;
      if (this.#policy === 'refuse') return false;
      const oldest = this.#remove();
      this.#onDrop?.(oldest);
    }
    if (this.#held === this.#items.length) this.#grow();
    this.#items[(this.#first + this.#held) % this.#items.length] = value;
    this.#held += 1;
    return true;
  }

  /** Up to `max` values, oldest first. */
  take(max: number): T[] {
    const taken: T[] = [];
    for (let left = Math.min(max, this.#held); left > 0; left -= 1) taken.push(this.#remove());
    this.#out += taken.length;
    return taken;
  }

  /** Drops what is held, counted, and leaves the registry. */
  [Symbol.dispose](): void {
    this.#dropped += this.#held;
    this.#held = 0;
    this.#items = [];
    this.#leave();
  }

  #remove(): T {
    const value = this.#items[this.#first] as T;
    this.#items[this.#first] = undefined; // the ring must not keep it alive
    this.#first = (this.#first + 1) % this.#items.length;
    this.#held -= 1;
    return value;
  }

  #grow(): void {
    const inOrder = [...this.#items.slice(this.#first), ...this.#items.slice(0, this.#first)];
    inOrder.length = Math.min(this.capacity, Math.max(8, inOrder.length * 2));
    this.#items = inOrder;
    this.#first = 0;
  }
}

type Counted = Pick<QueueCounters, 'capacity' | 'in' | 'out' | 'dropped' | 'held'>;

/** Every queue of the process by name; what closed queues counted stays in the sums. */
export class QueueRegistry {
  readonly #open = new Map<string, Set<Counted>>();
  readonly #closed = new Map<string, Counted>();

  /** Returns how to leave. */
  enter(name: string, queue: Counted): () => void {
    const same = this.#open.get(name) ?? new Set();
    this.#open.set(name, same.add(queue));
    return () => {
      if (!same.delete(queue)) return;
      this.#closed.set(name, { ...sum(this.#closed.get(name) ?? NOTHING, queue), capacity: 0 });
    };
  }

  list(): readonly QueueCounters[] {
    return [...this.#open].map(([name, queues]) => ({
      name,
      ...[...queues].reduce<Counted>(sum, this.#closed.get(name) ?? NOTHING),
    }));
  }
}

const NOTHING: Counted = { capacity: 0, in: 0, out: 0, dropped: 0, held: 0 };

const sum = (a: Counted, b: Counted): Counted => ({
  capacity: a.capacity + b.capacity,
  in: a.in + b.in,
  out: a.out + b.out,
  dropped: a.dropped + b.dropped,
  held: a.held + b.held,
});
