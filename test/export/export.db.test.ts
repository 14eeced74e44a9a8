import { sql } from 'drizzle-orm';
import { describe, expect, it } from 'vitest';
import type { Manifest } from '../../src/export/manifest.ts';
import { openExporter } from '../../src/exporting.ts';
import type { StretchChange } from '../../src/market/coverage.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { tradeRows } from '../../src/storage/export-trades.ts';
import { currentPosition } from '../../src/storage/trades.ts';
import { dec, NOW, scene } from '../storage/samples.ts';
import { openTestWriter, type TradeToRecord } from '../storage/test-writer.ts';
import { candleByHand, type Recorded } from '../support/candle-by-hand.ts';
import { useTestDatabase } from '../support/database.ts';
import { readParquet, shortest } from './parquet-reading.ts';

const db = useTestDatabase();
const noCollectors = { getCollector: () => undefined } as unknown as Parameters<typeof openExporter>[1];
const LATER = NOW + 3_600_000;
const waitedFor: number[] = [];
const recorder = { storedUpTo: async (time: number) => void waitedFor.push(time) };
const clock = { ...systemClock, now: () => LATER };
const exporter = () => openExporter(db(), noCollectors, recorder, clock);
const iso = (ms: number) => new Date(ms).toISOString();

const ask = (symbol: string, own: Readonly<Record<string, string>> = {}) =>
  new URLSearchParams({
    ...{ exchange: 'okx', symbol, type: 'trades', format: 'csv', from: iso(NOW), to: iso(NOW + 1_800_000), ...own },
  });

async function bytesOf(parameters: URLSearchParams): Promise<Buffer> {
  const { parts } = await exporter().open(parameters);
  return Buffer.concat(await Array.fromAsync(parts));
}

/** The file a manifest speaks of. */
const fileOf = (manifest: Manifest) => bytesOf(new URLSearchParams(manifest.href.split('?')[1]));

const csvRows = (file: Buffer) => {
  const [head = '', ...lines] = file.toString().trimEnd().split('\r\n');
  return lines.map((line) => Object.fromEntries(line.split(',').map((cell, k) => [head.split(',')[k], cell])));
};
const jsonRows = (file: Buffer) =>
  file
    .toString()
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Record<string, unknown>);

/** The trades of a market, by plain SQL and nothing of ours. */
async function stored(symbol: string) {
  const rows = await db().readers.run((handle) =>
    handle.execute<Record<string, string>>(
      sql`select to_char(ts at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as exchange_time, price::text as price, size::text as size,
        case side when 'b' then 'buy' else 'sell' end as side, fill_count::text as fill_count,
        to_char(received_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as received_at,
        to_char(recorded_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"') as recorded_at,
        case provenance when 'l' then 'LIVE' when 'b' then 'BACKFILL' else 'RECONCILED' end as provenance,
        (t.id / 281474976710656)::text as writer, (t.id % 281474976710656)::text as sequence, trade_id
        from tcp_dashboard.trade t join tcp_dashboard.instrument i on i.id = t.instrument_id
        where i.symbol = ${symbol} and ts >= ${iso(NOW)} and ts < ${iso(NOW + 1_800_000)}
        order by ts, trade_id::numeric`,
      'objects',
    ),
  );
  return rows;
}

/** 300 trades, three a millisecond, ids of two lengths, written in two batches out of order. */
async function market() {
  const { symbol, trade } = scene();
  const writer = await openTestWriter(db(), { clock: { ...systemClock, now: () => NOW + 1_000 } });
  const one = (k: number): TradeToRecord => ({
    trade: trade(900 + k, {
      exchangeTime: NOW + Math.floor(k / 3) * 7,
      price: dec(k % 2 ? `63924.${k}0` : '0.00000012'),
      size: dec(`${k}.00100`),
    }),
    ...{ provenance: k % 5 === 0 ? 'BACKFILL' : 'LIVE', storeRaw: false },
  });
  const all = Array.from({ length: 300 }, (_, k) => one(k));
  await writer.write(all.filter((_, k) => k % 2 === 1));
  await writer.write(all.filter((_, k) => k % 2 === 0));
  return { symbol, trade, writer, one };
}

describe('an export', () => {
  it('holds the trades of the table, in order, in every format', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    const expected = await stored(symbol);
    expect(expected).toHaveLength(300);
    expect(csvRows(await bytesOf(ask(symbol)))).toEqual(expected);
    const json = jsonRows(await bytesOf(ask(symbol, { format: 'ndjson' })));
    expect(json[0]).toMatchObject({ price: expected[0]?.price, trade_id: '900', writer: Number(expected[0]?.writer) });
    expect(
      json.map((row) => Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, String(cell)]))),
    ).toEqual(expected);
    const parquet = await readParquet(await bytesOf(ask(symbol, { format: 'parquet' })));
    const short = (row: Record<string, string>) => ({
      ...row,
      price: shortest(row.price ?? ''),
      size: shortest(row.size ?? ''),
    });
    expect(parquet).toEqual(expected.map(short));
  });

  it('goes over every page once, also where one ends inside a millisecond', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    const whole = (await stored(symbol)).map(({ trade_id: id }) => id);
    const position = await currentPosition(db());
    for (const pageRows of [1, 2, 7, 150, 299, 300, 301]) {
      const pages = await Array.fromAsync(
        tradeRows(db(), { exchange: 'okx', symbol, from: NOW, to: NOW + 1_800_000, position }, pageRows),
      );
      expect(pages.flatMap(({ text }) => text.split('\n').map((line) => line.split('\t').at(-1)))).toEqual(whole);
    }
    const none = { exchange: 'okx', symbol: 'NONE', from: NOW, to: NOW + 1, position };
    expect(await Array.fromAsync(tradeRows(db(), none))).toEqual([]);
  });

  it('is of the state its manifest tells of, whatever was recorded since', async () => {
    const { symbol, writer, one } = await market();
    await using _ = writer;
    const manifest = await exporter().manifest(ask(symbol));
    const before = await fileOf(manifest);
    await writer.write([one(300), one(301)]);
    await using other = await openTestWriter(db(), { clock });
    await other.write([one(302)]);
    expect(await fileOf(manifest)).toEqual(before);
    expect(csvRows(await bytesOf(ask(symbol)))).toHaveLength(303);
    const state = new URLSearchParams(manifest.href.split('?')[1]).get('state') ?? '';
    await expect(exporter().manifest(ask(symbol, { state }))).rejects.toThrow('`state` is for the file');
  });

  it('has a manifest that names the gap, and never more than the file holds', async () => {
    const { symbol, trade } = scene();
    await using writer = await openTestWriter(db(), { clock: { ...systemClock, now: () => NOW } });
    const at = (id: number) => trade(id, { exchangeTime: NOW + id * 1_000 });
    const ids = [...Array.from({ length: 10 }, (_, k) => k), ...Array.from({ length: 10 }, (_, k) => k + 15)];
    const said = {
      exchange: 'okx',
      symbol,
      evidence: 'TRADE_ID_CONTIGUITY',
      cause: null,
      gap: null,
      gapFoundAt: null,
    } as const;
    const stretch = (first: number, last: number, own: object): StretchChange => ({
      ...{ exchange: 'okx', symbol, first: BigInt(first) },
      stretch: {
        ...{ ...said, first: BigInt(first), last: BigInt(last), status: 'PROVEN', actual: last - first + 1 },
        ...{ from: NOW + first * 1_000, to: NOW + last * 1_000, ...own },
      },
    });
    await writer.write(
      ids.map((id) => ({ trade: at(id), provenance: 'LIVE', storeRaw: false })),
      [
        stretch(0, 9, {}),
        stretch(10, 14, {
          status: 'GAP',
          actual: 0,
          cause: 'the connection was lost',
          gap: 10n,
          gapFoundAt: NOW,
          from: NOW + 9_000,
          to: NOW + 15_000,
        }),
        stretch(15, 24, {}),
      ],
    );
    const { coverage, estimatedRows } = await exporter().manifest(ask(symbol, { to: iso(NOW + 24_000) }));
    expect(coverage.intervals.map(({ status, firstId, lastId, cause }) => [status, firstId, lastId, cause])).toEqual([
      ['PROVEN', '0', '9', null],
      ['GAP', '10', '14', 'the connection was lost'],
      ['PROVEN', '15', '24', null],
    ]);
    expect(coverage.summary).toMatch(
      /^74\.9 % of the time is proven, 25 % missing, to be fetched; 1 gap: .*\(ids 10 to 14, the connection was lost\)$/,
    );
    expect(estimatedRows).toBe(20);
    const candles = await exporter().manifest(
      ask(symbol, { type: 'candles', interval: '5s', from: iso(NOW + 1), to: iso(NOW + 24_000) }),
    );
    expect(candles.coverage).toMatchObject({ from: iso(NOW), to: iso(NOW + 20_000) });
    expect(candles.estimatedRows).toBe(4);
    const rows = jsonRows(
      await bytesOf(
        ask(symbol, { type: 'candles', interval: '5s', format: 'ndjson', from: iso(NOW + 1), to: iso(NOW + 24_000) }),
      ),
    );
    expect(rows.map(({ close_time: label, completeness, open }) => [label, completeness, open !== null])).toEqual([
      [iso(NOW + 5_000), 'COMPLETE', true],
      [iso(NOW + 10_000), 'PARTIAL', true],
      [iso(NOW + 15_000), 'MISSING', false],
      [iso(NOW + 20_000), 'PARTIAL', true],
    ]);
  });

  it('holds candles as they are made by hand, labelled by their end, in every format', async () => {
    const { symbol, writer, one } = await market();
    await using _ = writer;
    const all = Array.from(
      { length: 300 },
      (_unused, k): Recorded => ({ trade: one(k).trade, recordedAt: NOW + 1_000 }),
    );
    const own = { type: 'candles', interval: '1s', from: iso(NOW - 1_000), to: iso(NOW + 3_000) };
    const rows = jsonRows(await bytesOf(ask(symbol, { ...own, format: 'ndjson' })));
    expect(waitedFor.at(-1)).toBe(LATER);
    expect(rows.map((row) => row.close_time)).toEqual([0, 1, 2, 3].map((k) => iso(NOW + k * 1_000)));
    for (const row of rows) {
      const window = { openTime: Date.parse(String(row.open_time)), closeTime: Date.parse(String(row.close_time)) };
      const values = candleByHand(all, window, { endInclusive: false, asOf: null });
      const { open, high, low, close, volume, quoteVolume, buyVolume, tradeCount } = values ?? {};
      expect(row).toMatchObject({
        ...{ open: open ?? null, high: high ?? null, low: low ?? null, close: close ?? null, volume: volume ?? '0' },
        ...{ quote_volume: quoteVolume ?? '0', buy_volume: buyVolume ?? '0', trade_count: tradeCount ?? 0 },
      });
    }
    const text = (row: Record<string, unknown>) =>
      Object.fromEntries(Object.entries(row).map(([name, cell]) => [name, cell === null ? '' : String(cell)]));
    expect(csvRows(await bytesOf(ask(symbol, own)))).toEqual(rows.map(text));
    const parquet = await readParquet(await bytesOf(ask(symbol, { ...own, format: 'parquet' })));
    const decimals = ['open', 'high', 'low', 'close', 'volume', 'quote_volume', 'buy_volume', 'vwap'];
    const short = (cell: unknown) => (cell === null ? null : shortest(String(cell)));
    expect(parquet.map((row) => decimals.map((name) => row[name]))).toEqual(
      rows.map((row) => decimals.map((name) => short(row[name]))),
    );
  });

  it('has a manifest of all its candles, also where one ends while the state is read', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    let time = NOW + 10_000;
    const passing = { ...clock, now: () => (time += 700) };
    const files = openExporter(db(), noCollectors, recorder, passing);
    const manifest = await files.manifest(ask(symbol, { type: 'candles', interval: '1s' }));
    const { parts } = await files.open(new URLSearchParams(manifest.href.split('?')[1]));
    const rows = csvRows(Buffer.concat(await Array.fromAsync(parts)));
    expect(manifest.coverage.to).toBe(rows.at(-1)?.close_time);
  });

  it('hands over something for every page, so that a client who left is noticed before there are bytes', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    const own = { type: 'candles', interval: '1s', from: iso(NOW - 3_000_000), format: 'parquet' };
    const { parts } = await exporter().open(ask(symbol, own));
    let count = 0;
    for await (const _part of parts) count += 1;
    expect(count).toBeGreaterThan(4); // 3,000 candles and more in pages of 1,000, and the end
  });

  it('goes from the first time there is to the last', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    const all = { from: '0001-01-01T00:00:00Z', to: '9999-12-31T23:59:59.999Z' };
    expect(csvRows(await bytesOf(ask(symbol, all)))).toHaveLength(300);
    const months = { ...all, type: 'candles', interval: '1M', to: '0001-03-01T00:00:00Z' };
    expect(csvRows(await bytesOf(ask(symbol, months)))).toHaveLength(2);
  });

  it('keeps decimals that no DECIMAL(38, 18) holds as text in Parquet', async () => {
    const { symbol, trade } = scene();
    await using writer = await openTestWriter(db());
    const one = trade(1, { exchangeTime: NOW, price: dec('0.0000000000000000120'), size: dec('1.50') });
    await writer.write([{ trade: one, provenance: 'LIVE', storeRaw: false }]);
    const [row] = await readParquet(await bytesOf(ask(symbol, { format: 'parquet' })));
    expect(row).toMatchObject({ price: '0.0000000000000000120', size: '1.50' });
  });

  it('breaks off when retention took a part of it, and refuses to begin so', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    const manifest = await exporter().manifest(ask(symbol));
    const parameters = new URLSearchParams(manifest.href.split('?')[1]);
    const { parts } = await exporter().open(parameters);
    const reading = parts[Symbol.asyncIterator]();
    await reading.next();
    await db().writers.run((handle) =>
      handle.execute(sql`insert into tcp_dashboard.dropped_range
        select id, 'trade', 900, 1000, ${iso(NOW - 1_000)}::timestamptz, ${iso(NOW + 1_000)}::timestamptz
        from tcp_dashboard.instrument where symbol = ${symbol}`),
    );
    const rest = async () => {
      while (!(await reading.next()).done);
    };
    await expect(rest()).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
    await expect(exporter().open(parameters)).rejects.toMatchObject({ code: 'CURSOR_EXPIRED' });
  });

  it('is refused before it begins for what is not there, and for a state nobody had yet', async () => {
    const { symbol, writer } = await market();
    await using _ = writer;
    await expect(exporter().open(ask('NO-PE'))).rejects.toMatchObject({ code: 'SYMBOL_UNKNOWN' });
    await expect(exporter().manifest(ask(symbol, { exchange: 'nope' }))).rejects.toMatchObject({
      code: 'EXCHANGE_UNKNOWN',
    });
    const ahead = openExporter(db(), noCollectors, recorder, { ...clock, now: () => LATER + 1_000 });
    const parameters = new URLSearchParams((await ahead.manifest(ask(symbol))).href.split('?')[1]);
    await expect(exporter().open(parameters)).rejects.toThrow('another database, or of a later time');
  });
});
