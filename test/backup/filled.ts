import type { Ticker } from '../../src/market/market-event.ts';
import type { Place } from '../../src/storage/backup/places.ts';
import { saveCollectors } from '../../src/storage/collector-status.ts';
import { quarantine } from '../../src/storage/coverage-writer.ts';
import { type Database, type DatabaseOptions, openDatabase } from '../../src/storage/database.ts';
import { insertMarketData } from '../../src/storage/market-data.ts';
import { dec, NOW, sampleTrade, toRecord } from '../storage/samples.ts';
import { openTestWriter, type TestWriter } from '../storage/test-writer.ts';
import { freshOptions } from '../support/database.ts';
import { placeOf } from './places.ts';

const MONTH_MS = 31 * 86_400_000;
/** Whatever might be mistaken for the end of a value, a row or a statement. */
export const STRANGE = 'tab\t, line\nfeed, \r, \\N, \\., "quotes\', {braces}, (1,2), ü, 漢, 🂡, \u0001';

export interface Filled extends AsyncDisposable {
  readonly db: Database;
  readonly place: Place;
  readonly writer: TestWriter;
  /** Records trades with these ids. */
  record(first: number, count: number): Promise<void>;
}

/** A database with something in every table, open and with a writer at work. */
export async function openFilled(trades: number, own: Partial<DatabaseOptions> = {}): Promise<Filled> {
  await using opening = new AsyncDisposableStack();
  const options = await freshOptions(own);
  const db = opening.use(await openDatabase(options));
  const writer = opening.use(await openTestWriter(db));
  const record = async (first: number, count: number) => {
    const batch = Array.from({ length: count }, (_, k) => {
      const id = first + k;
      const [symbol, exchangeTime] = [id % 3 === 0 ? 'ETH-USDT' : 'BTC-USDT', NOW - (id % 2) * MONTH_MS + id];
      return toRecord(sampleTrade(id, { symbol, exchangeTime, raw: { tradeId: id, text: STRANGE } }));
    });
    await writer.write(batch, [
      {
        ...{ exchange: 'okx', symbol: 'BTC-USDT', first: BigInt(first) },
        stretch: {
          ...{
            first: BigInt(first),
            last: BigInt(first + count - 1),
            status: 'PROVEN',
            evidence: 'TRADE_ID_CONTIGUITY',
          },
          ...{ from: NOW, to: NOW + 1, actual: count, cause: null, gap: null, gapFoundAt: null },
        },
      },
    ]);
  };
  for (let first = 1; first <= trades; first += 2_000) await record(first, Math.min(2_000, trades - first + 1));
  await insertMarketData(db, [ticker('BTC-USDT', 1, { last: '1', text: STRANGE }), ticker('ETH-USDT', 2, null)]);
  await quarantine(db, { what: 'trade', reason: STRANGE, row: STRANGE });
  await saveCollectors(
    db,
    // Alphabets differ in where these stand.
    ['okx:BTC-USDT', 'OKX:btc-usdt', 'okx:B-TCUSDT', 'okx BTC', 'ökx'].map((name) => ({
      ...{
        name,
        exchange: 'okx',
        symbol: 'BTC-USDT',
        config: {},
        status: 'running',
        shouldBeRunning: true,
      },
      ...{ health: {}, statistics: { text: STRANGE }, updatedAt: new Date(NOW) },
    })),
  );
  const opened = opening.move();
  return { db, writer, record, place: placeOf(options), [Symbol.asyncDispose]: () => opened.disposeAsync() };
}

const ticker = (symbol: string, at: number, raw: unknown): Ticker => ({
  ...{ kind: 'ticker', exchange: 'okx', symbol, exchangeTime: NOW + at, receivedAt: NOW + at, raw },
  ...{ last: dec('1'), lastSize: null, bid: null, bidSize: null, ask: null, askSize: null },
  ...{ open24h: null, high24h: null, low24h: null, volume24h: null, quoteVolume24h: null },
});
