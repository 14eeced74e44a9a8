import { resolve } from 'node:path';
import type { ConnectionConfig } from '../exchanges/adapter.ts';
import { EXCHANGES, type ExchangeId } from '../exchanges/registry.ts';
import { type DataType, PUBLIC_DATA_TYPES } from '../market/data-type.ts';
import { Secret } from '../runtime/secret.ts';
import type { TracingSettings } from '../runtime/tracing-settings.ts';
import { dataTypeOfChannelKey } from './channels.ts';
import { type CalledAs, type Flags, readCommandLine } from './command-line.ts';
import { consistencyProblems, credentialNames } from './consistency.ts';
import { readJsonFile } from './json-file.ts';
import { type Environment, Variables, withOverrides } from './overrides.ts';
import { ConfigError, pathText, problemsOf } from './problems.ts';
import { CONFIG_FILE, type ConfigFile } from './schema.ts';
import { collectorSecrets, readTracing } from './tracing.ts';

/** All settings, valid, complete and frozen, in the words of the configuration file; times are in seconds. */
export interface Config {
  readonly server: Readonly<ConfigFile['server']>;
  readonly access: Readonly<ConfigFile['access']>;
  readonly tls: Readonly<ConfigFile['tls']>;
  readonly outgoing: Readonly<ConfigFile['outgoing']>;
  readonly limits: Readonly<ConfigFile['limits']>;
  /** Directory of the embedded database, absolute; used when `database.url` is null. */
  readonly data_dir: string;
  readonly database: Readonly<Omit<ConfigFile['database'], 'url'>> & { readonly url: Secret | null };
  readonly tables: Readonly<ConfigFile['tables']>;
  readonly exchanges: readonly ExchangeSettings[];
  readonly backup: BackupSettings;
  readonly logging: LoggingSettings;
  readonly components: ComponentSettings;
  /** Null: no traces are sent. */
  readonly tracing: TracingSettings | null;
  /** Keys from the environment, by exchange; absent where none are set. */
  readonly credentials: Readonly<Partial<Record<ExchangeId, SecretCredentials>>>;
  /** Every value that must never be printed. */
  readonly secrets: readonly Secret[];
}

export interface ExchangeSettings {
  readonly exchange: ExchangeId;
  readonly connection: ConnectionConfig;
  readonly data_collection: Readonly<ConfigFile['exchanges'][number]['data_collection']>;
  readonly trading_pairs: readonly TradingPair[];
}

export interface TradingPair {
  readonly symbol: string;
  readonly enabled: boolean;
  readonly data_types: readonly DataType[];
  /** The exchange's channel per data type; its default where one is missing. */
  readonly channels: Readonly<Partial<Record<DataType, string>>>;
}

/** `passphrase` encrypts and opens backups, `identity` opens those made for a recipient; null where none is set. */
export type BackupSettings = Readonly<ConfigFile['backup']> & BackupSecrets;

interface BackupSecrets {
  readonly passphrase: Secret | null;
  readonly identity: Secret | null;
}

export type LoggingSettings = Readonly<ConfigFile['logging']>;
export type ComponentSettings = Readonly<ConfigFile['components']>;

export interface SecretCredentials {
  readonly key: Secret;
  readonly secret: Secret;
  readonly passphrase: Secret;
}

export interface ConfigSources {
  /** The arguments after the script's name. */
  readonly argv: readonly string[];
  /** By default `npm start`. */
  readonly called?: CalledAs;
  readonly env: Environment;
  /** Reads a text file; throws when it cannot. */
  readonly readFile: (path: string) => string;
}

/**
 * Reads the configuration: flags win over the environment, that over the file, that over the defaults.
 * @throws {ConfigError} naming everything that is wrong at once (exit code 78).
 * @throws {CommandLineExit} for --help, --version and flags that cannot be understood.
 */
export function loadConfig({ argv, called, env, readFile }: ConfigSources): Config {
  const flags = readCommandLine(argv, called);
  const variables = new Variables(env, readFile);
  const problems: string[] = [];

  const file = readFileSettings(flags.config ?? variables.read('CONFIG_FILE'), readFile, problems);
  const { merged, sources } = withOverrides(file, flags, variables);
  const parsed = CONFIG_FILE.safeParse(merged);
  const nameOf = (path: readonly PropertyKey[]) => sources.get(pathText(path.slice(0, 2))) ?? pathText(path);
  for (const issue of parsed.error?.issues ?? []) problems.push(...problemsOf(issue, CONFIG_FILE, merged, nameOf));

  const credentials = readCredentials(variables, problems);
  const backup = readBackupSecrets(variables, problems);
  if (parsed.data) problems.push(...backupProblems(parsed.data.backup, backup), ...tlsProblems(parsed.data.tls));
  problems.push(...consistencyProblems(merged, (exchange) => Object.hasOwn(credentials, exchange)));
  problems.push(...variables.problems);
  if (!parsed.success || problems.length > 0) throw new ConfigError(problems);

  const settings = sources.has('logging.level') ? withoutComponentLevels(parsed.data) : parsed.data;
  const dataDir = dataDirectory(flags, variables);
  return deepFreeze(complete(settings, { credentials, backup, dataDir, variables }));
}

function readFileSettings(path: string | undefined, readFile: (path: string) => string, problems: string[]): unknown {
  if (path === undefined) return {};
  const read = readJsonFile(path, readFile);
  if ('value' in read) return read.value;
  problems.push(read.problem);
  return {}; // flags and environment are still checked
}

const dataDirectory = (flags: Flags, variables: Variables): string =>
  resolve(flags.dataDir ?? variables.read('DATA_DIR') ?? './data');

function readCredentials(variables: Variables, problems: string[]): Config['credentials'] {
  const credentials: Partial<Record<ExchangeId, SecretCredentials>> = {};
  for (const id of Object.keys(EXCHANGES) as ExchangeId[]) {
    const names = credentialNames(id);
    const [key, secret, passphrase] = names.map((name) => variables.read(name));
    if (key !== undefined && secret !== undefined && passphrase !== undefined)
      credentials[id] = { key: new Secret(key), secret: new Secret(secret), passphrase: new Secret(passphrase) };
    else if (key !== undefined || secret !== undefined || passphrase !== undefined)
      problems.push(`${names.join(', ')}: must be set together or not at all`);
  }
  return credentials;
}

const SHORTEST_PASSPHRASE = 12;

function readBackupSecrets(variables: Variables, problems: string[]): BackupSecrets {
  const [passphrase = null, identity = null] = ['BACKUP_PASSPHRASE', 'BACKUP_IDENTITY'].map((name) =>
    variables.read(name),
  );
  if (passphrase !== null && passphrase.length < SHORTEST_PASSPHRASE)
    problems.push(`BACKUP_PASSPHRASE: must have at least ${SHORTEST_PASSPHRASE} characters; its value is not shown`);
  return { passphrase: toSecret(passphrase), identity: toSecret(identity) };
}

const toSecret = (text: string | null): Secret | null => (text === null ? null : new Secret(text));

/** A schedule that could never make a backup is told of at the start, not in the night. */
const backupProblems = (settings: ConfigFile['backup'], { passphrase }: BackupSecrets): readonly string[] =>
  settings.every_hours === null || passphrase !== null || settings.recipients.length > 0
    ? []
    : [
        'backup.every_hours: needs a key to encrypt with; set BACKUP_PASSPHRASE or BACKUP_PASSPHRASE_FILE, or name backup.recipients',
      ];

const tlsProblems = ({ cert_file, key_file }: ConfigFile['tls']): readonly string[] =>
  (cert_file === null) === (key_file === null)
    ? []
    : ['tls.cert_file, tls.key_file: must be set together or not at all; name the PEM files of both'];

/** LOG_LEVEL is for everything: what the file says about components gives way. */
function withoutComponentLevels(settings: ConfigFile): ConfigFile {
  const components = structuredClone(settings.components);
  for (const component of Object.values(components)) delete component.level;
  return { ...settings, components };
}

interface BesideTheFile {
  readonly credentials: Config['credentials'];
  readonly backup: BackupSecrets;
  readonly dataDir: string;
  readonly variables: Variables;
}

function complete(file: ConfigFile, { credentials, backup, dataDir, variables }: BesideTheFile): Config {
  const url = file.database.url === null ? null : new Secret(file.database.url);
  return {
    ...file,
    data_dir: dataDir,
    database: { ...file.database, url },
    exchanges: file.exchanges.map(completeExchange),
    backup: { ...file.backup, ...backup, directory: resolve(file.backup.directory) },
    tracing: readTracing(variables),
    credentials,
    secrets: [
      ...collectorSecrets(variables),
      ...(url ? databaseSecrets(url) : []),
      ...backupSecrets(backup),
      ...Object.values(credentials).flatMap((keys) => Object.values<Secret>({ ...keys })),
    ],
  };
}

function completeExchange(settings: ConfigFile['exchanges'][number]): ExchangeSettings {
  const adapter = EXCHANGES[settings.exchange];
  const given = Object.entries(settings.connection).filter(([, value]) => value !== undefined);
  return {
    ...settings,
    connection: { ...adapter.connection, ...Object.fromEntries(given) },
    trading_pairs: settings.trading_pairs.map((pair) => ({
      symbol: pair.symbol,
      enabled: pair.enabled,
      data_types: pair.data_types ?? PUBLIC_DATA_TYPES.filter((type) => adapter.dataTypes.includes(type)),
      channels: Object.fromEntries(
        Object.entries(pair.channels).flatMap(([key, name]) =>
          name === undefined ? [] : [[dataTypeOfChannelKey(key), name]],
        ),
      ),
    })),
  };
}

/** Of an identity also each line: one may turn up alone. */
const backupSecrets = ({ passphrase, identity }: BackupSecrets): readonly Secret[] => [
  ...(passphrase ? [passphrase] : []),
  ...(identity ? [identity, ...keyLines(identity).map((line) => new Secret(line))] : []),
];

const keyLines = (identity: Secret): readonly string[] => identity.reveal().match(/^AGE-SECRET-KEY-\S+/gm) ?? [];

/** The URL, and its password as written and as meant: each may turn up in a driver's message. */
function databaseSecrets(url: Secret): readonly Secret[] {
  const password = URL.parse(url.reveal())?.password ?? '';
  return password === '' ? [url] : [url, new Secret(password), new Secret(decodeURIComponent(password))];
}

function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  for (const inner of Object.values(value)) deepFreeze(inner);
  return Object.freeze(value);
}
