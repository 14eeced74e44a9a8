import type { Channel, OutFrame } from '../../exchanges/adapter.ts';

interface Asked {
  readonly channel: Channel;
  readonly request: string | null;
  /** When its frame left, or will leave; monotonic ms. */
  readonly at: number;
  readonly tries: number;
}

/** What a refusal is about: channels refused for sure, or a group in which at least one is bad. */
export type Refusal = { readonly refused: readonly string[] } | { readonly suspects: readonly Channel[] };

const ANSWER_TIMEOUT_MS = 10_000;

/** Channels asked for on one socket, from the request to its answer. */
export class Unanswered {
  readonly #asked = new Map<string, Asked>();

  get size(): number {
    return this.#asked.size;
  }

  has(key: string): boolean {
    return this.#asked.has(key);
  }

  get keys(): readonly string[] {
    return [...this.#asked.keys()];
  }

  add(channels: readonly Channel[], frame: OutFrame, at: number): void {
    for (const channel of channels) {
      if (!frame.channels.includes(channel.key)) continue;
      const tries = (this.#asked.get(channel.key)?.tries ?? 0) + 1;
      this.#asked.set(channel.key, { channel, request: frame.request, at, tries });
    }
  }

  /** Takes the channels an answer is about, the named ones or those of the request; returns those that waited for it. */
  take(request: string | null, named: readonly string[]): readonly string[] {
    return (named.length > 0 ? named : this.#of(request)).filter((key) => this.#asked.delete(key));
  }

  /** Channels that wait for too long, and how often they were asked for at most. */
  late(now: number): { readonly channels: readonly Channel[]; readonly tries: number } {
    const late = [...this.#asked.values()].filter(({ at }) => now - at > ANSWER_TIMEOUT_MS);
    return { channels: late.map(({ channel }) => channel), tries: Math.max(0, ...late.map(({ tries }) => tries)) };
  }

  /** Takes the channels a refusal is about. Without a name it is about the request's, without a request about any. */
  refuse(request: string | null, named: readonly string[]): Refusal {
    if (named.length > 0) {
      this.take(null, named);
      return { refused: named };
    }
    const ofRequest = this.#of(request);
    const keys = ofRequest.length > 0 ? ofRequest : [...this.#asked.keys()];
    const asked = keys.flatMap((key) => this.#asked.get(key) ?? []);
    const eachAlone = new Set(asked.map((one) => one.request)).size === asked.length;
    if (eachAlone) return { refused: this.take(null, keys.slice(0, 1)) }; // answers come in the order of the requests
    return { suspects: asked.filter(({ channel }) => this.#asked.delete(channel.key)).map(({ channel }) => channel) };
  }

  #of(request: string | null): readonly string[] {
    return [...this.#asked.values()].filter((asked) => asked.request === request).map(({ channel }) => channel.key);
  }
}
