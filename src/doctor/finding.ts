/** How bad it is: `fail` keeps the server from doing its work, `warn` will one day or makes it worse. */
export type Level = 'ok' | 'warn' | 'fail';

/** Everything that is looked at, in the order it is told. docs/operations.md lists the same; a test compares them. */
export const CHECKS = {
  configuration: 'Whether file, environment and flags are understood.',
  'node-version': 'Whether this Node can run the server.',
  memory: 'Whether the machine, or what the process may have of it, is enough.',
  'open-files': 'Whether the process may open as many files and sockets as `limits.connections` lets in.',
  'data-directory': 'Whether it can be written and is closed to others.',
  'data-directory-owner': 'Whether a server is at work on it.',
  'log-directory': 'Whether log files can be written.',
  disk: 'Whether data, logs and backups have room.',
  port: 'Whether the server can listen.',
  certificate: 'Whether the API has a certificate that fits its key and is valid for two more weeks.',
  tokens: 'Whether there are tokens where others reach the server, and none has expired or soon will.',
  'token-file': 'Whether what is kept of them is closed to others.',
  'database-reach': 'Whether the database answers, and how fast.',
  'database-version': 'Whether it is new enough.',
  'database-encoding': 'Whether it keeps every character.',
  'database-time-zone': 'Whether SQL by hand shows times in UTC, as the API does.',
  'database-clock': 'Whether its clock and ours agree.',
  'database-durability': 'Whether a commit outlives a power cut.',
  'database-connections': 'Whether it lets in as many connections as we may open.',
  'database-privileges': 'Whether our user may make tables, views and partitions.',
  'database-migrations': 'Whether its tables are of this version.',
  'exchange-rest': 'Whether the REST API of an exchange answers, and how fast.',
  'exchange-clock': "Whether the exchange's clock and ours agree.",
  'exchange-symbols': 'Whether the exchange trades what is to be collected.',
  'exchange-socket': 'Whether its sockets open, and how fast.',
  'backup-schedule': 'Whether backups are made by themselves.',
  'backup-keys': 'Whether they can be encrypted, and opened here.',
  'backup-directory': 'Whether they can be written and are closed to others.',
  'backup-age': 'Whether the newest that counts is young enough.',
} as const satisfies Record<string, string>;

export type Check = keyof typeof CHECKS;

/** One line of the report. Holds no secret. */
export interface Finding {
  readonly check: Check;
  /** What it is about where there may be several: an exchange, a directory; null where the check says it. */
  readonly of: string | null;
  readonly level: Level;
  /** What was found, in words. */
  readonly found: string;
  /** What to do; null when nothing is. */
  readonly advice: string | null;
}

type Said = readonly [check: Check, found: string, advice: string];

export const ok = (check: Check, found: string, of: string | null = null): Finding => ({
  ...{ check, of, level: 'ok', found, advice: null },
});

export const warn = (...[check, found, advice, of = null]: [...Said, of?: string | null]): Finding => ({
  ...{ check, of, level: 'warn', found, advice },
});

export const fail = (...[check, found, advice, of = null]: [...Said, of?: string | null]): Finding => ({
  ...{ check, of, level: 'fail', found, advice },
});
