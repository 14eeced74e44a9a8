import { sql } from 'drizzle-orm';
import { beforeAll, describe, expect, it } from 'vitest';
import type { CoverageStatus, Stretch } from '../../src/market/coverage.ts';
import { coverageTotals, findGap, type GapQuery, listGaps, listStretches } from '../../src/storage/coverage.ts';
import { upsertInstrument } from '../../src/storage/instruments.ts';
import { useTestDatabase } from '../support/database.ts';
import { NOW, scene } from './samples.ts';

const db = useTestDatabase();
const run = (statement: ReturnType<typeof sql>) => db().writers.run((handle) => handle.execute(statement));

beforeAll(async () => {
  for (const writer of [0, 1])
    await run(sql`insert into tcp_dashboard.writer values (${writer}, 1, 0, now()) on conflict do nothing`);
});

type Said = readonly [status: CoverageStatus, first: number, last: number, fields?: Partial<Stretch>];

/** Writes what a writer knows of a market of its own, by SQL: trade k is of NOW + 10 k ms. */
async function known(symbol: string, writer: number, ...stretches: readonly Said[]): Promise<void> {
  const id = await upsertInstrument(db(), 'okx', symbol, 'market');
  for (const [status, first, last, fields = {}] of stretches) {
    const missing = status === 'GAP' || status === 'UNFILLABLE';
    const { gap = null, gapFoundAt = null, cause = missing ? 'lost' : null } = fields;
    const [from, to] = missing ? [first - 1, last + 1] : [first, last];
    await run(sql`insert into tcp_dashboard.coverage values (${writer}, ${id}, 'trade', ${first}, ${last}, ${status}, 'TRADE_ID_CONTIGUITY',
      ${time(from)}::timestamptz, ${time(to)}::timestamptz, ${missing ? 0 : last - first + 1}, ${cause}, ${gap === null ? null : String(gap)}::numeric,
      ${gapFoundAt === null ? null : new Date(gapFoundAt).toISOString()}::timestamptz, now())`);
  }
}
const time = (k: number) => new Date(NOW + 10 * k).toISOString();
const stretchesOf = async (symbol: string, from = 0, to = 1_000) =>
  (
    await listStretches(db(), {
      ...{ exchange: 'okx', symbol, dataType: 'trade' },
      ...{ from: new Date(NOW + 10 * from), to: new Date(NOW + 10 * to) },
    })
  ).map(({ status, first, last }) => `${status} ${first}-${last}`);
const gapsOf = (symbol: string | null, query: Partial<GapQuery> = {}) =>
  listGaps(db(), {
    ...{ exchange: 'okx', symbol, dataType: 'trade', statuses: null, limit: 100, after: null, ...query },
  });

describe('what is known of a stream', () => {
  it('comes back to the last digit', async () => {
    const { symbol } = scene();
    const huge = '9007199254740993123456789';
    const id = await upsertInstrument(db(), 'okx', symbol, 'market');
    await run(sql`insert into tcp_dashboard.coverage values (0, ${id}, 'trade', ${huge}, ${huge}, 'BACKFILLED', 'REST_RECONCILED',
      ${new Date(NOW + 1).toISOString()}::timestamptz, ${new Date(NOW + 1).toISOString()}::timestamptz, 1, 'slept', ${huge}, ${new Date(NOW + 7).toISOString()}::timestamptz, now())`);
    const query = { exchange: 'okx', symbol, dataType: 'trade', from: new Date(NOW), to: new Date(NOW + 10) } as const;
    expect(await listStretches(db(), query)).toEqual([
      {
        ...{
          first: BigInt(huge),
          last: BigInt(huge),
          status: 'BACKFILLED',
          evidence: 'REST_RECONCILED',
          from: NOW + 1,
          to: NOW + 1,
        },
        ...{ actual: 1, cause: 'slept', gap: BigInt(huge), gapFoundAt: NOW + 7 },
      },
    ]);
  });

  it('is what the writers say together', async () => {
    const { symbol } = scene();
    await known(symbol, 0, ['PROVEN', 1, 10], ['GAP', 11, 30], ['PROVEN', 31, 40]);
    await known(symbol, 1, ['PROVEN', 15, 20]);
    expect(await stretchesOf(symbol)).toEqual([
      ...['PROVEN 1-10', 'GAP 11-14', 'PROVEN 15-20', 'GAP 21-30', 'PROVEN 31-40'],
    ]);
  });

  it('has the nearest stretch on either side of the range, and no other', async () => {
    const { symbol } = scene();
    await known(symbol, 0, ['PROVEN', 1, 10], ['BACKFILLED', 11, 20], ['PROVEN', 21, 30], ['BACKFILLED', 31, 40]);
    await known(symbol, 0, ['PROVEN', 41, 50]);
    expect(await stretchesOf(symbol, 23, 24)).toEqual(['BACKFILLED 11-20', 'PROVEN 21-30', 'BACKFILLED 31-40']);
  });

  it('is not cut short without a word', async () => {
    const { symbol } = scene();
    await known(symbol, 0, ['PROVEN', 1, 10], ['BACKFILLED', 11, 20], ['PROVEN', 21, 30]);
    const all = { exchange: 'okx', symbol, dataType: 'trade', from: new Date(NOW), to: new Date(NOW + 1_000) } as const;
    expect(await listStretches(db(), all, 3)).toHaveLength(3);
    await expect(listStretches(db(), all, 2)).rejects.toMatchObject({ code: 'BAD_USER_INPUT' });
  });

  it('is nothing of an instrument nobody knows', async () => {
    expect(await stretchesOf('NO-SUCH')).toEqual([]);
    expect(await coverageTotals(db(), 'okx', 'NO-SUCH')).toBeNull();
    expect((await gapsOf('NO-SUCH')).gaps).toEqual([]);
  });

  it('adds up', async () => {
    const { symbol } = scene();
    await known(symbol, 0, ['PROVEN', 1, 10], ['GAP', 11, 30], ['UNFILLABLE', 31, 32], ['BACKFILLED', 33, 40]);
    expect(await coverageTotals(db(), 'okx', symbol)).toEqual({ expected: 40n, stored: 18n });
    await known(symbol, 1, ['PROVEN', 15, 45]);
    expect(await coverageTotals(db(), 'okx', symbol)).toEqual({ expected: 45n, stored: 41n });
  });
});

describe('gaps', () => {
  const of = (gap: number, gapFoundAt = NOW + gap) => ({ gap: BigInt(gap), gapFoundAt });

  it('are put together from their parts', async () => {
    const { symbol } = scene();
    await known(
      symbol,
      0,
      ['PROVEN', 1, 10],
      ['BACKFILLED', 11, 15, of(11)],
      ['GAP', 16, 18, of(11)],
      ['PROVEN', 19, 20],
    );
    await known(symbol, 0, ['UNFILLABLE', 21, 21, { ...of(21), cause: 'delisted' }], ['BACKFILLED', 22, 25, of(21)]);
    const { gaps } = await gapsOf(symbol);
    expect(gaps).toEqual([
      {
        ...{ writer: 0, exchange: 'okx', symbol, dataType: 'trade', first: 21n, last: 25n, foundAt: NOW + 21 },
        ...{
          from: NOW + 200,
          to: NOW + 250,
          cause: 'delisted',
          status: 'UNFILLABLE',
          expected: 5n,
          filled: 4n,
          unfillable: 1n,
        },
      },
      {
        ...{ writer: 0, exchange: 'okx', symbol, dataType: 'trade', first: 11n, last: 18n, foundAt: NOW + 11 },
        ...{ from: NOW + 110, to: NOW + 190, cause: 'lost', status: 'GAP', expected: 8n, filled: 5n, unfillable: 0n },
      },
    ]);
    expect(await findGap(db(), { exchange: 'okx', symbol, dataType: 'trade', first: 11n, foundAt: NOW + 11 })).toEqual(
      gaps[1],
    );
    expect(
      await findGap(db(), { exchange: 'okx', symbol, dataType: 'trade', first: 12n, foundAt: NOW + 11 }),
    ).toBeNull();
  });

  it('that several writers know are told by the one that lacks least, found when the first of them found it', async () => {
    const { symbol } = scene();
    await known(symbol, 0, ['GAP', 1, 4, of(1, NOW + 5)]);
    await known(symbol, 1, ['BACKFILLED', 1, 4, of(1, NOW + 8)]);
    const { gaps } = await gapsOf(symbol);
    expect(gaps.map(({ writer, status, foundAt, filled }) => [writer, status, foundAt, filled])).toEqual([
      [1, 'BACKFILLED', NOW + 5, 4n],
    ]);
    expect((await gapsOf(symbol, { statuses: ['GAP'] })).gaps).toEqual([]);
    const key = { exchange: 'okx', symbol, dataType: 'trade', first: 1n, foundAt: NOW + 5 } as const;
    expect(await findGap(db(), key)).toEqual(gaps[0]);
  });

  it('can be asked for by what became of them', async () => {
    const { symbol } = scene();
    await known(symbol, 0, ['BACKFILLED', 1, 2, of(1)], ['GAP', 3, 4, of(3)], ['UNFILLABLE', 5, 6, of(5)]);
    const ask = async (...statuses: CoverageStatus[]) =>
      (await gapsOf(symbol, { statuses })).gaps.map(({ first }) => first);
    expect(await ask('GAP')).toEqual([3n]);
    expect(await ask('BACKFILLED', 'UNFILLABLE')).toEqual([5n, 1n]);
    expect(await ask('PROVEN')).toEqual([]);
    expect(await ask()).toEqual([]);
  });

  it('come in pages, newest first, each once, also those of one instant and one name', async () => {
    const [here = '', there = ''] = [scene().symbol, scene().symbol].sort();
    for (const [symbol, writer] of [
      [here, 0],
      [there, 0],
      [there, 1],
    ] as const)
      await known(symbol, writer, ...[1, 3, 10].map((id): Said => ['GAP', id, id, of(id, NOW - 5_000)]));
    await known(here, 0, ['GAP', 50, 50, of(50, NOW + 9_000)]);
    const seen: string[] = [];
    for (let after: GapQuery['after'] = null, more = true; more; ) {
      const { gaps, hasMore } = await gapsOf(null, { limit: 2, after });
      seen.push(
        ...gaps
          .filter(({ symbol }) => symbol === here || symbol === there)
          .map(({ symbol, first, writer }) => `${symbol === here ? 'here' : 'there'} ${first} ${writer}`),
      );
      after = gaps.at(-1) ?? null;
      more = hasMore;
    }
    expect(seen).toEqual([
      'here 50 0',
      ...['here 1 0', 'here 3 0', 'here 10 0', 'there 1 0', 'there 3 0', 'there 10 0'],
    ]);
  });
});

it('reads no trades for any of it', async () => {
  const seen: string[] = [];
  const readers = db().readers;
  const note = (plan: readonly { 'QUERY PLAN': string }[]) =>
    seen.push(plan.map((line) => line['QUERY PLAN']).join('\n'));
  const watchedReaders: Pick<typeof readers, 'run' | 'query'> = {
    run: (work) =>
      readers.run((handle) =>
        work(
          new Proxy(handle, {
            get: (inner, method) =>
              method === 'execute'
                ? async (statement: ReturnType<typeof sql>, mode: 'objects') => {
                    note(await inner.execute<{ 'QUERY PLAN': string }>(sql`explain ${statement}`, 'objects'));
                    return inner.execute(statement, mode);
                  }
                : Reflect.get(inner, method),
          }),
        ),
      ),
    async query(query) {
      const { text, values } = query;
      note(await readers.query({ text: `explain ${text}`, ...(values && { values }) }));
      return readers.query(query);
    },
  };
  const watched = new Proxy(db(), {
    get: (target, name) => (name === 'readers' ? watchedReaders : Reflect.get(target, name)),
  });
  const { symbol } = scene();
  for (const writer of [0, 1]) await known(symbol, writer, ['PROVEN', 1, 10]);
  await listStretches(watched, {
    exchange: 'okx',
    symbol,
    dataType: 'trade',
    from: new Date(NOW),
    to: new Date(NOW + 1),
  });
  await listGaps(watched, { exchange: 'okx', symbol, dataType: null, statuses: null, limit: 1, after: null });
  await coverageTotals(watched, 'okx', symbol);
  expect(seen).toHaveLength(6);
  for (const plan of seen) expect(plan).not.toMatch(/\btrade(_\d{4}_\d\d)?\b(?!')/);
});
