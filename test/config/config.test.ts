import { resolve } from 'node:path';
import { inspect } from 'node:util';
import { describe, expect, it } from 'vitest';
import { CommandLineExit } from '../../src/config/command-line.ts';
import { configExit } from '../../src/config/exit.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import { type Given, load } from './load.ts';

/** The file every contract of this project is written against. */
const EXAMPLE = {
  server: { host: '127.0.0.1', port: 4000 },
  database: { url: null, pool_size: 10, max_overflow: 20, pool_timeout: 30, pool_recycle: 3600 },
  tables: { market_data: 'market_data', raw_trades: 'raw_trades', collector_status: 'collector_status' },
  exchanges: [
    {
      exchange: 'okx',
      connection: {
        public_ws_url: 'wss://ws.okx.com:8443/ws/v5/public',
        business_ws_url: 'wss://ws.okx.com:8443/ws/v5/business',
        private_ws_url: 'wss://ws.okx.com:8443/ws/v5/private',
        rest_url: 'https://www.okx.com',
        ping_interval: 25.0,
        pong_timeout: 10.0,
        max_reconnect_attempts: 5,
        reconnect_delay: 5.0,
      },
      data_collection: { store_raw_data: true, health_check_interval: 30.0, auto_restart: true, buffer_size: 1000 },
      trading_pairs: [
        {
          symbol: 'BTC-USDT',
          enabled: true,
          data_types: ['trade', 'orderbook'],
          channels: { trades: 'trades', orderbook: 'books5', ticker: 'tickers' },
        },
      ],
    },
  ],
  logging: {
    level: 'INFO',
    format: 'detailed',
    console_output: true,
    file_output: true,
    cleanup: true,
    max_files: 30,
    log_directory: './logs',
  },
  components: {
    data_collectors: { level: 'INFO', verbose: false },
    websocket_clients: { level: 'DEBUG', verbose: true },
  },
};

const KEYS = { OKX_API_KEY: 'canary-key', OKX_API_SECRET: 'canary-secret', OKX_API_PASSPHRASE: 'canary-words' };

describe('the configuration', () => {
  it('takes the example of the contract as it is', () => {
    const config = load({ file: EXAMPLE });
    expect(config).toMatchObject({
      ...EXAMPLE,
      exchanges: [
        {
          ...EXAMPLE.exchanges[0],
          trading_pairs: [
            {
              symbol: 'BTC-USDT',
              enabled: true,
              data_types: ['trade', 'orderbook'],
              channels: { trade: 'trades', orderbook: 'books5', ticker: 'tickers' },
            },
          ],
        },
      ],
    });
  });

  it('has the defaults the contract names when nothing is said', () => {
    const config = load({});
    const { server, database, tables, logging } = EXAMPLE;
    expect(config).toMatchObject({
      server,
      database,
      tables,
      logging,
      data_dir: resolve('data'),
      secrets: [],
      credentials: {},
    });
    expect(config.exchanges).toHaveLength(1);
    expect(config.exchanges[0]).toMatchObject({
      exchange: 'okx',
      connection: EXCHANGES.okx.connection,
      data_collection: EXAMPLE.exchanges[0]?.data_collection,
    });
    expect(config.exchanges[0]?.trading_pairs).toEqual(
      ['BTC-USDT', 'ETH-USDT'].map((symbol) => ({
        symbol,
        enabled: true,
        data_types: ['ticker', 'trade', 'orderbook', 'candle'],
        channels: {},
      })),
    );
  });

  it('fills a partial connection from the exchange', () => {
    const config = load({
      file: { exchanges: [{ exchange: 'binance', connection: { rest_url: 'http://127.0.0.1:8080' } }] },
    });
    expect(config.exchanges[0]?.connection).toEqual({
      ...EXCHANGES.binance.connection,
      rest_url: 'http://127.0.0.1:8080',
    });
  });

  it('lets a flag win over the environment, that over the file, that over the default', () => {
    const file = { server: { port: 1 }, logging: { level: 'ERROR' } };
    const port = (given: Given) => load(given).server.port;
    expect(port({})).toBe(4000);
    expect(port({ file })).toBe(1);
    expect(port({ file, env: { PORT: '2' } })).toBe(2);
    expect(port({ file, env: { PORT: '2' }, argv: ['--port', '3'] })).toBe(3);
    expect(port({ file, env: { PORT: '' } })).toBe(1);
    expect(port({ file, env: { PORT: 'wrong' }, argv: ['--port=0'] })).toBe(0);
  });

  it('reads every flag and variable', () => {
    const url = (given: Given) => load(given).database.url?.reveal();
    expect(load({ argv: ['--data-dir', 'a', '--host', '::1'], env: { DATA_DIR: 'b' } })).toMatchObject({
      data_dir: resolve('a'),
      server: { host: '::1' },
    });
    expect(load({ env: { DATA_DIR: 'b', HOST: 'localhost' } })).toMatchObject({
      data_dir: resolve('b'),
      server: { host: 'localhost' },
    });
    expect(load({ env: { ALLOWED_ORIGINS: 'https://a.example, http://b:8080' } }).server.allowed_origins).toEqual([
      'https://a.example',
      'http://b:8080',
    ]);
    expect(load({ env: { CONFIG_FILE: 'f' }, files: { f: '{"server":{"port":7}}' } }).server.port).toBe(7);
    expect(url({ env: { DATABASE_URL: 'postgres://a/env' }, argv: ['--database-url', 'postgresql://a/flag'] })).toBe(
      'postgresql://a/flag',
    );
    expect(url({ env: { DATABASE_URL_FILE: 'f' }, files: { f: 'postgres://a/file\n' } })).toBe('postgres://a/file');
  });

  it('lets LOG_LEVEL overrule the level of every component', () => {
    const config = load({ file: EXAMPLE, env: { LOG_LEVEL: 'warn' } });
    expect(config.logging.level).toBe('WARN');
    expect(config.components.websocket_clients).toEqual({ verbose: true });
    expect(load({ file: EXAMPLE }).components.websocket_clients.level).toBe('DEBUG');
  });

  it('allows balances once the keys are in the environment or in files it names', () => {
    const file = { exchanges: [{ exchange: 'okx', trading_pairs: [{ symbol: 'BTC-USDT', data_types: ['balance'] }] }] };
    expect(load({ file, env: KEYS }).credentials.okx?.passphrase.reveal()).toBe('canary-words');
    const { OKX_API_SECRET, ...rest } = KEYS;
    const fromFile = { file, env: { ...rest, OKX_API_SECRET_FILE: 's' }, files: { s: `${OKX_API_SECRET}\n` } };
    expect(load(fromFile).credentials.okx?.secret.reveal()).toBe('canary-secret');
  });

  it('prints no secret, however it is shown', () => {
    const backup = {
      BACKUP_PASSPHRASE: 'canary of a backup',
      BACKUP_IDENTITY_FILE: 'key',
    };
    const config = load({
      env: { ...KEYS, ...backup, DATABASE_URL: 'postgres://me:can%40ry@db/x' },
      files: { key: '# public key: age1...\nAGE-SECRET-KEY-1CANARY\n' },
    });
    const shown = [
      JSON.stringify(config),
      inspect(config, { depth: 9, showHidden: true }),
      `${config.database.url}`,
    ].join();
    expect(shown).not.toMatch(/canary|can%40ry|can@ry/i);
    expect(config.secrets.map((secret) => secret.reveal()).sort()).toEqual(
      [
        ...['can%40ry', 'can@ry', 'canary-key', 'canary-secret', 'canary-words', 'postgres://me:can%40ry@db/x'],
        ...['canary of a backup', '# public key: age1...\nAGE-SECRET-KEY-1CANARY', 'AGE-SECRET-KEY-1CANARY'],
      ].sort(),
    );
  });

  it('cannot be changed', () => {
    const config = load({ file: EXAMPLE });
    const frozen = (value: unknown): boolean =>
      typeof value !== 'object' || value === null || (Object.isFrozen(value) && Object.values(value).every(frozen));
    expect(frozen(config)).toBe(true);
  });
});

describe('the command line', () => {
  const exitOf = (argv: readonly string[]) => {
    try {
      load({ argv });
    } catch (error) {
      expect(error).toBeInstanceOf(CommandLineExit);
      return configExit(error);
    }
    return null;
  };

  it('explains every flag with --help', () => {
    const help = exitOf(['--help']);
    expect(help?.code).toBe(0);
    for (const flag of ['--config', '--host', '--port', '--data-dir', '--database-url', '--version'])
      expect(help?.text).toContain(flag);
  });

  it('prints the version', () => {
    expect(exitOf(['--version'])).toEqual({ code: 0, text: expect.stringMatching(/^\d+\.\d+\.\d+$/) });
  });

  it.each([[['--prot', '1']], [['--port']], [['surplus']]])('ends with code 2 and a hint for %j', (argv) => {
    expect(exitOf(argv)).toEqual({ code: 2, text: expect.stringContaining('--help') });
  });
});
