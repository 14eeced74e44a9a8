import { describe, expect, it } from 'vitest';
import { configExit } from '../../src/config/exit.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { type Given, refusalOf } from './load.ts';

const pair = (settings: object) => ({
  file: { exchanges: [{ exchange: 'okx', trading_pairs: [{ symbol: 'BTC-USDT', ...settings }] }] },
});
const okx = (settings: object) => ({ file: { exchanges: [{ exchange: 'okx', ...settings }] } });

/** What is wrong, how it is given, the one problem expected. */
const BROKEN: readonly [string, Given, string | RegExp][] = [
  ['a file that is not there', { argv: ['--config', 'nowhere.json'] }, /^nowhere\.json: cannot be read .*--config/],
  [
    'a file that is not JSON',
    { file: '{\n  "server": { "port": 1,, }\n}' },
    /^config\.json: is not JSON at line 2, column 25/,
  ],
  ['a file with a comment', { file: '{} // mine' }, /is not JSON at line 1, column 4/],
  ['an empty file', { file: '' }, /is not JSON at line 1, column 1/],
  ['a file cut off', { file: '{ "server": {' }, /is not JSON at line 1, column 14/],
  ['a list for a file', { file: [] }, /^the configuration: must be an object/],
  ['a number for a file', { file: 7 }, /^the configuration: must be an object/],
  [
    'backups without a key',
    { file: { backup: { every_hours: 6 } } },
    /^backup\.every_hours: needs a key to encrypt with; set BACKUP_PASSPHRASE/,
  ],
  [
    'a recipient that is none',
    { env: { BACKUP_RECIPIENTS: 'me' } },
    'BACKUP_RECIPIENTS: must be a public key of age, age1..., was "me"',
  ],
  ['an unknown key near a known one', { file: { sever: {} } }, 'sever: unknown key; did you mean server?'],
  [
    'an unknown key far from all',
    { file: { zzzzzzzz: 1 } },
    /^zzzzzzzz: unknown key; known here are server, access, database/,
  ],
  [
    'a camelCase key',
    { file: { database: { poolSize: 3 } } },
    'database.poolSize: unknown key; did you mean pool_size?',
  ],
  [
    'a key that reaches for the prototype',
    { file: '{ "server": { "__proto__": {} } }' },
    /^server\.__proto__: unknown key/,
  ],
  [
    'an unknown key of a trading pair',
    pair({ datatypes: [] }),
    'exchanges[0].trading_pairs[0].datatypes: unknown key; did you mean data_types?',
  ],
  [
    'keys of an exchange in the file',
    okx({ api_secret: 'hunter2' }),
    /^exchanges\[0\]\.api_secret: unknown key; known here are/,
  ],
  ['a section that is a list', { file: { server: [] } }, /^server: must be an object.*was a list/],
  ['a section that is null', { file: { tables: null } }, /^tables: must be an object.*was null/],
  [
    'a section that is null beside a flag for it',
    { file: { server: null }, argv: ['--port', '0'] },
    /^server: must be an object.*was null/,
  ],
  [
    'a port as text',
    { file: { server: { port: '4000' } } },
    'server.port: must be a whole number from 0 to 65535, was "4000"; leave it out for the default, 4000',
  ],
  [
    'a port out of range',
    { file: { server: { port: 65_536 } } },
    /^server\.port: must be a whole number from 0 to 65535, was 65536/,
  ],
  ['a negative port', { file: { server: { port: -1 } } }, /^server\.port: .*was -1/],
  ['a port with a fraction', { file: { server: { port: 80.5 } } }, /^server\.port: .*was 80\.5/],
  [
    'a port flag that is no number',
    { argv: ['--port', 'abc'] },
    /^--port: must be a whole number from 0 to 65535, was "abc"/,
  ],
  ['a port variable that is no number', { env: { PORT: '4e3' } }, /^PORT: must be a whole number .*was "4e3"/],
  [
    'a host that is an address of the web',
    { file: { server: { host: 'http://0.0.0.0' } } },
    /^server\.host: must be an address or a name of this machine.*was "http:\/\/0\.0\.0\.0"/,
  ],
  ['a host flag with a port', { argv: ['--host', '127.0.0.1:4000'] }, /^--host: must be an address or a name/],
  ['a host of two words', { env: { HOST: 'local host' } }, /^HOST: must be an address or a name/],
  [
    'anonymous control',
    { file: { access: { anonymous: 'control' } } },
    /^access\.anonymous: must be one of none, read, was "control"/,
  ],
  [
    'keys of tokens that come unencrypted',
    { file: { access: { jwt: { jwks_url: 'http://id.example/jwks', issuer: 'i', audience: 'a' } } } },
    /^access\.jwt\.jwks_url: must be a https:\/\/ URL/,
  ],
  [
    'an identity provider without an audience',
    { file: { access: { jwt: { jwks_url: 'https://id.example/jwks', issuer: 'i' } } } },
    /^access\.jwt\.audience: is missing, must be the audience/,
  ],
  [
    'any origin allowed',
    { file: { server: { allowed_origins: ['*'] } } },
    /^server\.allowed_origins\[0\]: must be an origin/,
  ],
  [
    'an origin with a path',
    { env: { ALLOWED_ORIGINS: 'https://a.example, https://b.example/x' } },
    /^ALLOWED_ORIGINS: must be an origin.*was "https:\/\/b\.example\/x"/,
  ],
  [
    'a database of another kind',
    { file: { database: { url: 'mysql://root@localhost/x' } } },
    /^database\.url: must be a postgres:\/\/ URL/,
  ],
  ['a database URL of another type', { file: { database: { url: 5432 } } }, /^database\.url: must be a postgres/],
  ['an empty pool', { file: { database: { pool_size: 0 } } }, /^database\.pool_size: must be a whole number from 1/],
  ['a negative overflow', { file: { database: { max_overflow: -1 } } }, /^database\.max_overflow: /],
  [
    'a pool time-out of zero',
    { file: { database: { pool_timeout: 0 } } },
    /^database\.pool_timeout: must be a number of seconds from 0\.1/,
  ],
  ['a retention of no day', { file: { database: { retention_days: 0 } } }, /^database\.retention_days: /],
  [
    'a table name with a quote',
    { file: { tables: { raw_trades: 'x"; drop table y' } } },
    /^tables\.raw_trades: must be a lower-case SQL identifier/,
  ],
  [
    'a table name in capitals',
    { file: { tables: { market_data: 'MarketData' } } },
    /^tables\.market_data: must be a lower-case/,
  ],
  [
    'a table name of 64 letters',
    { file: { tables: { market_data: 'm'.repeat(64) } } },
    /^tables\.market_data: must be a lower-case/,
  ],
  [
    'one name for two tables',
    { file: { tables: { raw_trades: 'x', market_data: 'x' } } },
    /^tables\.\w+: "x" is the name of tables\.\w+ already/,
  ],
  [
    "one table's default name for another",
    { file: { tables: { raw_trades: 'market_data' } } },
    /^tables\.raw_trades: "market_data" is the name of tables\.market_data/,
  ],
  [
    'an unknown exchange',
    { file: { exchanges: [{ exchange: 'okxx' }] } },
    'exchanges[0].exchange: must be one of okx, binance, was "okxx"; did you mean okx?',
  ],
  [
    'an exchange without a name',
    { file: { exchanges: [{}] } },
    /^exchanges\[0\]\.exchange: is missing, must be one of/,
  ],
  [
    'an exchange twice',
    { file: { exchanges: [{ exchange: 'okx' }, { exchange: 'okx' }] } },
    /^exchanges\[1\]\.exchange: okx is configured at exchanges\[0\] already/,
  ],
  [
    'a collector twice',
    okx({ trading_pairs: [{ symbol: 'BTC-USDT' }, { symbol: 'BTC-USDT' }] }),
    /^exchanges\[0\]\.trading_pairs\[1\]\.symbol: BTC-USDT is collected by trading_pairs\[0\] already/,
  ],
  [
    'a pair that is no object',
    okx({ trading_pairs: ['BTC-USDT'] }),
    /^exchanges\[0\]\.trading_pairs\[0\]: must be an object.*was "BTC-USDT"/,
  ],
  [
    'pairs that are no list',
    okx({ trading_pairs: { symbol: 'BTC-USDT' } }),
    /^exchanges\[0\]\.trading_pairs: must be a list of trading pairs, was an object/,
  ],
  ['a pair without a symbol', okx({ trading_pairs: [{}] }), /^exchanges\[0\]\.trading_pairs\[0\]\.symbol: is missing/],
  [
    'a symbol in another notation',
    pair({ symbol: 'btc/usdt' }),
    /^exchanges\[0\]\.trading_pairs\[0\]\.symbol: must be BASE-QUOTE in capitals/,
  ],
  [
    'an unknown data type',
    pair({ data_types: ['trades'] }),
    /^exchanges\[0\]\.trading_pairs\[0\]\.data_types\[0\]: must be one of .*did you mean trade\?/,
  ],
  ['no data type', pair({ data_types: [] }), /data_types: must name at least one data type/],
  ['a data type twice', pair({ data_types: ['trade', 'trade'] }), /data_types: must not name a data type twice/],
  [
    'balances without keys',
    pair({ data_types: ['balance'] }),
    /data_types\[0\]: balance needs OKX_API_KEY, OKX_API_SECRET, OKX_API_PASSPHRASE in the environment/,
  ],
  [
    'balances of an exchange that has none',
    {
      file: { exchanges: [{ exchange: 'binance', trading_pairs: [{ symbol: 'BTC-USDT', data_types: ['balance'] }] }] },
    },
    /data_types\[0\]: Binance has no balance; choose from/,
  ],
  [
    'an unknown channel',
    pair({ channels: { orderbook: 'book5' } }),
    /channels\.orderbook: OKX has no orderbook channel "book5"; did you mean books5\?/,
  ],
  [
    'a channel of another data type',
    pair({ channels: { trades: 'tickers' } }),
    /channels\.trades: OKX has no trade channel "tickers", that is one for ticker/,
  ],
  [
    'a channel twice',
    pair({ channels: { trades: 'trades', trade: 'trades-all' } }),
    /channels\.trade: says the same as trades/,
  ],
  [
    'a channel that is no text',
    pair({ channels: { ticker: 1 } }),
    /channels\.ticker: must be the name of a channel, was 1/,
  ],
  [
    'an address without encryption',
    okx({ connection: { public_ws_url: 'ws://ws.okx.com/ws' } }),
    /^exchanges\[0\]\.connection\.public_ws_url: must be a wss:\/\/ URL/,
  ],
  [
    'a REST address of a socket',
    okx({ connection: { rest_url: 'wss://www.okx.com' } }),
    /^exchanges\[0\]\.connection\.rest_url: must be a https:\/\/ URL/,
  ],
  [
    'a ping too late for OKX',
    okx({ connection: { ping_interval: 30 } }),
    /^exchanges\[0\]\.connection\.ping_interval: must be under 30 s, after which OKX cuts/,
  ],
  [
    'no reconnect attempt',
    okx({ connection: { max_reconnect_attempts: 0 } }),
    /max_reconnect_attempts: must be a whole number from 1/,
  ],
  ['a buffer of nothing', okx({ data_collection: { buffer_size: 0 } }), /data_collection\.buffer_size: /],
  [
    'a switch that is text',
    okx({ data_collection: { auto_restart: 'yes' } }),
    /data_collection\.auto_restart: must be true or false, was "yes"/,
  ],
  [
    'an unknown log level',
    { file: { logging: { level: 'TRACE' } } },
    /^logging\.level: must be one of DEBUG, INFO, WARN, ERROR, was "TRACE"/,
  ],
  ['an unknown log level in the environment', { env: { LOG_LEVEL: 'loud' } }, /^LOG_LEVEL: must be one of DEBUG/],
  [
    'an unknown log format',
    { file: { logging: { format: 'xml' } } },
    /^logging\.format: must be one of detailed, json/,
  ],
  ['no log file kept', { file: { logging: { max_files: 0 } } }, /^logging\.max_files: /],
  [
    'an unknown component',
    { file: { components: { websocket_client: {} } } },
    'components.websocket_client: unknown key; did you mean websocket_clients?',
  ],
  [
    'half of the keys',
    { env: { OKX_API_KEY: 'k' } },
    'OKX_API_KEY, OKX_API_SECRET, OKX_API_PASSPHRASE: must be set together or not at all',
  ],
  [
    'a secret twice',
    { env: { DATABASE_URL: 'postgres://a/b', DATABASE_URL_FILE: 'f' }, files: { f: 'postgres://a/b' } },
    'DATABASE_URL and DATABASE_URL_FILE: are both set; unset one of them',
  ],
  ['a secret file that is not there', { env: { DATABASE_URL_FILE: 'gone' } }, /^DATABASE_URL_FILE: cannot be read/],
];

describe('a broken configuration', () => {
  it.each(BROKEN)('with %s ends with code 78, naming its path, the rule and the way out', (_name, given, expected) => {
    const error = refusalOf(given);
    expect(configExit(error)?.code).toBe(78);
    expect(error?.problems).toEqual([typeof expected === 'string' ? expected : expect.stringMatching(expected)]);
  });

  it('is answered with all its problems at once, whatever part they are in', () => {
    const error = refusalOf({
      file: {
        server: { port: 'x', prot: 1 },
        database: 7,
        tables: { raw_trades: 'market_data' },
        exchanges: [
          { exchange: 'kraken' },
          null,
          { exchange: 'okx', trading_pairs: [{ symbol: 'b', data_types: ['balance'] }, 3] },
        ],
      },
      env: { LOG_LEVEL: 'loud', OKX_API_SECRET: 's' },
      argv: ['--host', '10.0.0.1:1'],
    });
    const paths = error?.problems.map((problem) => problem.slice(0, problem.indexOf(':')));
    expect(paths?.sort()).toEqual(
      [
        'server.port',
        'server.prot',
        'database',
        'tables.raw_trades',
        'exchanges[0].exchange',
        'exchanges[1]',
        'exchanges[2].trading_pairs[0].symbol',
        'exchanges[2].trading_pairs[0].data_types[0]',
        'exchanges[2].trading_pairs[1]',
        'LOG_LEVEL',
        'OKX_API_KEY, OKX_API_SECRET, OKX_API_PASSPHRASE',
        '--host',
      ].sort(),
    );
  });

  it('that shows only in use ends with code 78 too', () => {
    expect(configExit(new AppError('CONFIG_INVALID', 'tables.raw_trades is taken'))).toEqual({
      code: 78,
      text: expect.stringMatching(/nothing was started:\n {2}tables.raw_trades is taken$/),
    });
    expect(configExit(new AppError('DATA_DIR_IN_USE', 'pid 7'))).toBeNull();
  });

  it.each([
    ['the file', { file: { database: { url: 'postgres://me:hunter2%@db/x' } } }],
    ['the file, as a connection string of another kind', { file: { database: { url: 'host=db password=hunter2' } } }],
    ['a flag', { argv: ['--database-url', 'hunter2'] }],
    ['the environment', { env: { DATABASE_URL: 'mysql://me:hunter2@db/x' } }],
    ['a secret file', { env: { DATABASE_URL_FILE: 'f' }, files: { f: 'hunter2' } }],
    ['an address of an exchange', okx({ connection: { rest_url: 'https://me:hunter2@www.okx.com' } })],
    ['a key in the file', okx({ api_secret: 'hunter2' })],
    ['a file that is not JSON', { file: '{ "database": { "url": "postgres://me:hunter2@db/x" } ?' }],
    ['half of the keys', { env: { OKX_API_SECRET: 'hunter2' } }],
    ['a passphrase that is too short', { env: { BACKUP_PASSPHRASE: 'hunter2' } }],
  ] satisfies [string, Given][])('never shows a password from %s', (_from, given) => {
    const error = refusalOf(given);
    expect(error?.problems).toHaveLength(1);
    expect(error?.message).not.toContain('hunter2');
  });
});
