/** What a user would glue together, each part as its documentation says: ccxt.pro, Drizzle, and Yoga with graphql-ws. */
import type { Trade } from 'ccxt';
import { drizzle } from 'drizzle-orm/node-postgres';
import { index, jsonb, numeric, pgTable, serial, timestamp, unique, varchar } from 'drizzle-orm/pg-core';
import { createPubSub, createSchema } from 'graphql-yoga';
import pg from 'pg';
import { answer } from '../frame/answer.ts';
import { okxByCcxt } from '../frame/ccxt-okx.ts';
import { fail } from '../frame/fail.ts';
import { serveByYoga } from '../frame/yoga-server.ts';
import type { Wiring } from './end-to-end.ts';

/** The table of the specification. */
const rawTrades = pgTable(
  'raw_trades',
  {
    id: serial().primaryKey(),
    exchange: varchar({ length: 50 }).notNull(),
    symbol: varchar({ length: 50 }).notNull(),
    tradeId: varchar('trade_id', { length: 100 }),
    price: numeric({ precision: 20, scale: 8 }).notNull(),
    size: numeric({ precision: 20, scale: 8 }).notNull(),
    side: varchar({ length: 10 }).notNull(),
    timestamp: timestamp({ withTimezone: true }).notNull(),
    rawData: jsonb('raw_data'),
    createdAt: timestamp('created_at', { withTimezone: true }).defaultNow(),
  },
  (table) => [
    unique().on(table.exchange, table.symbol, table.tradeId),
    index().on(table.exchange, table.symbol, table.timestamp),
    index().on(table.timestamp),
  ],
);

const TABLE = `create table raw_trades (
  id serial primary key, exchange varchar(50) not null, symbol varchar(50) not null, trade_id varchar(100),
  price decimal(20, 8) not null, size decimal(20, 8) not null, side varchar(10) not null,
  timestamp timestamp with time zone not null, raw_data jsonb, created_at timestamp with time zone default now(),
  unique (exchange, symbol, trade_id));
  create index on raw_trades (exchange, symbol, timestamp);
  create index on raw_trades (timestamp);`;

const TYPE_DEFS = `
  type Query { ok: Boolean }
  type Trade { exchange: String! symbol: String! tradeId: String! price: String! size: String! side: String! exchangeTime: String! }
  type Subscription { trades(symbol: String!): Trade! }
`;

type Row = typeof rawTrades.$inferInsert;

const pubSub = createPubSub<{ trades: [symbol: string, trade: Row] }>();

answer({
  async open({ databaseUrl, exchangePort, symbols }: Wiring) {
    const pool = new pg.Pool({ connectionString: databaseUrl });
    await pool.query(TABLE);
    const db = drizzle({ client: pool });
    const client = await okxByCcxt(`ws://127.0.0.1:${exchangePort}/ws/v5`, symbols);
    const record = async (id: string) => {
      for (;;) {
        const trades = await client.watchTrades(id.replace('-', '/'));
        const rows = trades.map((trade) => rowOf(id, trade));
        await db.insert(rawTrades).values(rows).onConflictDoNothing();
        for (const row of rows) pubSub.publish('trades', id, row);
      }
    };
    for (const id of symbols) record(id).catch(fail);
    return serve();
  },
});

const rowOf = (symbol: string, { id, price, amount, side, timestamp }: Trade): Row => ({
  ...{ exchange: 'okx', symbol, tradeId: id ?? null, price: String(price), size: String(amount) },
  ...{ side: String(side), timestamp: new Date(Number(timestamp)) },
});

async function serve(): Promise<number> {
  const schema = createSchema({
    typeDefs: TYPE_DEFS,
    resolvers: {
      Subscription: {
        trades: {
          subscribe: (_root: unknown, { symbol }: { symbol: string }) => pubSub.subscribe('trades', symbol),
          resolve: (trade: Row) => trade,
        },
      },
      Trade: { exchangeTime: ({ timestamp }: Row) => timestamp.toISOString() },
    },
  });
  return serveByYoga(schema);
}
