import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';

/** The product's own tables, made where they are not there. */
export const openTables = (url: string): Promise<Database> =>
  openDatabase({
    ...{ url, dataDir: '', poolSize: 4, maxOverflow: 0, poolTimeoutMs: 5_000, poolRecycleMs: 3_600_000 },
    ...{ log: silentLog, clock: systemClock },
    tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
  });

/** The specification's table to the letter, whatever its name: its key, and its three other indexes. */
export const SPECIFIED = `create table literal_trades (
  id serial primary key, exchange varchar(50) not null, symbol varchar(50) not null, trade_id varchar(100),
  price decimal(20, 8) not null, size decimal(20, 8) not null, side varchar(10) not null, timestamp timestamptz not null,
  raw_data jsonb, created_at timestamptz default now(), unique (exchange, symbol, trade_id));
create index on literal_trades (exchange, symbol, timestamp);
create index on literal_trades (timestamp)`;
