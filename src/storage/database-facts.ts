import type { Connection } from './connections.ts';
import { SCHEMA } from './tables.ts';

/** What a Postgres server is like, as far as it matters to us. */
export interface DatabaseFacts {
  /** E.g. "17.2 (Debian 17.2-1)", and 170002. */
  readonly version: string;
  readonly versionNumber: number;
  readonly encoding: string;
  readonly timeZone: string;
  /** How far our clock is ahead of the server's, ms. */
  readonly clockSkewMs: number;
  readonly roundTripMs: number;
  /** Settings that are off and let commits be lost. */
  readonly unsafe: readonly string[];
  /** The fewest of server, database and role. */
  readonly maxConnections: number;
  readonly usedConnections: number;
  readonly readOnly: boolean;
  /** What our user may not do and has to, in words. */
  readonly missing: readonly string[];
  /** Names of the migrations it has had. */
  readonly migrations: readonly string[];
}

const SETTINGS = `select current_setting('server_version') as version, current_setting('server_version_num')::int as "versionNumber",
  pg_encoding_to_char(d.encoding) as encoding, current_setting('TimeZone') as "timeZone",
  array(select name from unnest(array['fsync', 'full_page_writes', 'synchronous_commit']) name where current_setting(name) = 'off') as unsafe,
  least(current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int,
    nullif(d.datconnlimit, -1), nullif(r.rolconnlimit, -1)) as "maxConnections",
  (select count(*)::int from pg_stat_activity a where a.backend_type = 'client backend' and a.pid <> pg_backend_pid()) as "usedConnections",
  pg_is_in_recovery() or current_setting('default_transaction_read_only') = 'on' as "readOnly"
  from pg_database d, pg_roles r where d.datname = current_database() and r.rolname = current_user`;

/** A relation can be altered, and its partitions dropped, by its owner alone. */
const PRIVILEGES = `select unnest(array[
  case when to_regnamespace('${SCHEMA}') is null and not has_database_privilege(current_database(), 'create')
    then 'create on the database, for the schema ${SCHEMA}' end,
  case when has_schema_privilege(to_regnamespace('${SCHEMA}'), 'create') = false
    then 'create on the schema ${SCHEMA}' end,
  case when current_schema() is null then 'a schema in its search_path, for the views'
    when not has_schema_privilege(current_schema(), 'create') then 'create on the schema ' || current_schema() || ', for the views' end,
  (select 'ownership of ' || count(*) || ' tables in ${SCHEMA}' from pg_class c
    where c.relnamespace = to_regnamespace('${SCHEMA}') and c.relkind in ('r', 'p') and not pg_has_role(c.relowner, 'usage')
    having count(*) > 0)]) as missing`;

/** `now` is our wall time in ms. @throws {AppError} DATABASE_UNAVAILABLE. */
export async function readDatabaseFacts(connection: Connection, now: () => number): Promise<DatabaseFacts> {
  const asked = now();
  const [clock] = await connection.query<{ ms: number }>({
    text: `select (extract(epoch from clock_timestamp()) * 1000)::float8 as ms`,
  });
  const answered = now();
  const [settings] = await connection.query<Settings>({ text: SETTINGS });
  const missing = await connection.query<{ missing: string | null }>({ text: PRIVILEGES });
  if (!clock || !settings) throw new Error('Postgres gave no row to a query that always has one');
  return {
    ...settings,
    clockSkewMs: (asked + answered) / 2 - clock.ms,
    roundTripMs: Math.max(0, answered - asked),
    missing: missing.flatMap((row) => row.missing ?? []),
    migrations: await readMigrations(connection),
  };
}

type Settings = Omit<DatabaseFacts, 'clockSkewMs' | 'roundTripMs' | 'missing' | 'migrations'>;

async function readMigrations(connection: Connection): Promise<readonly string[]> {
  const [found] = await connection.query<{ readable: boolean | null }>({
    text: `select has_schema_privilege(to_regnamespace('${SCHEMA}'), 'usage')
      and has_table_privilege(to_regclass('${SCHEMA}.__drizzle_migrations'), 'select') as readable`,
  });
  if (!found?.readable) return [];
  const rows = await connection.query<{ name: string }>({
    text: `select name from ${SCHEMA}.__drizzle_migrations order by name`,
  });
  return rows.map(({ name }) => name);
}
