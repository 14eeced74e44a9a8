import type { ConnectionConfig } from '../exchanges/adapter.ts';
import type { Client } from './client.ts';
import type { Fault } from './fault.ts';
import type { Feed } from './feed.ts';

export interface RestCall {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: Readonly<Record<string, string | undefined>>;
  /** Ms since epoch. */
  readonly now: number;
  /** Oldest trade time REST knows. */
  readonly oldest: number;
}

export interface RestAnswer {
  readonly status: number;
  readonly body: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** How one exchange talks. The host knows sockets, clocks and faults; a dialect knows words. */
export interface Dialect {
  readonly feed: Feed;
  /** New connections one address may open. */
  readonly connectLimit: { readonly count: number; readonly perMs: number };
  /** How far back REST reaches, in ms. */
  readonly historyMs: number;
  /** Which sockets live at this path; null where there are none. */
  endpointOf(path: string): string | null;
  connected(client: Client, url: URL): void;
  received(client: Client, text: string): void;
  /** Every inbound frame, control frames too: for limits on their number. */
  heard?(client: Client): void;
  /** Some twenty times a second and socket: heartbeats and idle cuts. */
  tend(client: Client, monotonic: number): void;
  rest(call: RestCall): RestAnswer;
  /** What REST answers to a client that is too fast. */
  tooFast(status: number, retryAfterS: number): RestAnswer;
  /** Tells a socket that it will be closed soon. */
  announceEnd(client: Client, now: number): void;
  sendError(client: Client, fault: Fault): void;
  /** The addresses to configure for a server at `authority`, e.g. "127.0.0.1:9000", and how its sockets are kept. */
  connection(authority: string): ConnectionConfig;
}
