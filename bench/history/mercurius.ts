/** Mercurius with its just-in-time compiler from the first execution on, and a resolver that asks by prepared statements. */
import type { AddressInfo } from 'node:net';
import Fastify from 'fastify';
import { GraphQLScalarType } from 'graphql';
import mercurius from 'mercurius';
import pg from 'pg';
import { type Page, statementOf, type TradeRow, writeKey } from './asked.ts';
import { serving } from './serving.ts';

const SCHEMA = `
  scalar DateTime
  enum Side { BUY SELL }
  type Trade {
    tradeId: String!  fillCount: Int!  price: String!  size: String!  side: Side!
    exchangeTime: DateTime!  receivedAt: DateTime!  recordedAt: DateTime!
  }
  type Edge { node: Trade!  cursor: String! }
  type PageInfo { hasNextPage: Boolean!  endCursor: String }
  type Trades { edges: [Edge!]!  pageInfo: PageInfo! }
  type Query { trades(market: Int!, first: Int!, after: String, side: Side, from: DateTime, to: DateTime): Trades! }
`;

const DateTime = new GraphQLScalarType({
  name: 'DateTime',
  serialize: (value) => new Date(value as number).toISOString(),
});

const cursorOf = (row: TradeRow) => writeKey({ ts: new Date(row.ts_ms).toISOString(), tradeId: row.trade_id });

serving(async ({ database }) => {
  const pool = new pg.Pool({ connectionString: database, min: 4 });
  const app = Fastify();
  await app.register(mercurius, {
    ...{ schema: SCHEMA, jit: 1 },
    resolvers: {
      DateTime,
      Query: {
        trades: async (_root: unknown, page: Page) => {
          const { rows } = await pool.query<TradeRow>(statementOf({ ...page, first: page.first + 1 }));
          const shown = rows.slice(0, page.first);
          const last = shown.at(-1);
          return {
            edges: shown.map((node) => ({ node })),
            pageInfo: { hasNextPage: rows.length > page.first, endCursor: last ? cursorOf(last) : null },
          };
        },
      },
      Edge: { cursor: ({ node }: { node: TradeRow }) => cursorOf(node) },
      Trade: {
        tradeId: (row: TradeRow) => row.trade_id,
        fillCount: (row: TradeRow) => row.fill_count,
        side: (row: TradeRow) => (row.side === 'b' ? 'BUY' : 'SELL'),
        exchangeTime: (row: TradeRow) => row.ts_ms,
        receivedAt: (row: TradeRow) => row.received_at_ms,
        recordedAt: (row: TradeRow) => row.recorded_at_ms,
      },
    } as never,
  });
  await app.listen({ port: 0, host: '127.0.0.1' });
  return `http://127.0.0.1:${(app.server.address() as AddressInfo).port}/graphql`;
});
