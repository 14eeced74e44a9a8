import { finished } from 'node:stream/promises';
import { drizzle, type NodePgDatabase } from 'drizzle-orm/node-postgres';
import pg from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import { messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { reached } from './database-errors.ts';
import type { Address } from './database-url.ts';

/** Drizzle over a pool or over one connection of it. */
export type Handle = NodePgDatabase;

/** Longest wait for a server to take a connection. */
const CONNECT_MS = 2_000;
/** Longest wait for running statements when a pool closes. */
const CLOSE_MS = 5_000;

/** How one kind of work uses its connections. Times in ms; null leaves a statement unbounded. */
export interface Use {
  readonly name: string;
  readonly max: number;
  readonly keep: number;
  /** Bound of the server; must be smaller than `answerMs`. */
  readonly statementMs: number | null;
  /** Bound of the client, for a server that went silent: the connection is then destroyed. */
  readonly answerMs: number | null;
  readonly waitMs: number;
  readonly recycleMs: number;
}

/** The options of one connection. A connection cut off by a silent network is found by keep-alive. */
export function clientOptions(address: Address, use: Pick<Use, 'name' | 'statementMs' | 'answerMs'>): pg.ClientConfig {
  return {
    ...address,
    application_name: `tcp-dashboard ${use.name}`,
    connectionTimeoutMillis: CONNECT_MS,
    keepAlive: true,
    keepAliveInitialDelayMillis: 10_000,
    ...(use.statementMs !== null && { statement_timeout: use.statementMs }),
    ...(use.answerMs !== null && { query_timeout: use.answerMs }),
  };
}

/** A bounded pool. Every call throws {AppError} DATABASE_UNAVAILABLE for what may pass with time. */
export class Connections implements AsyncDisposable {
  readonly #pool: pg.Pool;
  readonly #handle: Handle;

  constructor(address: Address, use: Use, log: Log) {
    class BoundedClient extends pg.Client {
      // The pool's own bound is the wait for a free connection, which may be longer than one attempt to connect.
      constructor() {
        super(clientOptions(address, use));
      }
    }
    this.#pool = new pg.Pool({
      Client: BoundedClient,
      max: use.max,
      min: use.keep,
      connectionTimeoutMillis: use.waitMs,
      idleTimeoutMillis: 10_000,
      maxLifetimeSeconds: Math.max(1, Math.round(use.recycleMs / 1000)),
      // Our longest reads go over many partitions: compiling them takes longer than running them.
      // oxlint-disable-next-line typescript/no-misused-promises -- the pool waits for it; only its type does not say so
      onConnect: async (client) => {
        await client.query('set jit = off');
      },
    });
    const lost = (error: Error) =>
      log.warn('A database connection was lost', { pool: use.name, error: messageOf(error) });
    this.#pool.on('error', lost);
    this.#pool.on('connect', (client) => client.on('error', lost));
    this.#handle = drizzle({ client: this.#pool });
  }

  /** Each statement may use another connection. */
  run<T>(work: (handle: Handle) => Promise<T>): Promise<T> {
    return reached(() => work(this.#handle));
  }

  /** All or nothing. */
  transaction<T>(work: (handle: Handle) => Promise<T>): Promise<T> {
    return reached(() => this.#handle.transaction(work));
  }

  /** What several statements read is of one moment. */
  snapshot<T>(work: (handle: Handle) => Promise<T>): Promise<T> {
    const config = { isolationLevel: 'repeatable read', accessMode: 'read only' } as const;
    return reached(() => this.#handle.transaction(work, config));
  }

  /** One statement past Drizzle, for answers whose rows are read by the million. */
  query<Row extends pg.QueryResultRow>(query: pg.QueryConfig): Promise<readonly Row[]> {
    return reached(async () => (await this.#pool.query<Row>(query)).rows);
  }

  get open(): number {
    return this.#pool.totalCount;
  }

  get waiting(): number {
    return this.#pool.waitingCount;
  }

  /** Waits for running work, but not for ever. Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#pool.ending) return;
    const { promise: late, resolve } = Promise.withResolvers<void>();
    const cut = setTimeout(resolve, CLOSE_MS);
    await Promise.race([this.#pool.end(), late]);
    clearTimeout(cut);
  }
}

/** How a connection plans its statements: anew for the values that come with them, or once for all. */
const PLANS = {
  anew: 'set plan_cache_mode = force_custom_plan',
  once: 'set plan_cache_mode = force_generic_plan',
} as const;

/** One connection with an owner, outside the pools. Statements go one after the other. */
export class Connection {
  readonly #client: pg.Client;
  readonly handle: Handle;
  #lost: Error | null = null;
  #plans: keyof typeof PLANS | null = null;

  private constructor(client: pg.Client) {
    this.#client = client;
    this.handle = drizzle({ client });
    client.on('error', (error) => {
      this.#lost ??= error;
    });
    client.on('end', () => {
      this.#lost ??= new Error('Connection terminated');
    });
  }

  static open(address: Address, use: Pick<Use, 'name' | 'statementMs' | 'answerMs'>): Promise<Connection> {
    return reached(async () => {
      const connection = new Connection(new pg.Client(clientOptions(address, use)));
      await connection.#client.connect();
      return connection;
    });
  }

  get lost(): boolean {
    return this.#lost !== null;
  }

  /** The server's own number of this connection; null on the embedded database, where all share one. */
  get backend(): number | null {
    return (this.#client as pg.Client & { readonly processID: number | null }).processID;
  }

  /** A closure of pg holds what is sent, and V8 makes it where it looks only at full collections: megabytes a second of dead batches. */
  query<Row extends pg.QueryResultRow>({ values = [], ...query }: pg.QueryConfig): Promise<readonly Row[]> {
    const sent = [...values];
    return reached(async () => {
      try {
        return (await this.#client.query<Row>({ ...query, values: sent })).rows;
      } finally {
        sent.length = 0;
      }
    });
  }

  /**
   * From now on; a round trip where it is another way than before. Call it outside of transactions, as it would be undone with one. On the
   * embedded database always anew, as it would hold for everybody's statements.
   */
  async plan(wanted: keyof typeof PLANS): Promise<void> {
    const how = this.backend === null ? 'anew' : wanted;
    if (this.#plans === how) return;
    await this.query({ text: PLANS[how] });
    this.#plans = how;
  }

  /** The rows of a COPY ... TO STDOUT, all at once: ask for as many as fit into memory. */
  copyOut(text: string): Promise<Buffer> {
    return reached(async () => Buffer.concat(await Array.fromAsync<Buffer>(this.#client.query(copyTo(text)))));
  }

  /** Sends the rows of a COPY ... FROM STDIN. */
  copyIn(text: string, rows: Uint8Array): Promise<void> {
    return reached(async () => {
      const copying = this.#client.query(copyFrom(text));
      copying.end(rows);
      await finished(copying);
    });
  }

  /** What `work` did is kept when it returns with an outcome that `keeps` says yes to, and undone otherwise. */
  async transaction<T>(work: () => Promise<T>, keeps: (outcome: T) => boolean = () => true): Promise<T> {
    await this.query({ text: 'begin' });
    try {
      const outcome = await work();
      await this.query({ text: keeps(outcome) ? 'commit' : 'rollback' });
      return outcome;
    } catch (error) {
      if (!this.lost) await this.query({ text: 'rollback' }).catch(() => {});
      throw error;
    }
  }

  /** Gives up politely for a second, then cuts. Repeating changes nothing. */
  async close(): Promise<void> {
    this.#lost ??= new Error('Connection terminated');
    const cut = setTimeout(() => this.cut(), 1_000);
    await this.#client.end().catch(() => {});
    clearTimeout(cut);
  }

  /** Ends the socket at once: whatever the server was doing has an unknown outcome. */
  cut(): void {
    this.#lost ??= new Error('Connection terminated');
    (
      this.#client as pg.Client & { readonly connection: { readonly stream: { destroy(): void } } }
    ).connection.stream.destroy();
  }
}
