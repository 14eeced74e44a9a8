import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { PGlite } from '@electric-sql/pglite';
import { type Client, createClient } from 'graphql-ws';
import pg from 'pg';
import { vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Simulator } from '../../src/simulator/simulator.ts';
import type { databaseOptions } from './database.ts';

type Place = Awaited<ReturnType<typeof databaseOptions>>;

export interface Answer<T> {
  readonly data?: T;
  readonly errors?: readonly { readonly message: string; readonly extensions?: { readonly code?: string } }[];
}

export interface ServerProcess extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** Everything printed so far. */
  output(): string;
  ask<T>(query: string, variables?: Record<string, unknown>): Promise<T>;
  /** Resolves when so many collectors run. */
  running(count: number): Promise<void>;
  /** A graphql-ws client that does not reconnect by itself. */
  subscribe(): Client;
  /** Ends it with a signal and gives its exit code (null after SIGKILL). */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

interface Pair {
  readonly symbol: string;
  readonly data_types?: readonly string[];
  readonly channels?: Readonly<Record<string, string>>;
}

/** A configuration of simulated exchanges; what differs per exchange goes beside its pairs. */
export const configOf = (
  exchanges: readonly {
    readonly simulator: Pick<Simulator, 'exchange' | 'connection'>;
    readonly pairs: readonly Pair[];
    readonly collection?: object;
    readonly connection?: object;
  }[],
) => ({
  logging: { level: 'WARN', file_output: false, format: 'json' },
  exchanges: exchanges.map(({ simulator, pairs, collection, connection }) => ({
    exchange: simulator.exchange,
    connection: { ...simulator.connection, ...connection },
    data_collection: collection ?? {},
    trading_pairs: pairs,
  })),
});

/** Runs the real server as a process of its own and waits until it listens. */
export async function startServerProcess(
  config: object,
  place: Place,
  env: Readonly<Record<string, string>> = {},
): Promise<ServerProcess> {
  const file = join(place.dataDir, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const child = runMain(
    ['--config', file, '--port', '0', '--data-dir', join(place.dataDir, 'data')],
    place.url === null ? env : { ...env, DATABASE_URL: place.url },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const url = await vi.waitFor(
    () => {
      const listening = /listening on (http:\/\/\S+)/.exec(output)?.[1];
      if (listening !== undefined) return listening;
      throw new Error(
        child.exitCode === null ? `not listening yet: ${output}` : `ended with ${child.exitCode}: ${output}`,
      );
    },
    { timeout: 40_000, interval: 50 },
  );
  const exited = once(child, 'exit');
  const end = async (signal: NodeJS.Signals) => {
    if (child.exitCode === null && child.signalCode === null) {
      child.kill(signal);
      await exited;
    }
    return child.exitCode;
  };
  return {
    url,
    process: child,
    output: () => output,
    ask: (query, variables) => ask(url, query, variables),
    running: async (count) => {
      await vi.waitFor(
        async () => {
          const { collectors } = await ask<{ collectors: unknown[] }>(url, '{ collectors(state: [RUNNING]) { name } }');
          if (collectors.length !== count)
            throw new Error(`${collectors.length} of ${count} collectors run: ${output}`);
        },
        { timeout: 20_000, interval: 100 },
      );
    },
    subscribe: () =>
      createClient({
        url: `${url.replace('http', 'ws')}/graphql`,
        webSocketImpl: WebSocket,
        retryAttempts: 0,
        lazy: false,
        onNonLazyError: () => {},
      }),
    end,
    [Symbol.asyncDispose]: async () => {
      await end('SIGKILL');
    },
  };
}

/** The server's entry point as a process; nothing of this process's environment about databases or ports reaches it. */
export function runMain(args: readonly string[], env: Readonly<Record<string, string>> = {}): ChildProcess {
  const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
  const { PATH = '', HOME = '' } = process.env;
  return spawn(process.execPath, [main, ...args], { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
}

/** The data of an answer. @throws with the errors of a failed one. */
export async function ask<T>(url: string, query: string, variables: Record<string, unknown> = {}): Promise<T> {
  const response = await fetch(`${url}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query, variables }),
  });
  const { data, errors } = (await response.json()) as Answer<T>;
  if (errors || !data) throw new Error(JSON.stringify(errors));
  return data;
}

/** Reads the database of an ended server by plain SQL, past everything of ours. */
export async function readDirectly<T>(place: Place, statement: string): Promise<readonly T[]> {
  if (place.url === null) {
    const database = await PGlite.create(join(place.dataDir, 'data', 'postgres'));
    const { rows } = await database.query<T>(statement);
    await database.close();
    return rows;
  }
  const client = new pg.Client({ connectionString: place.url });
  await client.connect();
  const { rows } = await client.query(statement);
  await client.end();
  return rows as T[];
}
