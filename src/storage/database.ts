import { sql } from 'drizzle-orm';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { Connection, Connections, type Use } from './connections.ts';
import { codeOf, isUnavailable } from './database-errors.ts';
import { type Address, readDatabaseUrl } from './database-url.ts';
import { EmbeddedServer } from './embedded/embedded-server.ts';
import { exclusively, migrateTables } from './migrate.ts';
import { ensureMonthsAhead } from './partitions.ts';
import { checkNames, makeViews } from './views.ts';

/** How and where the trades are kept. Times are in ms. */
export interface DatabaseOptions {
  /** A `postgres://` URL; null for the embedded database in `dataDir`. */
  readonly url: string | null;
  /** Used only when `url` is null; made (mode 0700) when absent. */
  readonly dataDir: string;
  /** Connections kept open while idle. */
  readonly poolSize: number;
  /** Connections above `poolSize` under load. */
  readonly maxOverflow: number;
  /** Longest wait for a free connection. */
  readonly poolTimeoutMs: number;
  /** Age at which a connection is replaced. */
  readonly poolRecycleMs: number;
  readonly tables: TableNames;
  readonly log: Log;
  readonly clock: Clock;
  /** Ends the wait for a database that does not answer yet. */
  readonly interrupted?: AbortSignal | undefined;
}

/** The names of the three public relations; plain lower-case SQL identifiers. */
export interface TableNames {
  readonly marketData: string;
  readonly rawTrades: string;
  readonly collectorStatus: string;
}

export interface Database extends AsyncDisposable {
  readonly kind: 'embedded' | 'postgres';
  /** Postgres' own version, e.g. "18.6". */
  readonly serverVersion: string;
  /** For queries of the API: bounded in number and time, so that they never hold up recording. */
  readonly readers: Connections;
  /** For everything that is kept, but for trades, whose writer has a connection of its own. */
  readonly writers: Connections;
  /** First days of the months whose partitions are there, ms; a hint, `ensurePartitions` keeps it. */
  readonly knownMonths: Set<number>;
  /** Ids of instruments by exchange and symbol, with a space between; those that were asked for (instruments.ts). */
  readonly knownInstruments: Map<string, number>;
  /** Writer slots held by this process. */
  readonly heldSlots: Set<number>;
  /** The clock's wall time, ms. */
  now(): number;
  /** A connection for one owner. */
  connect(name: string): Promise<Connection>;
  /** @throws {AppError} DATABASE_UNAVAILABLE within 3 s when the database does not answer. */
  ping(): Promise<void>;
}

/** Oldest server whose features we use (a unique merge of partitions, jsonb and BRIN as in 15). */
const OLDEST_VERSION = 15;
/** How long a server that starts later than we do is waited for. */
const FIRST_CONNECTION_MS = 30_000;
const FIRST_RETRY_MS = 500;
const PING_MS = 2_800;
const WRITERS = 2;
/** Taken from the readers' number: the pool above and one trade writer. */
const NOT_READERS = WRITERS + 1;

/**
 * Opens, locks (embedded), migrates, makes the views and creates partitions ahead.
 * @throws {AppError} DATA_DIR_IN_USE, DATABASE_TOO_OLD, DATABASE_UNAVAILABLE, CONFIG_INVALID for an unusable URL or table name; the reason of `interrupted`.
 */
export async function openDatabase(options: DatabaseOptions): Promise<Database> {
  const { url, dataDir, log, clock } = options;
  checkNames(options.tables);
  await using opening = new AsyncDisposableStack();
  const address =
    url === null ? opening.use(await EmbeddedServer.start(dataDir, clock, log)).address : readDatabaseUrl(url);
  const kind = url === null ? 'embedded' : 'postgres';
  const serverVersion = await setUp(address, options);
  const readers = opening.use(new Connections(address, readerUse(kind, options), log));
  const writers = opening.use(new Connections(address, writerUse(kind, options), log));
  const db = new OpenDatabase({ kind, serverVersion, readers, writers, address, clock });
  await ensureMonthsAhead(db, clock.now());
  log.info('The database is open', { kind, serverVersion });
  db.own(opening.move());
  return db;
}

/** Migrates and makes the views, while no other server does; returns the server's version. */
async function setUp(address: Address, options: DatabaseOptions): Promise<string> {
  const connection = await firstConnection(address, options);
  try {
    const serverVersion = await checkVersion(connection);
    await exclusively(connection, async () => {
      await migrateTables(connection);
      await makeViews(connection.handle, options.tables);
    });
    return serverVersion;
  } finally {
    await connection.close();
  }
}

async function firstConnection(address: Address, { clock, log, interrupted }: DatabaseOptions): Promise<Connection> {
  const deadline = clock.monotonic() + FIRST_CONNECTION_MS;
  for (let wait = FIRST_RETRY_MS; ; wait = Math.min(4_000, wait * 2)) {
    try {
      return await Connection.open(address, { name: 'setup', statementMs: null, answerMs: null });
    } catch (error) {
      const refused = /^(28...|3D000|42501)$/.test(codeOf(error instanceof AppError ? error.cause : error));
      if (refused || !isUnavailable(error) || clock.monotonic() + wait > deadline) throw error;
      log.warn('The database does not answer yet; trying again', { error: messageOf(error), inMs: wait });
      await clock.sleep(wait, interrupted);
    }
  }
}

async function checkVersion(connection: Connection): Promise<string> {
  const [row] = await connection.query<{ server_version: string; number: number }>({
    text: `select current_setting('server_version') as server_version, current_setting('server_version_num')::int as number`,
  });
  const version = row?.server_version ?? 'unknown';
  if (row && row.number >= OLDEST_VERSION * 10_000) return version;
  throw new AppError('DATABASE_TOO_OLD', `PostgreSQL ${OLDEST_VERSION} or newer is needed, the server is ${version}.`);
}

/** Bounds of one statement. The client waits a little longer than the server, whose error is the clearer one. */
function bounds(kind: Database['kind'], ms: { readonly postgres: number; readonly embedded: number }) {
  return kind === 'embedded'
    ? { statementMs: null, answerMs: ms.embedded } // PGlite ignores statement_timeout
    : { statementMs: ms.postgres, answerMs: ms.postgres + 700 };
}

function readerUse(kind: Database['kind'], options: DatabaseOptions): Use {
  const max = Math.max(1, options.poolSize + options.maxOverflow - NOT_READERS);
  const keep = Math.min(max, Math.max(0, options.poolSize - NOT_READERS));
  const { poolTimeoutMs: waitMs, poolRecycleMs: recycleMs } = options;
  return { name: 'readers', max, keep, waitMs, recycleMs, ...bounds(kind, { postgres: 2_000, embedded: 15_000 }) };
}

function writerUse(kind: Database['kind'], options: DatabaseOptions): Use {
  const { poolTimeoutMs: waitMs, poolRecycleMs: recycleMs } = options;
  return {
    name: 'writers',
    max: WRITERS,
    keep: 1,
    waitMs,
    recycleMs,
    ...bounds(kind, { postgres: 5_000, embedded: 30_000 }),
  };
}

interface Opened {
  readonly kind: Database['kind'];
  readonly serverVersion: string;
  readonly readers: Connections;
  readonly writers: Connections;
  readonly address: Address;
  readonly clock: Clock;
}

class OpenDatabase implements Database {
  readonly kind: Database['kind'];
  readonly serverVersion: string;
  readonly readers: Connections;
  readonly writers: Connections;
  readonly knownMonths = new Set<number>();
  readonly knownInstruments = new Map<string, number>();
  readonly heldSlots = new Set<number>();
  readonly #address: Address;
  readonly #clock: Clock;
  readonly #owned = new AsyncDisposableStack();

  constructor({ kind, serverVersion, readers, writers, address, clock }: Opened) {
    this.kind = kind;
    this.serverVersion = serverVersion;
    this.readers = readers;
    this.writers = writers;
    this.#address = address;
    this.#clock = clock;
  }

  now(): number {
    return this.#clock.now();
  }

  connect(name: string): Promise<Connection> {
    return Connection.open(this.#address, { name, ...bounds(this.kind, { postgres: 5_000, embedded: 30_000 }) });
  }

  async ping(): Promise<void> {
    const answered = new AbortController();
    const late = this.#clock.sleep(PING_MS, answered.signal).then(() => {
      throw new AppError('DATABASE_UNAVAILABLE', `The database did not answer within ${PING_MS} ms`);
    });
    try {
      await Promise.race([this.readers.run((handle) => handle.execute(sql`select 1`)), late]);
    } finally {
      late.catch(() => {});
      answered.abort();
    }
  }

  /** Closed with the database, in the opposite order of opening. */
  own(resources: AsyncDisposableStack): void {
    this.#owned.use(resources);
  }

  /** Repeating changes nothing. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
