/**
 * Prints trades as they happen, one JSON object a line, each exactly once: also when the connection is cut or the server restarts.
 *
 *   npx node examples/live-trades.ts okx BTC-USDT ETH-USDT
 *
 * The server is GRAPHQL_URL, http://127.0.0.1:4000/graphql without it.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { graphql } from './generated/gql.ts';
import type { LiveTradesSubscription, LiveTradesSubscriptionVariables } from './generated/graphql.ts';

const LiveTrades = graphql(`
  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor) {
    trades(exchange: $exchange, symbols: $symbols, after: $after) {
      cursor
      edges {
        node {
          exchange
          symbol
          tradeId
          price
          size
          side
          exchangeTime
        }
      }
    }
  }
`);

/**
 * Endless. Whoever keeps `cursor` together with what was made of the trades, in one transaction, and gives it as `after` next
 * time, has each trade once over restarts of the reader as well.
 */
async function* liveTrades(url: string, { after, ...filter }: LiveTradesSubscriptionVariables) {
  const client = createClient({ url, webSocketImpl: WebSocket, retryAttempts: 0 });
  for (let cursor = after; ; await sleep(1_000)) {
    const request = { query: LiveTrades.toString(), variables: { ...filter, after: cursor } };
    try {
      for await (const { data, errors } of client.iterate<LiveTradesSubscription>(request)) {
        if (!data) throw new Error(errors?.map(({ message }) => message).join('; '));
        cursor = data.trades.cursor;
        yield data.trades;
      }
    } catch (reason) {
      if (isRefused(reason)) throw new Error(reason.map(({ message }) => message).join('; '));
      console.error(`Disconnected, going on after ${cursor ?? 'now'} in a second`);
    }
  }
}

/** Errors of GraphQL say what is wrong with the request; only a database that is away is worth another try. */
const isRefused = (reason: unknown): reason is readonly { readonly message: string }[] =>
  Array.isArray(reason) && !reason.some(({ extensions }) => extensions?.code === 'DATABASE_UNAVAILABLE');

const [exchange = 'okx', ...symbols] = process.argv.slice(2);
const url = (process.env.GRAPHQL_URL ?? 'http://127.0.0.1:4000/graphql').replace(/^http/, 'ws');

process.stdout.on('error', () => process.exit()); // whoever read this, such as `head`, is gone
for await (const { edges } of liveTrades(url, { exchange, symbols: symbols.length > 0 ? symbols : null }))
  for (const { node } of edges) console.log(JSON.stringify(node));
