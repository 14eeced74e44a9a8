import { type Client, createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import {
  GIVEN_TRADE,
  type Position,
  positionOf,
  type StreamedTrade,
  type SubscriberLog,
  type TradesFilter,
} from './published.ts';

export interface ReceivedTrade extends StreamedTrade {
  readonly provenance: 'LIVE' | 'BACKFILL' | 'RECONCILED';
  /** By our monotonic clock, ms. */
  readonly at: number;
}

export interface SubscriberOptions {
  readonly name: string;
  /** The server's base address; asked at every attempt, as it may move. */
  readonly url: () => string;
  readonly filter?: TradesFilter;
  /** How long to wait before coming back, ms. */
  readonly waitMs?: () => number;
}

/** A client that comes back for ever, each time after the cursor of the last payload it read, and keeps what it got. */
export interface Subscriber extends AsyncDisposable {
  readonly name: string;
  readonly entries: readonly ReceivedTrade[];
  /** Connections that delivered at least one payload. */
  readonly sessions: number;
  /** Codes of GraphQL errors it was answered with. */
  readonly errors: readonly string[];
  /** Where it stands; null before the first payload. */
  readonly position: Position | null;
  log(): SubscriberLog;
  /** Destroys its socket without a word; false when it has none just now. */
  cut(): boolean;
}

/** What both kinds of client keep. */
export class Received {
  readonly entries: ReceivedTrade[] = [];
  readonly errors: string[] = [];
  sessions = 0;
  cursor: string | null = null;
  #start: Position | null = null;

  take({ cursor, edges }: TradesPayload): void {
    const at = performance.now();
    for (const edge of edges) this.entries.push({ ...edge.node, position: positionOf(edge.cursor), at });
    this.cursor = cursor;
    this.#start ??= positionOf(cursor);
  }

  get position(): Position | null {
    return this.cursor === null ? null : positionOf(this.cursor);
  }

  log(name: string, filter: TradesFilter): SubscriberLog {
    return { name, filter, entries: [...this.entries], start: this.#start, end: this.position };
  }
}

export interface TradesPayload {
  readonly cursor: string;
  readonly edges: readonly { readonly cursor: string; readonly node: Omit<ReceivedTrade, 'at' | 'position'> }[];
}

export const TRADES_STREAM = `
  subscription ($after: Cursor, $symbols: [String!], $side: Side, $minSize: Decimal) {
    trades(after: $after, symbols: $symbols, side: $side, minSize: $minSize, delivery: { mode: LOSSLESS }) {
      cursor edges { cursor node { ${GIVEN_TRADE} provenance } }
    }
  }`;

class ImpatientSocket extends WebSocket {
  constructor(address: string, protocols: string | string[]) {
    super(address, protocols, { handshakeTimeout: 5_000 });
  }
}

export interface ResumingOptions<Data> {
  readonly url: () => string;
  /** A subscription with `$after: Cursor`. */
  readonly query: string;
  readonly variables: () => Record<string, unknown>;
  /** Takes one answer; `first`: of its session. */
  readonly take: (data: Data, first: boolean) => void;
  readonly refused: (code: string) => void;
  readonly waitMs?: () => number;
}

/** One subscription over a WebSocket, with the client most people use, begun again for ever. */
export function startResuming<Data>(options: ResumingOptions<Data>): AsyncDisposable & Pick<Subscriber, 'cut'> {
  const { url, query, variables, take, refused, waitMs = () => 50 + Math.random() * 100 } = options;
  const leaving = new AbortController();
  let socket: WebSocket | null = null;
  const tellAll = (errors: readonly { message: string; extensions?: { code?: unknown } | undefined }[]) => {
    for (const error of errors) refused(String(error.extensions?.code ?? error.message));
  };

  const session = async (): Promise<void> => {
    const ended = Promise.withResolvers<void>();
    const client: Client = createClient({
      url: `${url().replace('http', 'ws')}/graphql`,
      webSocketImpl: ImpatientSocket,
      retryAttempts: 0,
      lazy: false,
      keepAlive: 5_000, // else a server that died without a word is waited for
      onNonLazyError: () => ended.resolve(),
      on: {
        opened: (opened) => {
          socket = opened as WebSocket;
        },
        closed: () => ended.resolve(),
      },
    });
    let first = true;
    client.subscribe<Data>(
      { query, variables: variables() },
      {
        next: ({ data, errors }) => {
          tellAll(errors ?? []);
          if (!data) return;
          take(data, first);
          first = false;
        },
        error: (error) => {
          if (Array.isArray(error)) tellAll(error);
          ended.resolve();
        },
        complete: () => ended.resolve(),
      },
    );
    leaving.signal.addEventListener('abort', () => ended.resolve(), { once: true });
    await ended.promise;
    await Promise.resolve(client.dispose()).catch(() => {}); // it waits for an attempt to connect, which may fail
    socket?.terminate();
    socket = null;
  };

  const life = (async () => {
    while (!leaving.signal.aborted) {
      await session();
      if (!leaving.signal.aborted) await new Promise((resolve) => setTimeout(resolve, waitMs()));
    }
  })();

  return {
    cut: () => {
      const open = socket?.readyState === WebSocket.OPEN;
      if (open) socket?.terminate();
      return open;
    },
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      await life;
    },
  };
}

export function startSubscriber({ name, url, filter = {}, waitMs }: SubscriberOptions): Subscriber {
  const received = new Received();
  const stream = startResuming<{ trades?: TradesPayload }>({
    ...{ url, query: TRADES_STREAM, ...(waitMs && { waitMs }) },
    variables: () => ({ ...filter, ...(received.cursor === null ? {} : { after: received.cursor }) }),
    refused: (code) => received.errors.push(code),
    take: ({ trades }, first) => {
      if (!trades) return;
      if (first) received.sessions += 1;
      received.take(trades);
    },
  });
  return {
    name,
    entries: received.entries,
    errors: received.errors,
    get sessions() {
      return received.sessions;
    },
    get position() {
      return received.position;
    },
    log: () => received.log(name, filter),
    ...stream,
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}
