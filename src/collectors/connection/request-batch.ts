import type { Channel } from '../../exchanges/adapter.ts';

/** Collects the channels to leave and to ask for until the present turn is over, so that they share a request each. */
export class RequestBatch {
  readonly #send: (left: readonly Channel[], asked: readonly string[]) => void;
  readonly #left = new Map<string, Channel>();
  readonly #asked = new Set<string>();
  #waiting = false;

  constructor(send: (left: readonly Channel[], asked: readonly string[]) => void) {
    this.#send = send;
  }

  ask(key: string): void {
    this.#asked.add(key);
    this.#sendSoon();
  }

  leave(channel: Channel): void {
    this.#left.set(channel.key, channel);
    this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    queueMicrotask(() => {
      this.#waiting = false;
      const [left, asked] = [[...this.#left.values()], [...this.#asked]];
      this.#left.clear();
      this.#asked.clear();
      this.#send(left, asked);
    });
  }
}
