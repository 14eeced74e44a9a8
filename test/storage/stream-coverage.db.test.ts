import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { StreamTail, Stretch } from '../../src/market/coverage.ts';
import type { Ticker } from '../../src/market/market-event.ts';
import { coverageTotals, listGaps, listStretches } from '../../src/storage/coverage.ts';
import { insertMarketData, listMarketData } from '../../src/storage/market-data.ts';
import { loadStreamEnds } from '../../src/storage/stream-coverage.ts';
import { aTicker } from '../pipeline/market-data.ts';
import { useTestDatabase } from '../support/database.ts';
import { NOW, scene } from './samples.ts';

const WRITER = 7;
const db = useTestDatabase();
const run = (statement: ReturnType<typeof sql>) =>
  db().writers.run((handle) => handle.execute<Record<string, unknown>>(statement, 'objects'));

beforeAll(async () => {
  await run(sql`insert into tcp_dashboard.writer values (${WRITER}, 1, 0, now()) on conflict do nothing`);
});

type Said = readonly [status: 'PROVEN' | 'UNPROVEN' | 'UNFILLABLE', first: number, last: number, actual?: number];

const stretch = ([status, first, last, actual = 0]: Said): Stretch => {
  const missing = status === 'UNFILLABLE';
  return {
    ...{ status, evidence: status === 'PROVEN' ? 'SEQUENCE_CHAIN' : 'CONNECTION_ONLY', actual },
    ...{ first: BigInt(NOW + first), last: BigInt(NOW + last), from: NOW + first, to: NOW + last },
    ...{ cause: missing ? 'cut' : null, gap: missing ? BigInt(NOW + first) : null, gapFoundAt: missing ? NOW : null },
  };
};
const tail = (symbol: string, from: number, ...said: readonly Said[]): StreamTail => ({
  ...{ exchange: 'okx', symbol, dataType: 'ticker', from: BigInt(NOW + from), stretches: said.map(stretch) },
});
const save = (tails: readonly StreamTail[], events: readonly Ticker[] = []) =>
  insertMarketData(db(), events, { writer: WRITER, tails });
const stretchesOf = (symbol: string) =>
  listStretches(db(), {
    ...{ exchange: 'okx', symbol, dataType: 'ticker' },
    ...{ from: new Date(NOW - 10_000), to: new Date(NOW + 10_000) },
  });
const said = async (symbol: string) =>
  (await stretchesOf(symbol)).map(
    ({ status, first, last, actual }) => `${status} ${Number(first) - NOW}..${Number(last) - NOW} (${actual})`,
  );

describe('what is known of a stream without ids', () => {
  it('comes back as it was said', async () => {
    const { symbol } = scene();
    await save([tail(symbol, 0, ['PROVEN', 0, 100, 3], ['UNFILLABLE', 101, 200])]);
    expect(await stretchesOf(symbol)).toEqual([stretch(['PROVEN', 0, 100, 3]), stretch(['UNFILLABLE', 101, 200])]);
  });

  it('grows in its row', async () => {
    const { symbol } = scene();
    await save([tail(symbol, 0, ['UNPROVEN', 0, 100])]);
    const rows = () =>
      run(sql`select c.first::text, c.last::text, c.writer from tcp_dashboard.coverage c
        join tcp_dashboard.instrument i on i.id = c.instrument_id where i.symbol = ${symbol}`);
    for (const last of [200, 300]) await save([tail(symbol, 0, ['UNPROVEN', 0, last, 1])]);
    expect(await rows()).toEqual([{ first: String(NOW), last: String(NOW + 300), writer: WRITER }]);
  });

  it('is replaced from the time on that is said anew: cut, parted, joined', async () => {
    const { symbol } = scene();
    await save([tail(symbol, 0, ['UNPROVEN', 0, 500, 4])]);
    await save([tail(symbol, 0, ['UNPROVEN', 0, 199, 4], ['UNFILLABLE', 200, 210], ['UNPROVEN', 211, 600])]);
    expect(await said(symbol)).toEqual(['UNPROVEN 0..199 (4)', 'UNFILLABLE 200..210 (0)', 'UNPROVEN 211..600 (0)']);
    await save([tail(symbol, 200, ['UNFILLABLE', 200, 700])]);
    expect(await said(symbol)).toEqual(['UNPROVEN 0..199 (4)', 'UNFILLABLE 200..700 (0)']);
    await save([tail(symbol, 200)]);
    expect(await said(symbol)).toEqual(['UNPROVEN 0..199 (4)']);
  });

  it('overlaps nothing when the database was restored to what it held before', async () => {
    const { symbol } = scene();
    await save([tail(symbol, 0, ['UNPROVEN', 0, 500])]);
    await save([tail(symbol, 301, ['UNPROVEN', 301, 800])]);
    expect(await said(symbol)).toEqual(['UNPROVEN 0..800 (0)']);
    await save([tail(symbol, 301, ['UNFILLABLE', 301, 800])]);
    expect(await stretchesOf(symbol)).toMatchObject([{ to: NOW + 300 }, { from: NOW + 301 }]);
  });

  it('is stored with its samples or not at all', async () => {
    const { symbol } = scene();
    const ticker = aTicker({ symbol, exchangeTime: NOW, raw: {} });
    await expect(save([tail(symbol, 0, ['UNPROVEN', 0, 100, 1], ['UNPROVEN', 50, 60])], [ticker])).rejects.toThrow();
    const query = { exchange: 'okx', symbol, dataType: 'ticker', from: null, to: null } as const;
    const page = { order: 'ASC', limit: 10, after: null, before: null, fromEnd: false } as const;
    expect((await listMarketData(db(), { ...query, ...page })).rows).toEqual([]);
    expect(await said(symbol)).toEqual([]);
    await save([tail(symbol, 0, ['UNPROVEN', 0, 100, 1])], [ticker]);
    expect((await listMarketData(db(), { ...query, ...page })).rows).toHaveLength(1);
    expect(await said(symbol)).toEqual(['UNPROVEN 0..100 (1)']);
  });

  it('ends, for the next start, with the newest stretch of each, whoever said it', async () => {
    const [one, other] = [scene().symbol, scene().symbol];
    await save([
      tail(one, 0, ['UNPROVEN', 0, 100], ['UNFILLABLE', 101, 200]),
      { ...tail(other, 0, ['UNPROVEN', 0, 300]), dataType: 'candle' },
    ]);
    const older = [tail(one, 0, ['UNPROVEN', 0, 150]), tail(other, 0, ['UNPROVEN', 0, 150])];
    await insertMarketData(db(), [], { writer: WRITER + 1, tails: older });
    const ends = (await loadStreamEnds(db())).filter(({ symbol }) => symbol === one || symbol === other);
    expect(ends.map(({ symbol, dataType, stretch: { last } }) => [symbol, dataType, Number(last) - NOW])).toEqual([
      [one, 'ticker', 200],
      [other, 'candle', 300],
      [other, 'ticker', 150],
    ]);
  });

  it('has gaps that count no trades, and does not count as trades elsewhere', async () => {
    const { symbol } = scene();
    await save([tail(symbol, 0, ['UNPROVEN', 0, 100, 5], ['UNFILLABLE', 101, 5_000])]);
    const all = { exchange: 'okx', symbol, dataType: null, statuses: null, limit: 10, after: null } as const;
    const { gaps } = await listGaps(db(), all);
    expect(gaps).toEqual([
      {
        ...{ writer: WRITER, exchange: 'okx', symbol, dataType: 'ticker', status: 'UNFILLABLE', cause: 'cut' },
        ...{ first: BigInt(NOW + 101), last: BigInt(NOW + 5_000), from: NOW + 101, to: NOW + 5_000, foundAt: NOW },
        ...{ expected: 0n, filled: 0n, unfillable: 0n },
      },
    ]);
    expect((await listGaps(db(), { ...all, dataType: 'trade' })).gaps).toEqual([]);
    expect(await coverageTotals(db(), 'okx', symbol)).toBeNull();
  });
});
