/** What a user would glue together, each part as its documentation says: ccxt.pro, Drizzle, and Yoga with graphql-ws. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import ccxt, { type Trade } from 'ccxt';
import { drizzle } from 'drizzle-orm/node-postgres';
import { index, jsonb, numeric, pgTable, serial, timestamp, unique, varchar } from 'drizzle-orm/pg-core';
import type { ExecutionArgs } from 'graphql';
import { useServer } from 'graphql-ws/use/ws';
import { createPubSub, createSchema, createYoga } from 'graphql-yoga';
import pg from 'pg';
import { WebSocketServer } from 'ws';
import { answer } from '../frame/answer.ts';
import type { Wiring } from './end-to-end.ts';

type Enveloped = { readonly rootValue: { execute(args: ExecutionArgs): never; subscribe(args: ExecutionArgs): never } };

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
    const client = okx(exchangePort, symbols);
    await client.loadHttpProxyAgent(); // what ccxt needs for ws:// instead of wss://
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

function okx(port: number, symbols: readonly string[]) {
  const client = new ccxt.pro.okx({ newUpdates: true });
  client.urls.api = { ...client.urls.api, ws: `ws://127.0.0.1:${port}/ws/v5` };
  client.setMarkets(
    symbols.map((id) => {
      const [base = '', quote = ''] = id.split('-');
      return client.safeMarketStructure({
        ...{ id, symbol: `${base}/${quote}`, base, quote, spot: true, type: 'spot', active: true },
        ...{ precision: { amount: 1e-8, price: 0.1 }, limits: {} },
      });
    }),
  );
  return client;
}

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
  const yoga = createYoga({ schema, logging: false });
  const server = createServer((request, response) => void yoga(request, response));
  useServer(
    {
      execute: (args) => (args as unknown as Enveloped).rootValue.execute(args),
      subscribe: (args) => (args as unknown as Enveloped).rootValue.subscribe(args),
      onSubscribe: async (ctx, _id, params) => {
        const { schema, execute, subscribe, contextFactory, parse, validate } = yoga.getEnveloped({
          ...ctx,
          ...{ req: ctx.extra.request, socket: ctx.extra.socket, params },
        });
        const args = {
          ...{ schema, operationName: params.operationName, document: parse(params.query) },
          ...{ variableValues: params.variables, contextValue: await contextFactory() },
          rootValue: { execute, subscribe },
        };
        const errors = validate(args.schema, args.document);
        return errors.length > 0 ? errors : args;
      },
    },
    new WebSocketServer({ server, path: yoga.graphqlEndpoint }),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
