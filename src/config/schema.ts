import type { z } from 'zod';
import { EXCHANGES, type ExchangeId } from '../exchanges/registry.ts';
import { DATA_TYPES, type DataType } from '../market/data-type.ts';
import { LIMITS, type Rule } from '../runtime/limits.ts';
import { isNetwork } from '../runtime/outgoing.ts';
import { TLS_VERSIONS } from '../runtime/tls-floor.ts';
import {
  exchangeUrl,
  group,
  isHost,
  isPostgresUrl,
  list,
  oneOf,
  seconds,
  text,
  wholeNumber,
  yesOrNo,
} from './rules.ts';

const DAY_S = 86_400;

const level = () => oneOf(['DEBUG', 'INFO', 'WARN', 'ERROR']);

const tableName = () =>
  text(
    'must be a lower-case SQL identifier: a letter or _, then letters, digits or _, 63 at most, not starting with pg_',
    (name) => /^(?!pg_)[a-z_][a-z0-9_]{0,62}$/.test(name),
  );

const server = group({
  host: text('must be an address or a name of this machine, such as 127.0.0.1, or 0.0.0.0 for all', isHost)
    .default('127.0.0.1')
    .describe('Address to listen on. One that others reach needs a token or `access.jwt`.'),
  port: wholeNumber(0, 65_535).default(4000).describe('0 takes any free port; the ready line names it.'),
  allowed_origins: list(
    'must be a list of origins',
    text(
      'must be an origin, such as https://dash.example.com, without a path',
      (value) => URL.parse(value)?.origin === value,
    ),
  )
    .default([])
    .describe('Origins of web pages, besides our own, that may use the API in a browser.'),
  trusted_documents: text('must be the path of a JSON file', (path) => path !== '')
    .nullable()
    .default(null)
    .describe('File with a JSON object of ids and the only documents that are taken; null for all.'),
});

const pemFile = () =>
  text('must be the path of a PEM file', (path) => path !== '')
    .nullable()
    .default(null);

const tls = group({
  cert_file: pemFile().describe(
    'Certificate the API is served with, followed by those that vouch for it; null for no encryption. Read again when it changes.',
  ),
  key_file: pemFile().describe('Its private key; readable by the server only.'),
  outgoing_min_version: oneOf(TLS_VERSIONS)
    .default('TLSv1.2')
    .describe(
      'Lowest version of TLS towards exchanges and identity providers; towards the database it is 1.3. The newest both sides know is used anyway.',
    ),
});

const outgoing = group({
  allowed_networks: list(
    'must be a list of networks',
    text('must be an address or a network, such as 10.1.0.0/16 or fd00::/8', isNetwork),
  )
    .default([])
    .describe(
      'Private networks where exchanges or the identity provider may be, as behind a proxy or a mirror of your own. Others than public addresses are refused.',
    ),
});

const most = (rule: Rule, meaning: string, from = 1) =>
  wholeNumber(from, 1_000_000_000).default(LIMITS[rule]).describe(meaning);

const limits = group({
  tokens: most('tokens', 'Tokens of a document at most.', 200),
  depth: most('depth', 'Fields within fields at most; what is asked of the schema itself may go 15 deep.'),
  aliases: most('aliases', 'Aliases of an operation at most.', 0),
  root_fields: most('root_fields', 'Fields at the root of an operation at most.'),
  directives: most('directives', 'Directives of a document at most.', 0),
  selections: most(
    'selections',
    'Fields and fragments of an operation at most, fragments counted where they are spread.',
  ),
  repeats: most('repeats', 'Fields of one name side by side in an operation at most.'),
  cost: most('cost', 'What an operation may cost by its arguments: about the number of values of its answer.', 1_000),
  list_length: most('list_length', 'Values in one list of an argument at most; some take fewer.'),
  time_span_days: most('time_span_days', 'Days between `from` and `to` of candles and coverage at most.'),
  body_bytes: most('body_bytes', 'Bytes of a request over HTTP at most.', 1_024),
  message_bytes: most('message_bytes', 'Bytes of a message over WebSocket at most.', 1_024),
  operations_per_socket: most('operations_per_socket', 'Operations at a time on one WebSocket at most.'),
  operations_per_principal: most(
    'operations_per_principal',
    'Operations of one token, of one subject of a JWT or, without either, of one address at a time at most: over all WebSockets, and event streams. Not where this machine needs no token.',
  ),
  operations: most('operations', 'Operations on WebSockets, and event streams, of everybody at a time at most.'),
  subscribes_per_second: most(
    'subscribes_per_second',
    'Operations begun a second on one WebSocket at most; five seconds of them at once.',
  ),
  init_seconds: most('init_seconds', 'Seconds a WebSocket has to introduce itself in.'),
  unread_bytes: most(
    'unread_bytes',
    'Bytes a WebSocket leaves unread before its subscriptions wait; at sixteen times as many it is cut.',
    1_024,
  ),
  connections: most('connections', 'Connections at most: requests, event streams and WebSockets.'),
  connections_per_address: most(
    'connections_per_address',
    'The same from one address; those from this machine, such as a proxy on it, are not counted.',
  ),
}).describe('What one client may ask for.');

const access = group({
  anonymous: oneOf(['none', 'read'])
    .nullable()
    .default(null)
    .describe(
      'What may be done without a token. null: everything while there are no tokens and only this machine reaches the server, else nothing.',
    ),
  graphiql: yesOrNo()
    .default(false)
    .describe('GraphiQL also where tokens are needed. It has an editor for headers and never holds a token.'),
  jwt: group({
    jwks_url: exchangeUrl('http').describe('Where the identity provider gives the public keys of its tokens.'),
    issuer: text('must be the issuer of the tokens, as their `iss` says', (value) => value !== ''),
    audience: text('must be the audience of the tokens, as their `aud` says', (value) => value !== ''),
    role_claim: text('must be the name of a claim', (value) => value !== '')
      .default('roles')
      .describe('The claim that names roles: one, or a list. Others are ignored.'),
  })
    .nullable()
    .default(null),
});

const database = group({
  url: text('must be a postgres:// URL; percent-encode special characters of its password', isPostgresUrl)
    .meta({ secret: true })
    .nullable()
    .default(null)
    .describe(
      'PostgreSQL 15 or newer; null for the embedded database in the data directory. `?sslmode=verify-full` encrypts.',
    ),
  pool_size: wholeNumber(1, 1_000).default(10).describe('Connections kept open.'),
  max_overflow: wholeNumber(0, 1_000).default(20).describe('Connections above pool_size under load.'),
  pool_timeout: seconds(0.1, 600).default(30).describe('Longest wait for a free connection, in seconds.'),
  pool_recycle: seconds(1, 30 * DAY_S)
    .default(3600)
    .describe('Age at which a connection is replaced, in seconds.'),
  spool_limit_mb: wholeNumber(16, 1_000_000)
    .default(4_096)
    .describe('Disk space trades may take in the data directory while the database is away, in MB.'),
  retention_days: wholeNumber(1, 36_500)
    .default(730)
    .describe('Days after which stored data is dropped, a whole partition at a time.'),
  audit_retention_days: wholeNumber(1, 36_500)
    .default(400)
    .describe('Days after which entries of the audit log are dropped.'),
});

const tables = group({
  market_data: tableName().default('market_data').describe('Relation of tickers, order books, candles and balances.'),
  raw_trades: tableName().default('raw_trades').describe('Relation of trades.'),
  collector_status: tableName().default('collector_status').describe('Relation of the collectors and their state.'),
});

const connection = group({
  public_ws_url: exchangeUrl('ws').optional().describe('Socket for public data.'),
  business_ws_url: exchangeUrl('ws')
    .optional()
    .describe('Socket for candles and single trades, where the exchange has one of its own.'),
  private_ws_url: exchangeUrl('ws').optional().describe('Socket for balances.'),
  rest_url: exchangeUrl('http').optional().describe('Base of the REST API.'),
  ping_interval: seconds(0.05, 3_600)
    .optional()
    .describe(
      'Longest silence after which we ping, in seconds; under the idle cut of the exchange. A busy socket is pinged earlier.',
    ),
  pong_timeout: seconds(0.05, 3_600)
    .optional()
    .describe('Longest wait for the answer before the socket counts as dead, in seconds; 5 at most for a busy socket.'),
  max_reconnect_attempts: wholeNumber(1, 1_000_000)
    .optional()
    .describe(
      'Attempts in a row without data before the collector reports `error`; it goes on trying, an exchange that takes its sockets once in 30 to 60 s.',
    ),
  reconnect_delay: seconds(0.001, 3_600)
    .optional()
    .describe(
      'Longest jittered wait between two attempts, in seconds; a tenth of the time the exchange has been away where that is more, a minute at most.',
    ),
});

const dataCollection = group({
  store_raw_data: yesOrNo().default(true).describe("Keep the exchange's own payload with every trade."),
  health_check_interval: seconds(0.05, 3_600)
    .default(30)
    .describe(
      'Half the silence after which a stream counts as stalled, in seconds, unless its own rhythm is slower or the exchange has nothing newer. By evidence it counts as stalled earlier.',
    ),
  auto_restart: yesOrNo().default(true).describe('Restart a collector in `error`, with growing waits, for ever.'),
  buffer_size: wholeNumber(1, 1_000_000)
    .default(1000)
    .describe(
      'Trades that may wait for storage, added up over the collectors (at least 4096), before sockets are held back.',
    ),
  ticker_sample_interval: seconds(0, DAY_S)
    .default(10)
    .describe('Time between two stored tickers of a pair, in seconds; 0 stores all. Subscribers get all.'),
  orderbook_sample_interval: seconds(0, DAY_S)
    .default(30)
    .describe('Time between two stored order books of a pair, in seconds; 0 stores all. Subscribers get all.'),
  orderbook_stored_levels: wholeNumber(1, 5_000).default(25).describe('Levels of each side in a stored order book.'),
  store_forming_candles: yesOrNo()
    .default(false)
    .describe('Store every update of a candle; false stores closed candles only.'),
});

const channelName = () => text('must be the name of a channel', (name) => name !== '');

/** A data type's own word and, where people expect it, its plural. */
const channels = group({
  trades: channelName().optional(),
  trade: channelName().optional(),
  ticker: channelName().optional(),
  orderbook: channelName().optional(),
  candles: channelName().optional(),
  candle: channelName().optional(),
  balance: channelName().optional(),
}).meta({ rule: 'must name a channel of the exchange per data type: trades, ticker, orderbook, candles, balance' });

const tradingPair = group({
  symbol: text('must be BASE-QUOTE in capitals, such as BTC-USDT', (symbol) =>
    /^[A-Z0-9]{1,20}(-[A-Z0-9]{1,20}){1,4}$/.test(symbol),
  ).describe('Canonical symbol.'),
  enabled: yesOrNo().default(true).describe('false leaves the pair out.'),
  data_types: list(
    'must be a list of data types, without repeats',
    oneOf(DATA_TYPES as readonly [DataType, ...DataType[]]),
  )
    .min(1, { error: 'must name at least one data type; use "enabled": false to leave the pair out' })
    .refine((types) => new Set(types).size === types.length, { error: 'must not name a data type twice' })
    .optional()
    .describe('What to collect: ticker, trade, orderbook, candle, balance. By default everything that needs no key.'),
  channels: channels.prefault({}).describe("The exchange's channel per data type, where not its default."),
});

const exchange = group({
  exchange: oneOf(Object.keys(EXCHANGES) as [ExchangeId, ...ExchangeId[]]).describe('Id of the exchange.'),
  connection: connection.prefault({}),
  data_collection: dataCollection.prefault({}),
  trading_pairs: list('must be a list of trading pairs', tradingPair).default([]),
});

const component = group({
  level: level().optional().describe('By default logging.level.'),
  verbose: yesOrNo().default(false).describe('Longer field values (2,000 characters instead of 500) and stack traces.'),
});

const logging = group({
  level: level().default('INFO').describe('The least that is logged.'),
  format: oneOf(['detailed', 'json'])
    .default('detailed')
    .describe('One line for people, or one JSON object, an event.'),
  console_output: yesOrNo().default(true).describe('Log to standard output.'),
  file_output: yesOrNo().default(true).describe('Log to a file a day in log_directory.'),
  cleanup: yesOrNo().default(true).describe('Remove the oldest log files above max_files.'),
  max_files: wholeNumber(1, 10_000).default(30).describe('Log files kept, the present one not counted.'),
  log_directory: text('must be the path of a directory', (path) => path !== '')
    .default('./logs')
    .describe('Made when absent.'),
});

const components = group({
  server: component.prefault({}),
  data_collectors: component.prefault({}),
  websocket_clients: component.prefault({}),
  storage: component.prefault({}),
  graphql: component.prefault({}),
});

const backup = group({
  every_hours: wholeNumber(1, 8_760)
    .nullable()
    .default(null)
    .describe('The server makes and verifies a backup this often, in hours; null for never.'),
  directory: text('must be the path of a directory', (path) => path !== '')
    .default('./backups')
    .describe('Where backups lie; made when absent, for its owner only.'),
  recipients: list(
    'must be a list of age recipients',
    text('must be a public key of age, age1...', (value) => /^age1[a-z0-9]{20,}$/.test(value)),
  )
    .default([])
    .describe('Public keys backups are encrypted for; with none BACKUP_PASSPHRASE encrypts them.'),
  keep: wholeNumber(1, 10_000).default(7).describe('Verified backups that are kept.'),
  keep_days: wholeNumber(1, 36_500)
    .default(30)
    .describe('Days after which a backup goes; the last verified one always stays.'),
});

/** What is collected when nothing is said. */
const DEFAULT_EXCHANGES = [
  { exchange: 'okx', trading_pairs: [{ symbol: 'BTC-USDT' }, { symbol: 'ETH-USDT' }] },
] as const;

/** The configuration file, with every default; how parts must fit together is in consistency.ts. */
export const CONFIG_FILE = group({
  server: server.prefault({}),
  access: access.prefault({}),
  database: database.prefault({}),
  tables: tables.prefault({}),
  exchanges: list('must be a list of exchanges', exchange).prefault(
    DEFAULT_EXCHANGES.map(({ exchange, trading_pairs }) => ({ exchange, trading_pairs: [...trading_pairs] })),
  ),
  tls: tls.prefault({}),
  outgoing: outgoing.prefault({}),
  limits: limits.prefault({}),
  backup: backup.prefault({}),
  logging: logging.prefault({}),
  components: components.prefault({}),
});

export type ConfigFile = z.infer<typeof CONFIG_FILE>;
