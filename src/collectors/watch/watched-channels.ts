import type { Channel, Route } from '../../exchanges/adapter.ts';
import type { DataType } from '../../market/data-type.ts';
import type { ConnectionState } from '../connection/carried-channels.ts';

export interface Watched {
  readonly route: Route;
  connection: ConnectionState;
  /** What the connection says of itself. */
  message: string;
  subscribed: boolean;
  /** Asked for again on a live socket; its answer is awaited. */
  renewing: boolean;
  /** The exchange's words when it refused the channel. */
  refusal: string | null;
}

/** The channels of one collector, and how each stands. */
export class WatchedChannels {
  readonly #watched: ReadonlyMap<string, Watched>;

  constructor(routes: readonly Route[]) {
    this.#watched = new Map(
      routes.map((route) => [
        route.channel.key,
        { route, connection: 'connecting', message: '', subscribed: false, renewing: false, refusal: null },
      ]),
    );
  }

  get size(): number {
    return this.#watched.size;
  }

  get all(): readonly Watched[] {
    return [...this.#watched.values()];
  }

  get keys(): readonly string[] {
    return [...this.#watched.keys()];
  }

  get routes(): readonly Route[] {
    return this.all.map(({ route }) => route);
  }

  get(key: string): Watched | undefined {
    return this.#watched.get(key);
  }

  channel(key: string): Channel | undefined {
    return this.#watched.get(key)?.route.channel;
  }

  of(type: DataType): readonly Watched[] {
    return this.all.filter(({ route }) => route.channel.dataType === type);
  }

  /** Whether every channel of a type is subscribed on a live socket. */
  live(type: DataType): boolean {
    const watched = this.of(type);
    return watched.length > 0 && watched.every(({ connection, subscribed }) => connection === 'live' && subscribed);
  }

  /** As `live`, and none of them is refused or about to be subscribed again. */
  carried(type: DataType): boolean {
    return this.live(type) && this.of(type).every(({ refusal, renewing }) => refusal === null && !renewing);
  }

  /** Those whose socket used up its attempts. */
  get failed(): readonly Watched[] {
    return this.all.filter(({ connection }) => connection === 'failed');
  }

  /** What the channels come to together: of those that are not refused, one that failed, or one that still waits. */
  get sum(): { readonly alive: number; readonly failed: Watched | null; readonly waiting: Watched | null } {
    const alive = this.all.filter(({ refusal, connection }) => refusal === null && connection !== 'refused');
    return {
      alive: alive.length,
      failed: alive.find(({ connection }) => connection === 'failed') ?? null,
      waiting: alive.find(({ connection, subscribed }) => connection !== 'live' || !subscribed) ?? null,
    };
  }
}
