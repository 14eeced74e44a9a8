import type { Config } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import { Connection } from '../storage/connections.ts';
import { codeOf } from '../storage/database-errors.ts';
import { type DatabaseFacts, readDatabaseFacts } from '../storage/database-facts.ts';
import { readDatabaseUrl } from '../storage/database-url.ts';
import { knownMigrations } from '../storage/migrate.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const OLDEST_VERSION = 15;
const SLOW_MS = 50;
const SKEW_WARN_MS = 1_000;
/** Retention and partitions go by the clock. */
const SKEW_FAIL_MS = 60_000;
const ANSWER_MS = 5_000;

/** What Postgres' codes mean for whoever set it up; anything else is about the way there. */
const REFUSALS: ReadonlyMap<string, string> = new Map([
  ['28P01', 'Correct user and password in DATABASE_URL; special characters are percent-encoded.'],
  ['28000', 'Let this user and address in by pg_hba.conf, or correct DATABASE_URL.'],
  ['3D000', 'Make it: createdb, or correct the name at the end of DATABASE_URL.'],
  ['53300', 'Raise max_connections of the server, or end what else is connected.'],
  ['57P03', 'It is starting or stopping; ask again in a minute.'],
  ['ENOTFOUND', 'Correct the host in DATABASE_URL.'],
  ['ECONNREFUSED', 'Start it, or correct host and port in DATABASE_URL.'],
]);
const ON_THE_WAY = 'Look whether it runs, at host and port in DATABASE_URL, and at firewalls between.';

/** The database of DATABASE_URL as the server would meet it; the embedded one is opened by the server alone. */
export async function checkDatabase({ database }: Config, clock: Clock): Promise<readonly Finding[]> {
  if (database.url === null) return [ok('database-reach', 'the embedded one: the server opens it itself')];
  const begun = clock.monotonic();
  let connection: Connection;
  try {
    const address = readDatabaseUrl(database.url.reveal());
    connection = await Connection.open(address, { name: 'doctor', statementMs: ANSWER_MS, answerMs: ANSWER_MS });
  } catch (error) {
    const code = codeOf(error instanceof AppError && error.cause ? error.cause : error);
    return [fail('database-reach', messageOf(error), REFUSALS.get(code) ?? ON_THE_WAY)];
  }
  try {
    const tookMs = clock.monotonic() - begun;
    const facts = await readDatabaseFacts(connection, () => clock.now());
    const connections = database.pool_size + database.max_overflow;
    return [reach(tookMs, facts.roundTripMs), ...judge(facts, connections, await knownMigrations())];
  } catch (error) {
    return [fail('database-reach', messageOf(error), ON_THE_WAY)];
  } finally {
    await connection.close();
  }
}

function reach(connectMs: number, roundTripMs: number): Finding {
  const found = `connected in ${Math.round(connectMs)} ms, answers in ${roundTripMs.toFixed(1)} ms`;
  if (roundTripMs <= SLOW_MS) return ok('database-reach', found);
  return warn('database-reach', found, 'Put the server near its database: each commit waits for several answers.');
}

/** Every figure has its sentence; `connections` is what the pools may open. */
export const judge = (facts: DatabaseFacts, connections: number, known: readonly string[]): readonly Finding[] => [
  version(facts),
  encoding(facts),
  timeZone(facts),
  clockOf(facts),
  durability(facts),
  room(facts, connections),
  privileges(facts),
  migrations(facts, known),
];

function version({ versionNumber, version: found }: DatabaseFacts): Finding {
  if (versionNumber >= OLDEST_VERSION * 10_000) return ok('database-version', `PostgreSQL ${found}`);
  return fail('database-version', `PostgreSQL ${found}`, `Use PostgreSQL ${OLDEST_VERSION} or newer.`);
}

function encoding({ encoding: found }: DatabaseFacts): Finding {
  if (found === 'UTF8') return ok('database-encoding', found);
  const advice = "Make a database with it: create database NAME encoding 'UTF8' template template0";
  return fail('database-encoding', `${found}, UTF8 is needed`, advice);
}

function timeZone({ timeZone: found }: DatabaseFacts): Finding {
  if (/^(Etc\/)?(UTC|UCT|Universal|Zulu|GMT)$/i.test(found)) return ok('database-time-zone', found);
  const advice = "Times are stored right; to see them in UTC: alter role current_user set timezone = 'UTC'";
  return warn('database-time-zone', `${found}: SQL by hand shows other times than the API`, advice);
}

function clockOf({ clockSkewMs, roundTripMs }: DatabaseFacts): Finding {
  const found = `ours is ${Math.abs(Math.round(clockSkewMs))} ms ${clockSkewMs < 0 ? 'behind' : 'ahead'}, give or take ${Math.ceil(roundTripMs / 2)}`;
  const sure = Math.max(0, Math.abs(clockSkewMs) - roundTripMs / 2);
  const advice = 'Let both clocks be set by NTP (timedatectl set-ntp true, chrony).';
  if (sure > SKEW_FAIL_MS) return fail('database-clock', found, advice);
  return sure > SKEW_WARN_MS ? warn('database-clock', found, advice) : ok('database-clock', found);
}

function durability({ unsafe }: DatabaseFacts): Finding {
  if (unsafe.length === 0) return ok('database-durability', 'commits wait for the disk');
  const advice = 'Set it to on, where trades should outlive a power cut of the database.';
  return warn('database-durability', unsafe.map((name) => `${name} is off`).join(', '), advice);
}

/** Beside the pools: the writer of trades, and a backup. */
const OTHER_CONNECTIONS = 2;

function room({ maxConnections, usedConnections }: DatabaseFacts, connections: number): Finding {
  const [needed, left] = [connections + OTHER_CONNECTIONS, maxConnections - usedConnections];
  const found = `${left} of ${maxConnections} are free, we may open ${needed}`;
  if (left >= needed) return ok('database-connections', found);
  const advice = 'Lower database.pool_size and max_overflow, or raise the connections of server, database and role.';
  return warn('database-connections', found, advice);
}

function privileges({ missing, readOnly }: DatabaseFacts): Finding {
  if (readOnly)
    return fail('database-privileges', 'it is read-only', 'Name the primary in DATABASE_URL, not a replica.');
  if (missing.length === 0) return ok('database-privileges', 'all that are needed');
  return fail(
    'database-privileges',
    `our user lacks: ${missing.join('; ')}`,
    'Grant it, or let our user own the database.',
  );
}

function migrations({ migrations: had }: DatabaseFacts, known: readonly string[]): Finding {
  const [newer, left] = [had.filter((name) => !known.includes(name)), known.filter((name) => !had.includes(name))];
  if (newer.length > 0) {
    const advice = 'Start the version that made them, or a newer one; one version older still works with them.';
    return warn('database-migrations', `${newer.length} of a newer version: ${newer.join(', ')}`, advice);
  }
  if (had.length === 0) return ok('database-migrations', 'no tables yet; the first start makes them');
  if (left.length === 0) return ok('database-migrations', `all ${known.length}`);
  return warn(
    'database-migrations',
    `${left.length} to come: ${left.join(', ')}`,
    'Make a backup; the next start does them.',
  );
}
