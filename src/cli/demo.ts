import { readFileSync } from 'node:fs';
import { startApp } from '../app.ts';
import { loadConfig } from '../config/config.ts';
import { startSimulator } from '../simulator/simulator.ts';
import { exitWith } from './exit-with.ts';
import { runUntilSignal } from './run-until-signal.ts';

/** The whole product on one machine without internet: both exchanges simulated, the embedded database, the API. */
const SYMBOLS = ['BTC-USDT', 'ETH-USDT'];
const TRADES_PER_SECOND = 20;
const DEMO_DIR = './data/demo';
const DEMO_FILE = 'the demo configuration';

const CALLED = {
  name: 'npm run demo --',
  description: 'Simulates OKX and Binance on this machine, collects them and serves the result.',
  config: 'configuration file, JSON, in place of the simulated exchanges',
  dataDir: DEMO_DIR,
  databaseUrl: 'PostgreSQL to use instead of the embedded one',
};

const FIRST_QUERY =
  '{ trades(exchange: "okx", symbol: "BTC-USDT", first: 5) { edges { node { tradeId price size side exchangeTime } } } }';

/** Of the surroundings all but the database: what is simulated must never be mixed with what was collected. */
function withoutDatabase({ DATABASE_URL: _url, DATABASE_URL_FILE: _file, ...others }: NodeJS.ProcessEnv) {
  return others;
}

try {
  await using simulators = new AsyncDisposableStack();
  const exchanges = [];
  for (const exchange of ['okx', 'binance'] as const) {
    const simulator = simulators.use(await startSimulator({ exchange, symbols: SYMBOLS, rate: TRADES_PER_SECOND }));
    exchanges.push({
      exchange,
      connection: simulator.connection,
      trading_pairs: SYMBOLS.map((symbol) => ({ symbol })),
    });
  }
  const demo = JSON.stringify({ exchanges, logging: { level: 'WARN', log_directory: `${DEMO_DIR}/logs` } });
  const config = loadConfig({
    // Flags, so that what the environment names for a real server stays untouched by what is simulated.
    argv: ['--config', DEMO_FILE, '--data-dir', DEMO_DIR, ...process.argv.slice(2)],
    called: CALLED,
    env: withoutDatabase(process.env),
    readFile: (path) => (path === DEMO_FILE ? demo : readFileSync(path, 'utf8')),
  });
  console.log(
    'Opening an embedded Postgres and connecting to the simulated exchanges; the first time this takes some seconds.',
  );
  await runUntilSignal(
    (interrupted) => startApp(config, { interrupted }),
    ({ url }) => {
      console.log(`
  Simulated OKX and Binance trade ${SYMBOLS.join(' and ')}; everything below is live.

  GraphiQL, with tabs to try     ${url}/graphql
  Overview                       ${url}/
  A first query                  curl -s ${url}/graphql -H 'content-type: application/json' \\
                                   -d '{"query":"${FIRST_QUERY.replaceAll('"', '\\"')}"}'
  Live trades                    curl -sN ${url}/graphql -H 'content-type: application/json' -H 'accept: text/event-stream' \\
                                   -d '{"query":"subscription { trades(exchange: \\"okx\\") { edges { node { symbol price size } } } }"}'

  Ctrl-C ends it; the data stays in ${config.data_dir} and the next start goes on with it.
`);
    },
  );
} catch (error) {
  exitWith(error);
}
