import type { Client } from './client.ts';
import type { Market } from './market.ts';
import type { OutFrame } from './out-frame.ts';

/** Where the frames of one topic come from. */
export interface Source {
  /** What a new subscriber gets at once. */
  greeting(): readonly OutFrame[];
  /** The frames that became due since the last call; `now` in ms since epoch. */
  due(now: number): readonly OutFrame[];
}

/** A topic that is fed by `publish` alone. */
export const silentSource: Source = { greeting: () => [], due: () => [] };

/** How a dialect words a frame of a topic for one socket. */
export type Wording = (topic: string, frame: OutFrame, client: Client) => string;

interface Topic {
  readonly source: Source;
  readonly clients: Set<Client>;
}

/** Who gets what: topics live while somebody listens, and cost nothing otherwise. */
export class Feed {
  readonly #topics = new Map<string, Topic>();
  readonly #markets: ReadonlyMap<string, Market>;
  readonly #word: Wording;

  constructor(markets: ReadonlyMap<string, Market>, word: Wording) {
    this.#markets = markets;
    this.#word = word;
  }

  /** Subscribes; `open` makes the source when the topic is new. Joining again only repeats the greeting. */
  join(topic: string, client: Client, open: () => Source): void {
    const found = this.#topics.get(topic) ?? { source: open(), clients: new Set() };
    this.#topics.set(topic, found);
    found.clients.add(client);
    client.topics.add(topic);
    for (const frame of found.source.greeting()) this.#deliver(topic, frame, client);
  }

  /** Returns whether the client had joined. */
  leave(topic: string, client: Client): boolean {
    const found = this.#topics.get(topic);
    client.topics.delete(topic);
    const joined = found?.clients.delete(client) ?? false;
    if (found?.clients.size === 0) this.#topics.delete(topic);
    return joined;
  }

  leaveAll(client: Client): void {
    for (const topic of [...client.topics]) this.leave(topic, client);
  }

  /** Sends what is due. */
  tick(now: number): void {
    const corked = new Set<Client>();
    for (const [topic, { source, clients }] of this.#topics) {
      for (const frame of source.due(now)) {
        for (const client of clients) {
          if (!corked.has(client)) {
            client.cork();
            corked.add(client);
          }
          this.#deliver(topic, frame, client);
        }
      }
    }
    for (const client of corked) client.uncork();
  }

  /** Whether nobody listens to anything. */
  get idle(): boolean {
    return this.#topics.size === 0;
  }

  /** Sends a frame from outside to whoever listens to the topic; false when nobody does. */
  publish(topic: string, frame: OutFrame): boolean {
    const clients = this.#topics.get(topic)?.clients;
    if (clients === undefined) return false;
    for (const client of clients) this.#deliver(topic, frame, client);
    return true;
  }

  #deliver(topic: string, frame: OutFrame, client: Client): void {
    if (frame.trades !== null && frame.nativeSymbol !== null)
      this.#markets.get(frame.nativeSymbol)?.noteSent(frame.trades);
    client.deliver(frame, this.#word(topic, frame, client));
  }
}
