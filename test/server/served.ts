import { schema } from '../../src/graphql/schema.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { LIMITS } from '../../src/runtime/limits.ts';
import { type Log, silentLog } from '../../src/runtime/log.ts';
import { type RunningServer, type ServerOptions, startServer } from '../../src/server/start-server.ts';
import { localAccess } from '../access/local-access.ts';
import { type Market, openMarket } from '../graphql/market.ts';

/** Nothing to export. */
export const noExports: ServerOptions['exports'] = {
  manifest: () => Promise.reject(new AppError('SYMBOL_UNKNOWN', 'There is nothing to export')),
  open: () => Promise.reject(new AppError('SYMBOL_UNKNOWN', 'There is nothing to export')),
};

export interface Served extends AsyncDisposable {
  readonly server: RunningServer;
  readonly market: Market;
  readonly url: string;
  /** Sends a document by POST. */
  ask(query: string, variables?: Record<string, unknown>): Promise<Answer>;
}

export interface Answer {
  // biome-ignore lint/suspicious/noExplicitAny: answers of documents written in the test itself
  readonly data?: any;
  readonly errors?: readonly {
    readonly message: string;
    readonly path?: readonly (string | number)[];
    readonly extensions?: { readonly code?: string };
  }[];
}

/** The real server on a free port, over a market in memory. */
export async function serve(options: Partial<ServerOptions> & { log?: Log } = {}): Promise<Served> {
  const market = await openMarket();
  const server = await startServer({
    ...{ schema, services: market.services, exports: noExports, host: '127.0.0.1', port: 0, allowedOrigins: [] },
    ...{
      access: localAccess(),
      limits: LIMITS,
      checkReady: () => Promise.resolve(true),
      clock: systemClock,
      log: silentLog,
      graphqlLog: options.log ?? silentLog,
      ...options,
    },
  });
  const url = `${server.url}/graphql`;
  return {
    ...{ server, market, url },
    ask: async (query, variables) => {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ query, variables }),
      });
      return (await response.json()) as Answer;
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      market.feed[Symbol.dispose]();
      market.live[Symbol.dispose]();
      await market.manager.stop();
    },
  };
}
