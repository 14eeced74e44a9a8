/**
 * Prints the stored trades of one market as CSV, oldest first, a page at a time: a year takes no more memory than a minute.
 *
 *   npx node examples/page-history.ts okx BTC-USDT 2026-01-01T00:00:00Z 2026-02-01T00:00:00Z > january.csv
 *
 * Both times may be left out. The server is GRAPHQL_URL, http://127.0.0.1:4000/graphql without it.
 */
import { pipeline } from 'node:stream/promises';
import { ask } from './ask.ts';
import { graphql } from './generated/gql.ts';
import type { HistoryQuery, HistoryQueryVariables } from './generated/graphql.ts';

const History = graphql(`
  query History($exchange: String!, $symbol: String!, $from: DateTime, $to: DateTime, $first: Int, $after: Cursor) {
    trades(exchange: $exchange, symbol: $symbol, from: $from, to: $to, order: ASC, first: $first, after: $after) {
      edges {
        node {
          exchangeTime
          tradeId
          price
          size
          side
        }
      }
      pageInfo {
        hasNextPage
        endCursor
      }
    }
  }
`);

async function* csv(url: string, market: HistoryQueryVariables) {
  yield 'time,trade_id,price,size,side\n';
  for (let after: string | null = null, more = true; more; ) {
    const { trades }: HistoryQuery = await ask(url, History, { ...market, after });
    yield trades.edges
      .map(({ node }) => `${node.exchangeTime},${node.tradeId},${node.price},${node.size},${node.side}\n`)
      .join('');
    after = trades.pageInfo.endCursor ?? null;
    more = trades.pageInfo.hasNextPage;
  }
}

const [exchange = 'okx', symbol = 'BTC-USDT', from = null, to = null] = process.argv.slice(2);
const { GRAPHQL_URL = 'http://127.0.0.1:4000/graphql', PAGE_SIZE = '1000' } = process.env;

process.stdout.on('error', () => process.exit()); // whoever read this, such as `head`, is gone
// `pipeline` asks for the next page only when the last one was written.
await pipeline(csv(GRAPHQL_URL, { exchange, symbol, from, to, first: Number(PAGE_SIZE) }), process.stdout);
