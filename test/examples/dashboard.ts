import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { startApp } from '../../src/app.ts';
import { loadConfig } from '../../src/config/config.ts';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import { databaseOptions } from '../support/database.ts';

export interface Dashboard extends AsyncDisposable {
  readonly url: string;
  readonly simulator: Simulator;
}

interface Options {
  readonly simulator?: Partial<SimulatorOptions>;
  readonly dataTypes?: readonly string[];
  readonly collection?: object;
  readonly allowedOrigins?: readonly string[];
}

/** The whole server in this process, on a database of its own, over simulated OKX with BTC-USDT and ETH-USDT. */
export async function startDashboard(options: Options = {}): Promise<Dashboard> {
  await using opening = new AsyncDisposableStack();
  const simulator = opening.use(await startSimulator({ exchange: 'okx', rate: 50, ...options.simulator }));
  const { url, dataDir } = await databaseOptions();
  const file = {
    server: { port: 0, allowed_origins: options.allowedOrigins ?? [] },
    logging: { level: 'ERROR', file_output: false },
    exchanges: [
      {
        exchange: 'okx',
        connection: simulator.connection,
        data_collection: options.collection ?? {},
        trading_pairs: ['BTC-USDT', 'ETH-USDT'].map((symbol) => ({
          symbol,
          ...(options.dataTypes ? { data_types: options.dataTypes } : {}),
        })),
      },
    ],
  };
  const config = loadConfig({
    argv: ['--config', 'test', '--data-dir', dataDir, ...(url === null ? [] : ['--database-url', url])],
    env: {},
    readFile: () => JSON.stringify(file),
  });
  const app = opening.use(await startApp(config));
  const opened = opening.move();
  return { url: app.url, simulator, [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

export interface Example extends AsyncDisposable {
  readonly process: ChildProcess;
  /** What it printed so far, line by line; a line in the making is left out. */
  lines(): readonly string[];
  /** Resolves with its exit code. */
  readonly ended: Promise<number | null>;
}

/** Runs a file of examples/ as a user would. */
export function runExample(file: string, args: readonly string[], env: Readonly<Record<string, string>> = {}): Example {
  const path = fileURLToPath(new URL(`../../examples/${file}`, import.meta.url));
  const { PATH = '' } = process.env;
  const child = spawn(process.execPath, [path, ...args], {
    env: { PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  const ended = once(child, 'close').then(([code]) => code as number | null);
  return {
    process: child,
    lines: () => output.split('\n').slice(0, -1),
    ended,
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await ended;
    },
  };
}
