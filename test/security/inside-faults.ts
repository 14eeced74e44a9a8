import { DrizzleQueryError } from 'drizzle-orm/errors';
import { AppError } from '../../src/runtime/errors.ts';

/** As drivers, Node and libraries say it: with a code, and all that is none of a client's business. */
const coded = (code: string, message: string, more: object = {}): Error =>
  Object.assign(new Error(message), { code, ...more });

const AT_DATABASE = {
  address: '10.11.12.13',
  port: 5432,
  host: 'db.internal',
  query: 'select * from tcp_dashboard.trade',
};
const refused = () => coded('ECONNREFUSED', 'connect ECONNREFUSED 10.11.12.13:5432', AT_DATABASE);

/** What may go wrong behind the API. */
export const FAULTS: Readonly<Record<string, () => unknown>> = {
  'the database is down': refused,
  'the database is down on two addresses': () => new AggregateError([refused(), refused()], ''),
  'its name is unknown': () => coded('ENOTFOUND', 'getaddrinfo ENOTFOUND db.internal', AT_DATABASE),
  'its socket is gone': () => coded('ENOENT', 'connect ENOENT /var/run/postgresql/.s.PGSQL.5432'),
  'it was killed in the middle': () => new Error('Connection terminated unexpectedly'),
  'it shuts down': () => coded('57P01', 'terminating connection due to administrator command', AT_DATABASE),
  'it is too slow': () =>
    coded('57014', 'canceling statement due to statement timeout', { where: 'SQL statement "select"' }),
  'the pool is exhausted': () => new Error('timeout exceeded when trying to connect'),
  'a table was renamed': () => coded('42P01', 'relation "tcp_dashboard.trade" does not exist', { position: '15' }),
  'a column was dropped': () => coded('42703', 'column "trade_id" of relation "trade" does not exist'),
  'a function was dropped': () => coded('42883', 'function tcp_dashboard.record(bytea) does not exist'),
  'its disk is full': () => coded('53100', 'could not extend file "base/16384/2619": No space left on device'),
  'a page is damaged': () => coded('XX001', 'invalid page in block 7 of relation base/16384/2619'),
  'a table may not be read': () => coded('42501', 'permission denied for table trade'),
  'its password was changed': () => coded('28P01', 'password authentication failed for user "tcp"'),
  'the database was dropped': () => coded('3D000', 'database "tcp" does not exist'),
  'it is in recovery': () => coded('25006', 'cannot execute INSERT in a read-only transaction'),
  'two wait for each other': () =>
    coded('40P01', 'deadlock detected', { detail: 'Process 7 waits for ShareLock; select 1' }),
  'it does not take a value': () => coded('22P02', 'invalid input syntax for type bigint: "x"'),
  'a statement failed, says the library': () =>
    new DrizzleQueryError(
      'select "id" from "tcp_dashboard"."trade" where "id" = $1',
      ['secret'],
      coded('XX000', 'cache lookup failed'),
    ),
  'the embedded database fell over': () =>
    Object.assign(new Error('unreachable'), {
      name: 'RuntimeError',
      stack: 'RuntimeError: unreachable\n at wasm://wasm/pglite:1',
    }),
  'the disk of the spool is full': () =>
    coded('ENOSPC', "ENOSPC: no space left on device, write '/srv/data/spool/spool.db'"),
  'the spool is away': () => coded('ERR_SQLITE_ERROR', 'disk I/O error: /srv/data/spool/spool.db', { errcode: 10 }),
  'the spool is away, in our words': () =>
    new AppError('SPOOL_UNAVAILABLE', 'Cannot write /srv/data/spool/spool.db', { cause: refused() }),
  'a file may not be read': () => coded('EACCES', "EACCES: permission denied, open '/srv/data/access/tokens.json'"),
  'no more files can be opened': () =>
    coded('EMFILE', "EMFILE: too many open files, open '/srv/app/src/server/landing.html'"),
  'a bug': () =>
    new TypeError("Cannot read properties of undefined (reading 'rows') at /srv/app/src/storage/trades.ts:12:3"),
  'a bug without an end': () => new RangeError('Maximum call stack size exceeded'),
  'a text is thrown': () => 'select 1 from /srv/app/src',
  'nothing is thrown': () => undefined,
  'an object that looks like an error of GraphQL': () => ({
    message: 'at /srv/app/src/x.ts:1',
    extensions: { code: 'LEAKED', stacktrace: ['at node_modules/pg'] },
  }),
  'a backup is broken': () => new AppError('BACKUP_DAMAGED', '/srv/backups/2026.tcpd ends too early'),
  'another writes': () => new AppError('WRITER_FENCED', 'slot 1 is held by pid 77 on db.internal'),
  'the keys of tokens cannot be fetched': () =>
    coded('ERR_JWKS_TIMEOUT', 'request to https://id.internal/jwks.json timed out'),
};

/** What is none of a client's business: places, statements, addresses, where in the code, what it is made of. */
export const INSIDE: Readonly<Record<string, RegExp>> = {
  'a path': /(?:^|[^:\w])\/(?:srv|var|home|tmp|work|usr|etc|opt|root)\/|[A-Z]:\\\\|\b[\w-]+\.[cm]?[jt]s\b|base\/\d+/,
  'a statement':
    /\b(?:select|insert|update|delete|truncate|copy)\b.*\b(?:from|into|set|where)\b|tcp_dashboard\.|relation "|\$\d/i,
  'a host': /\b\d{1,3}(?:\.\d{1,3}){3}\b|\.internal\b|:5432\b/,
  'a place in the code': /\bat (?:\S+ \()?(?:file:|node:|wasm:|\/\S+:\d)|stack|:\d+:\d+/i,
  'a library': /drizzle|pglite|node_modules|graphql-yoga|pothos|sqlite|postgres|\bpg\b|\bjose\b|wasm|undici/i,
  'a code of the inside':
    /\b(?:E[A-Z]{4,}|[0-9]{2}[0-9A-Z]P?\d{2}|XX00\d|LEAKED|ERR_\w+|SPOOL_\w+|WRITER_\w+|BACKUP_\w+)\b/,
  'a name of the inside': /\btrade_id\b|"tcp"|properties of|\bpid \d|ShareLock|tokens\.json|jwks/,
};
