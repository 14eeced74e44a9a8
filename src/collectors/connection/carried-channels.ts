import type { Channel, Route } from '../../exchanges/adapter.ts';
import type { DataType } from '../../market/data-type.ts';
import type { Link } from './link.ts';
import type { DataFrame } from './link-handlers.ts';

/**
 * connecting, reconnecting: no data comes, it is being worked on. failed: the attempts are used up. refused: the login
 * is not accepted, trying again cannot help. A new `want` tries again in both.
 */
export type ConnectionState = 'connecting' | 'live' | 'reconnecting' | 'failed' | 'refused';

/** What a collector hears about its channels. */
export interface ChannelListener {
  /** Whether the payloads of a type's events are of use now. */
  keepsPayload(type: DataType): boolean;
  /** `at`, monotonic ms: when it came. */
  data(frame: DataFrame, at: number): void;
  subscribed(key: string): void;
  refused(key: string, code: string, message: string): void;
  /** The old socket ended before the next one had answered for this channel; `subscribed` follows. */
  interrupted(key: string, cause: string, lastSignAt?: number): void;
  /**
   * The socket that carries these of its channels changed its state; told once at the beginning too. `lastSignAt`, wall ms:
   * where a socket was lost, when it gave its last sign of life.
   */
  connection(keys: readonly string[], state: ConnectionState, message: string, lastSignAt?: number): void;
  /** Something on a socket that carries any of its channels could not be read, and belongs to nobody in particular: one is told, so it counts once. */
  trouble(reason: string, detail: string): void;
}

interface Carried {
  readonly route: Route;
  readonly listeners: Set<ChannelListener>;
  /** The link whose order-book frames count: the newest that has sent one. */
  carrier: Link | null;
  status: 'asked' | 'subscribed' | 'refused';
}

/** The channels of one connection, and who listens to them. */
export class CarriedChannels {
  readonly #carried = new Map<string, Carried>();
  readonly #routes = new Map<string, Route>();

  get size(): number {
    return this.#carried.size;
  }

  /** To whom frames belong, by channel key. */
  get routes(): ReadonlyMap<string, Route> {
    return this.#routes;
  }

  get keys(): readonly string[] {
    return [...this.#carried.keys()];
  }

  has(key: string): boolean {
    return this.#carried.has(key);
  }

  status(key: string): Carried['status'] | null {
    return this.#carried.get(key)?.status ?? null;
  }

  /** True when the channel has to be asked for, because it is new or was refused. */
  add(route: Route, listener: ChannelListener): boolean {
    const { key } = route.channel;
    const known = this.#carried.get(key);
    if (!known) {
      const listeners = new Set([listener]);
      this.#carried.set(key, { route, listeners, carrier: null, status: 'asked' });
      this.#routes.set(key, { ...route, dropsPayload: () => nobodyKeeps(listeners, route.channel.dataType) });
      return true;
    }
    known.listeners.add(listener);
    return this.askAgain(key);
  }

  /** True when the channel was refused and counts as asked for from now on. */
  askAgain(key: string): boolean {
    const carried = this.#carried.get(key);
    if (carried?.status !== 'refused') return false;
    carried.status = 'asked';
    return true;
  }

  /** The channel to leave, when this was its last listener and the exchange had not refused it. */
  remove(key: string, listener: ChannelListener): Channel | null {
    const carried = this.#carried.get(key);
    if (!carried?.listeners.delete(listener) || carried.listeners.size > 0) return null;
    this.#carried.delete(key);
    this.#routes.delete(key);
    return carried.status === 'refused' ? null : carried.route.channel;
  }

  /** Those of the keys that are wanted and not refused. */
  channels(keys: Iterable<string>): readonly Channel[] {
    return [...keys].flatMap((key) => {
      const carried = this.#carried.get(key);
      return carried && carried.status !== 'refused' ? [carried.route.channel] : [];
    });
  }

  /** Hands a frame on. Two links may send the same order book for a moment; only one of them can be followed. */
  data(frame: DataFrame, link: Link, isNewest: boolean): void {
    const carried = this.#carried.get(frame.channel);
    if (!carried) return;
    if (frame.kind === 'book') {
      if (isNewest || carried.carrier === null) carried.carrier = link;
      if (link !== carried.carrier) return;
    }
    for (const listener of carried.listeners) listener.data(frame, link.dataAt);
  }

  /** A link is over: whoever sends an order book next carries it. */
  forget(link: Link): void {
    for (const carried of this.#carried.values()) if (carried.carrier === link) carried.carrier = null;
  }

  subscribed(keys: readonly string[]): void {
    for (const key of keys) {
      const carried = this.#carried.get(key);
      if (!carried) continue;
      carried.status = 'subscribed';
      for (const listener of carried.listeners) listener.subscribed(key);
    }
  }

  refused(key: string, code: string, message: string): void {
    const carried = this.#carried.get(key);
    if (!carried) return;
    carried.status = 'refused';
    for (const listener of carried.listeners) listener.refused(key, code, message);
  }

  /** No socket carries them any more; they are asked for again on the next one. */
  lost(): void {
    for (const carried of this.#carried.values()) if (carried.status === 'subscribed') carried.status = 'asked';
  }

  /** These are not carried until they are `subscribed` again, on a socket that is there. */
  interrupted(keys: readonly string[], cause: string, lastSignAt?: number): void {
    for (const key of keys)
      for (const listener of this.#carried.get(key)?.listeners ?? []) listener.interrupted(key, cause, lastSignAt);
  }

  /** Whoever has listened for longest: of what belongs to nobody in particular. */
  get first(): ChannelListener | null {
    for (const { listeners } of this.#carried.values()) for (const listener of listeners) return listener;
    return null;
  }

  /** Every listener once, with its channels. */
  tell(tell: (listener: ChannelListener, keys: readonly string[]) => void): void {
    const keysOf = new Map<ChannelListener, string[]>();
    for (const [key, { listeners }] of this.#carried)
      for (const listener of listeners) {
        const keys = keysOf.get(listener);
        if (keys) keys.push(key);
        else keysOf.set(listener, [key]);
      }
    for (const [listener, keys] of keysOf) tell(listener, keys);
  }
}

function nobodyKeeps(listeners: ReadonlySet<ChannelListener>, type: DataType): boolean {
  for (const listener of listeners) if (listener.keepsPayload(type)) return false;
  return true;
}
