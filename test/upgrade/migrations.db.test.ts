import { describe, expect, it } from 'vitest';
import type { Place } from '../../src/storage/backup/places.ts';
import { readCandles } from '../../src/storage/candles.ts';
import { loadCollectors } from '../../src/storage/collector-status.ts';
import { Connection } from '../../src/storage/connections.ts';
import { coverageTotals, listGaps } from '../../src/storage/coverage.ts';
import { type Database, openDatabase } from '../../src/storage/database.ts';
import { readDatabaseUrl } from '../../src/storage/database-url.ts';
import { EmbeddedServer } from '../../src/storage/embedded/embedded-server.ts';
import { listMarketData } from '../../src/storage/market-data.ts';
import { knownMigrations, migrateUpTo } from '../../src/storage/migrate.ts';
import { emptyPlace } from '../backup/places.ts';
import { idsOf, listTrades, pageOf, sampleTrade, toRecord } from '../storage/samples.ts';
import { openTestWriter } from '../storage/test-writer.ts';
import { freshOptions, testDatabaseKind } from '../support/database.ts';
import { WRITTEN, writtenBy } from './written.ts';

const MIGRATIONS = await knownMigrations();
const LEDGER = '20261127170125_coverage_ledger';
const AT = Date.UTC(2026, 4, 20, 10);

/** Does something to the database of a place that no server has open. */
async function alone(place: Place, work: (connection: Connection) => Promise<void>): Promise<void> {
  await using opening = new AsyncDisposableStack();
  const address =
    place.url === null
      ? opening.use(await EmbeddedServer.start(place.dataDir, place.clock, place.log)).address
      : readDatabaseUrl(place.url);
  const connection = await Connection.open(address, { name: 'old', statementMs: null, answerMs: null });
  opening.defer(() => connection.close());
  await work(connection);
}

const newest = async (place: Place) => openDatabase(await freshOptions(place));

/** What the newest version reads of what was written. */
async function read(db: Database) {
  const { trades } = await listTrades(db, pageOf('BTC-USDT'));
  const page = { order: 'ASC', limit: 10, after: null, before: null, from: null, to: null, fromEnd: false } as const;
  const stream = { exchange: 'okx', symbol: 'BTC-USDT' } as const;
  const { rows } = await listMarketData(db, { ...stream, ...page, dataType: 'ticker' });
  const { gaps } = await listGaps(db, { ...stream, dataType: 'trade', statuses: null, limit: 10, after: null });
  return {
    trades: trades.map(({ trade, sequence, writer }) => [
      writer,
      Number(sequence),
      trade.tradeId,
      trade.price,
      trade.size,
    ]),
    raw: trades.map(({ trade }) => trade.raw),
    tickers: rows.map(({ data }) => data),
    collectors: (await loadCollectors(db)).map(({ name, shouldBeRunning }) => [name, shouldBeRunning]),
    gaps: gaps.map(({ first, last, cause }) => [Number(first), Number(last), cause]),
    totals: await coverageTotals(db, 'okx', 'BTC-USDT'),
  };
}

/** Of the second in which everything was traded. */
async function candleOf(db: Database) {
  const windows = [{ openTime: AT, closeTime: AT + 1_000 }];
  const market = { exchange: 'okx', symbol: 'BTC-USDT' };
  const [candle] = await readCandles(db, { ...market, windows, endInclusive: false, asOf: null });
  const { tradeCount, open, high, low, close, volume } = candle?.values ?? {};
  return [tradeCount, open, high, low, close, volume];
}

const KEPT = {
  trades: [
    [7, 1, '1', '50000.10', '0.0012000'],
    [7, 2, '2', '50000.20', '0.0012000'],
    [7, 3, '5', '50000.5000', '0.0012000'],
  ],
  raw: [{ tradeId: 'kept' }, { tradeId: 'kept' }, { tradeId: 'kept' }],
  tickers: [{ last: '50000.1' }],
  collectors: [['okx:BTC-USDT', false]],
};
const KEPT_IN_LEDGER = { gaps: [[3, 4, 'a step']], totals: { expected: 5n, stored: 3n } };

it('says of every migration what its version writes', () => {
  expect(Object.keys(WRITTEN)).toEqual(MIGRATIONS);
});

describe.each(MIGRATIONS.map((name, at) => [name, MIGRATIONS.slice(0, at + 1)] as const))('of %s', (_name, had) => {
  it('all is there in the newest version, which goes on with it', async ({ skip }) => {
    if (testDatabaseKind() === 'embedded' && had.length > 1) skip('slow there, and on its way from the oldest');
    const place = await emptyPlace();
    await alone(place, async (connection) => {
      await connection.handle.transaction((tx) => migrateUpTo(tx, had));
      await connection.query({ text: writtenBy(had) });
    });
    await using db = await newest(place);
    expect(await read(db)).toMatchObject({ ...KEPT, ...(had.includes(LEDGER) ? KEPT_IN_LEDGER : {}) });
    expect(await candleOf(db)).toEqual([3, '50000.10', '50000.5000', '50000.10', '50000.5000', '0.0036000']);

    await using writer = await openTestWriter(db);
    await writer.write([toRecord(sampleTrade(6, { exchangeTime: AT + 700 }))]);
    expect(idsOf((await listTrades(db, pageOf('BTC-USDT'))).trades)).toEqual(['1', '2', '5', '6']);
  });
});

it('lets the version before write on in the tables of the newest', async ({ skip }) => {
  if (testDatabaseKind() === 'embedded') skip('one server at a time has the embedded database');
  const before = MIGRATIONS.slice(0, -1);
  const place = await emptyPlace();
  {
    await using _db = await newest(place);
  }
  await alone(place, async (connection) => void (await connection.query({ text: writtenBy(before) })));
  await using db = await newest(place);
  expect(await read(db)).toMatchObject({ ...KEPT, ...KEPT_IN_LEDGER });
});
