/** Inserts of many rows as Drizzle's documentation shows them, into the specification's table; what is there already is left. */
import { drizzle } from 'drizzle-orm/node-postgres';
import { decimal, jsonb, pgTable, serial, timestamp, varchar } from 'drizzle-orm/pg-core';
import pg from 'pg';
import { chunksOf, storeIt } from './storing.ts';

const literalTrades = pgTable('literal_trades', {
  id: serial('id').primaryKey(),
  exchange: varchar('exchange', { length: 50 }).notNull(),
  symbol: varchar('symbol', { length: 50 }).notNull(),
  tradeId: varchar('trade_id', { length: 100 }),
  price: decimal('price', { precision: 20, scale: 8 }).notNull(),
  size: decimal('size', { precision: 20, scale: 8 }).notNull(),
  side: varchar('side', { length: 10 }).notNull(),
  timestamp: timestamp('timestamp', { withTimezone: true }).notNull(),
  rawData: jsonb('raw_data'),
  createdAt: timestamp('created_at', { withTimezone: true }).defaultNow(),
});
/** Most that fits, as a statement takes 65,535 values at most, is no faster. */
const ROWS = 1_000;

storeIt(async ({ url }) => {
  const db = drizzle(new pg.Pool({ connectionString: url }));
  return async (trades) => {
    for (const chunk of chunksOf(trades, ROWS)) {
      const values = chunk.map(({ exchange, symbol, tradeId, price, size, side, exchangeTime }) => ({
        ...{ exchange, symbol, tradeId, price, size, side, timestamp: new Date(exchangeTime) },
      }));
      await db.insert(literalTrades).values(values).onConflictDoNothing();
    }
  };
});
