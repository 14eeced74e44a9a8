import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  customType,
  index,
  integer,
  jsonb,
  numeric,
  pgSchema,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
} from 'drizzle-orm/pg-core';

/** Everything physical lives in a schema of its own; the three public relations are views elsewhere (views.ts). */
export const SCHEMA = 'tcp_dashboard';
const schema = pgSchema(SCHEMA);

/** One byte; `side` holds b or s, `provenance` l, b or r. */
const letter = customType<{ data: string }>({ dataType: () => '"char"' });
/** Ids compare by byte, whatever the database's language: the same order on every machine. */
const identifier = customType<{ data: string }>({ dataType: () => 'text collate "C"' });
const time = (name: string) => timestamp(name, { withTimezone: true, mode: 'date' });

export const instrument = schema.table(
  'instrument',
  {
    id: integer('id').primaryKey().generatedAlwaysAsIdentity(),
    exchange: identifier('exchange').notNull(),
    symbol: identifier('symbol').notNull(),
    kind: text('kind').notNull(),
  },
  (table) => [unique('instrument_exchange_symbol').on(table.exchange, table.symbol)],
);

/**
 * Partitioned by month of `ts`. Every partition has a unique index on (instrument_id, trade_id), made with it (partitions.ts).
 * The columns are ordered so that none needs padding.
 */
export const trade = schema.table(
  'trade',
  {
    /** writer * 2^48 + sequence. */
    id: bigint('id', { mode: 'bigint' }).notNull(),
    ts: time('ts').notNull(),
    receivedAt: time('received_at').notNull(),
    recordedAt: time('recorded_at').notNull(),
    instrumentId: integer('instrument_id').notNull(),
    fillCount: integer('fill_count').notNull(),
    side: letter('side').notNull(),
    provenance: letter('provenance').notNull(),
    tradeId: identifier('trade_id').notNull(),
    price: numeric('price').notNull(),
    size: numeric('size').notNull(),
    raw: jsonb('raw'),
  },
  (table) => [
    index('trade_instrument_ts').on(table.instrumentId, table.ts),
    index('trade_id').on(table.id),
    index('trade_ts').using('brin', table.ts).with({ autosummarize: true }),
  ],
);

/**
 * Candles of a second, a minute and an hour, kept with every trade: what longer ones are made of. Partitioned by month of `ts`, which is
 * where the candle opens, so that a month of trades and its candles go together.
 */
export const candle = schema.table(
  'candle',
  {
    instrumentId: integer('instrument_id').notNull(),
    seconds: integer('seconds').notNull(),
    ts: time('ts').notNull(),
    /** Newest recording of a trade in it: what was known earlier has to be read from the trades. */
    recordedAt: time('recorded_at').notNull(),
    /** Fills. */
    tradeCount: bigint('trade_count', { mode: 'number' }).notNull(),
    open: numeric('open').notNull(),
    high: numeric('high').notNull(),
    low: numeric('low').notNull(),
    close: numeric('close').notNull(),
    volume: numeric('volume').notNull(),
    quoteVolume: numeric('quote_volume').notNull(),
    buyVolume: numeric('buy_volume').notNull(),
    /** Time and id of the trades that made `open` and `close`. */
    firstTs: time('first_ts').notNull(),
    lastTs: time('last_ts').notNull(),
    firstId: identifier('first_id').notNull(),
    lastId: identifier('last_id').notNull(),
  },
  (table) => [primaryKey({ columns: [table.instrumentId, table.seconds, table.ts] })],
);

/** Partitioned by month of `ts`. */
export const marketPoint = schema.table(
  'market_point',
  {
    id: bigint('id', { mode: 'bigint' }).notNull().generatedAlwaysAsIdentity(),
    ts: time('ts').notNull(),
    createdAt: time('created_at').notNull(),
    instrumentId: integer('instrument_id').notNull(),
    dataType: text('data_type').notNull(),
    data: jsonb('data').notNull(),
  },
  (table) => [
    index('market_point_instrument_type_ts').on(table.instrumentId, table.dataType, table.ts),
    index('market_point_ts').using('brin', table.ts).with({ autosummarize: true }),
  ],
);

/** One row a writer slot. Whoever holds the slot's advisory lock and its epoch may move the position. */
export const writer = schema.table('writer', {
  id: smallint('id').primaryKey(),
  /** Rises with every claim; an older epoch is fenced off. */
  epoch: bigint('epoch', { mode: 'bigint' }).notNull(),
  /** The last committed sequence. */
  position: bigint('position', { mode: 'bigint' }).notNull(),
  claimedAt: time('claimed_at').notNull(),
  /** The highest sequence whose trade retention dropped: whoever stands below it has missed something for good. */
  dropped: bigint('dropped', { mode: 'bigint' }).notNull().default(0n),
  /** The spool whose trades carry its numbers; null when none does. Nobody else may claim the slot then. */
  owner: text('owner'),
});

/**
 * What is known of every stream, a row a stretch (market/coverage.ts), of each writer: what it says is true whatever the
 * others say. A trigger made with the table keeps the stretches of one stream and writer apart. `last` and `to_time` of the newest
 * stretch move with every commit and are in no index, so that a commit writes one heap tuple.
 */
export const coverage = schema.table(
  'coverage',
  {
    writer: smallint('writer').notNull(),
    instrumentId: integer('instrument_id').notNull(),
    dataType: text('data_type').notNull(),
    /** Trade id, or ms since the Unix epoch where ids have holes. */
    first: numeric('first').notNull(),
    last: numeric('last').notNull(),
    status: text('status').notNull(),
    evidence: text('evidence').notNull(),
    fromTime: time('from_time').notNull(),
    toTime: time('to_time').notNull(),
    actual: bigint('actual', { mode: 'number' }).notNull(),
    cause: text('cause'),
    gap: numeric('gap'),
    gapFoundAt: time('gap_found_at'),
    updatedAt: time('updated_at').notNull(),
  },
  (table) => [
    primaryKey({ columns: [table.writer, table.instrumentId, table.dataType, table.first] }),
    index('coverage_gap').on(table.instrumentId, table.dataType, table.gap).where(sql`gap is not null`),
  ],
);

/** What retention dropped of a stream, as `coverage` names it: from then on nothing is known of it, whatever writers say. */
export const droppedRange = schema.table(
  'dropped_range',
  {
    instrumentId: integer('instrument_id').notNull(),
    dataType: text('data_type').notNull(),
    first: numeric('first').notNull(),
    last: numeric('last').notNull(),
    /** Of the month that was dropped. */
    fromTime: time('from_time').notNull(),
    /** Exclusive. */
    toTime: time('to_time').notNull(),
  },
  (table) => [primaryKey({ columns: [table.instrumentId, table.dataType, table.first] })],
);

/** Rows the database would not take, kept as they came so that a person can see why. */
export const refusedRow = schema.table('refused_row', {
  id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
  at: time('at').notNull(),
  what: text('what').notNull(),
  reason: text('reason').notNull(),
  row: text('row').notNull(),
});

/** What was asked of mutations. `log` and `number` are those of the file it waited in: no entry comes twice. */
export const auditEntry = schema.table(
  'audit_entry',
  {
    id: bigint('id', { mode: 'bigint' }).primaryKey().generatedAlwaysAsIdentity(),
    log: text('log').notNull(),
    number: bigint('number', { mode: 'number' }).notNull(),
    at: time('at').notNull(),
    principal: text('principal').notNull(),
    principalKind: text('principal_kind').notNull(),
    address: text('address'),
    action: text('action').notNull(),
    target: text('target'),
    reason: text('reason'),
    outcome: text('outcome').notNull(),
  },
  (table) => [
    uniqueIndex('audit_entry_log').on(table.log, table.number),
    index('audit_entry_at').on(table.at, table.id),
  ],
);

export const collector = schema.table('collector', {
  name: text('name').primaryKey(),
  exchange: text('exchange').notNull(),
  symbol: text('symbol').notNull(),
  config: jsonb('config').notNull(),
  status: text('status').notNull(),
  shouldBeRunning: boolean('should_be_running').notNull(),
  health: jsonb('health').notNull(),
  statistics: jsonb('statistics').notNull(),
  updatedAt: time('updated_at').notNull(),
});

/** The partitions there are; retention reads it. */
export const partition = schema.table('partition', {
  name: text('name').primaryKey(),
  /** `trade` or `market_point`. */
  relation: text('relation').notNull(),
  startsAt: time('starts_at').notNull(),
  /** Exclusive. */
  endsAt: time('ends_at').notNull(),
  madeAt: time('made_at').notNull(),
});

/** When a periodic job last ran, and up to which time it went. */
export const maintenance = schema.table('maintenance', {
  job: text('job').primaryKey(),
  ranAt: time('ran_at').notNull(),
  reached: time('reached').notNull(),
});
