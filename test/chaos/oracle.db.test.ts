import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { packedTrade } from '../../src/simulator/okx-frames.ts';
import { groupOf, openTape, type Tape, tradeAt } from '../../src/simulator/tape.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { freshOptions } from '../support/database.ts';
import { connectDirectly, type Direct } from './direct.ts';
import { type Finding, Findings } from './findings.ts';
import { judgeStored } from './oracle.ts';
import { type GivenTrade, judgeLog, judgePages, type SubscriberLog } from './published.ts';
import { readWithin, type Stored, type StoredTrade } from './stored.ts';

const FIRST_ID = 9_007_199_254_740_993n;
const tapeOf = (symbol: string) => openTape({ seed: 'oracle', exchange: 'okx', symbol, rate: 50, firstId: FIRST_ID });
const TAPES = [tapeOf('BTC-USDT'), tapeOf('ETH-USDT')];
const [BTC] = TAPES as [Tape];
const [FROM, TO] = [1_000, 1_999];
/** The whole of one taker order at one price, stored as one row. */
const PACKED = groupOf(BTC, 1_850);

const id = (place: number) => String(FIRST_ID + BigInt(place));
/** Where clauses of Bitcoin's. */
const row = (place: number) => `trade_id = '${id(place)}' and instrument_id = 1`;
const stretch = (place: number) => `first = ${id(place)} and instrument_id = 1`;

let database: Direct;
beforeAll(async () => {
  const { url, dataDir, ...options } = await freshOptions();
  await (await openDatabase({ ...options, url, dataDir: `${dataDir}/data` }))[Symbol.asyncDispose]();
  database = await connectDirectly({ url, dataDir });
  await database.query('create table tcp_dashboard.every_trade partition of tcp_dashboard.trade default');
  await fill();
});
afterAll(() => database?.[Symbol.asyncDispose]());

/** Places 1000 to 1999 of both, but for 1500 to 1519, which are a gap; 1600 to 1699 were one. */
async function fill(): Promise<void> {
  const trades: object[] = [];
  const stretches: object[] = [];
  for (const [index, tape] of TAPES.entries()) {
    const { symbol } = tape.instrument;
    await database.query(`insert into tcp_dashboard.instrument (exchange, symbol, kind) values ('okx', $1, 'SPOT')`, [
      symbol,
    ]);
    for (let place = FROM; place <= TO; place += 1) {
      if (place >= 1_500 && place < 1_520) continue;
      const inPack = index === 0 && place >= PACKED.first && place <= PACKED.last;
      if (inPack && place < PACKED.last) continue;
      trades.push({
        ...tradeAt(tape, place),
        id: String((1n << 48n) + BigInt(trades.length + 1)),
        instrument: index + 1,
        fills: inPack ? PACKED.last - PACKED.first + 1 : 1,
        ...(inPack ? { size: JSON.parse(packedTrade(tape, PACKED)).sz } : {}),
      });
    }
    for (const [first, last, status] of [
      [1_000, 1_499, 'PROVEN'],
      [1_500, 1_519, 'GAP'],
      [1_520, 1_599, 'PROVEN'],
      [1_600, 1_699, 'BACKFILLED'],
      [1_700, 1_999, 'PROVEN'],
    ] as const)
      stretches.push({
        instrument: index + 1,
        first: id(first),
        last: id(last),
        status,
        actual: status === 'GAP' ? 0 : last - first + 1,
      });
  }
  await database.query(
    `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
    select id, to_timestamp(time / 1000.0), now(), now(), instrument, fills, left(side, 1)::"char", 'l', "tradeId", price, size
    from jsonb_to_recordset($1::jsonb) as t(id bigint, time bigint, instrument int, fills int, side text, "tradeId" text, price numeric, size numeric)`,
    [JSON.stringify(trades)],
  );
  await database.query(
    `insert into tcp_dashboard.coverage (writer, instrument_id, data_type, first, last, status, evidence, from_time, to_time, actual, updated_at)
    select 1, instrument, 'trade', first, last, status, 'TRADE_ID_CONTIGUITY', now(), now(), actual, now()
    from jsonb_to_recordset($1::jsonb) as t(instrument int, first numeric, last numeric, status text, actual bigint)`,
    [JSON.stringify(stretches)],
  );
}

/** What the oracle says after these statements, which leave nothing behind. */
async function afterwards<T>(statements: readonly string[], judge: (stored: Stored) => T): Promise<T> {
  await database.query('begin');
  try {
    for (const statement of statements) await database.query(statement);
    return judge(await readWithin(database, 'okx'));
  } finally {
    await database.query('rollback');
  }
}

function verdict(stored: Stored): Findings {
  const findings = new Findings();
  const expected = TAPES.map((tape) => ({
    tape,
    window: { first: FROM, last: TO },
    made: { first: FROM, last: 2_000 },
  }));
  judgeStored(expected, stored, findings);
  return findings;
}

/** Both instruments have a gap of twenty. */
const SOUND = { DECLARED: 40 };

it('finds nothing wrong with what is right, packed trades and an open gap among it', async () => {
  const findings = await afterwards([], verdict);
  expect(findings.counts).toEqual(SOUND);
  expect(findings.clean).toBe(true);
});

const COPY = `insert into tcp_dashboard.trade select id + 100000, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance`;
const TABLE = 'from tcp_dashboard.trade where';
/** A hole in what the ledger calls whole is three truths: it is missing, the proof is false, the count is wrong. */
const HOLE = { MISSING: 1, FALSE_PROVEN: 1, WRONG_COUNT: 1 };

/** What is planted, what must be found, and the statements, `; ` between them. */
const PLANTED: [string, Partial<Record<Finding, number>>, string][] = [
  ['a deleted row', HOLE, `delete from tcp_dashboard.trade where ${row(1_234)}`],
  ['a deleted row of a filled gap', HOLE, `delete from tcp_dashboard.trade where ${row(1_650)}`],
  [
    'a deleted packed row: every fill of it',
    { MISSING: PACKED.last - PACKED.first + 1, FALSE_PROVEN: PACKED.last - PACKED.first + 1, WRONG_COUNT: 1 },
    `delete from tcp_dashboard.trade where ${row(PACKED.last)}`,
  ],
  ['a second row', { DUPLICATE: 1 }, `${COPY}, trade_id, price, size ${TABLE} ${row(1_234)}`],
  ['a fill that lies in a packed row too', { DUPLICATE: 1 }, insertRow(PACKED.first, tradeAt(BTC, PACKED.first))],
  [
    'the last digit of a price',
    { CORRUPT: 1 },
    `update tcp_dashboard.trade set price = price + power(10::numeric, -scale(price)) where ${row(1_234)}`,
  ],
  [
    'a zero more behind a price',
    { CORRUPT: 1 },
    `update tcp_dashboard.trade set price = (price::text || '0')::numeric where ${row(1_234)}`,
  ],
  [
    'the last digit of a packed size',
    { CORRUPT: 1 },
    `update tcp_dashboard.trade set size = size + power(10::numeric, -scale(size)) where ${row(PACKED.last)}`,
  ],
  ['one millisecond', { CORRUPT: 1 }, `update tcp_dashboard.trade set ts = ts + interval '1 ms' where ${row(1_234)}`],
  ['one microsecond', { CORRUPT: 1 }, `update tcp_dashboard.trade set ts = ts + interval '1 us' where ${row(1_234)}`],
  [
    'the other side',
    { CORRUPT: 1 },
    `update tcp_dashboard.trade set side = case side when 'b' then 's' else 'b' end::"char" where ${row(1_234)}`,
  ],
  ['a dropped gap', { MISSING: 20, DECLARED: -20 }, `delete from tcp_dashboard.coverage where ${stretch(1_500)}`],
  ['an id never made', { SPURIOUS: 1 }, insertRow(2_001, tradeAt(BTC, 2_001))],
  ['an id before the first', { SPURIOUS: 1 }, insertRow(999, tradeAt(BTC, 999))],
  ['an id that is no number', { SPURIOUS: 1 }, `${COPY}, 'x', price, size ${TABLE} ${row(1_234)}`],
  [
    'a proof of a hole',
    { MISSING: 20, DECLARED: -20, FALSE_PROVEN: 20, WRONG_COUNT: 1 },
    `update tcp_dashboard.coverage set status = 'PROVEN', actual = 20 where ${stretch(1_500)}`,
  ],
  [
    'a hole that is called filled',
    { MISSING: 20, DECLARED: -20, FALSE_PROVEN: 20, WRONG_COUNT: 1 },
    `update tcp_dashboard.coverage set status = 'BACKFILLED', actual = 20 where ${stretch(1_500)}`,
  ],
  [
    'a gap where nothing is missing',
    { OVERDECLARED: 80 },
    `update tcp_dashboard.coverage set status = 'UNFILLABLE' where ${stretch(1_520)}`,
  ],
  [
    'a stretch that says nothing of its end',
    { UNCOVERED: 1, WRONG_COUNT: 1 },
    `update tcp_dashboard.coverage set last = last - 1 where ${stretch(1_700)}`,
  ],
  [
    'stretches that overlap',
    { OVERLAP: 10, WRONG_COUNT: 1 },
    `set local session_replication_role = replica; update tcp_dashboard.coverage set first = first - 10 where ${stretch(1_700)}`,
  ],
  [
    'a wrong count',
    { WRONG_COUNT: 1 },
    `update tcp_dashboard.coverage set actual = actual + 1 where ${stretch(1_700)}`,
  ],
];

function insertRow(place: number, { price, size, side, time }: ReturnType<typeof tradeAt>): string {
  return `insert into tcp_dashboard.trade (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size)
    values (1, to_timestamp(${time} / 1000.0), now(), now(), 1, 1, '${side[0]}', 'l', '${id(place)}', ${price}, ${size})`;
}

it.each<[string, Partial<Record<Finding, number>>, string]>(PLANTED)(
  'finds %s, and nothing else',
  async (_name, found, planted) => {
    const { counts } = await afterwards(planted.split('; '), verdict);
    const expected = Object.entries({ ...found, DECLARED: SOUND.DECLARED + (found.DECLARED ?? 0) });
    expect(counts).toEqual(Object.fromEntries(expected));
  },
);

it('lets one writer lack what another has, and count only its own', async () => {
  const second = `select 2, instrument_id, data_type, first, last, 'GAP', evidence, from_time, to_time, 0, 'restart' from tcp_dashboard.coverage where ${stretch(1_600)}`;
  const columns = 'writer, instrument_id, data_type, first, last, status, evidence, from_time, to_time, actual, cause';
  const statement = `insert into tcp_dashboard.coverage (${columns}, updated_at) ${second.replace("'restart'", "'restart', now()")}`;
  expect((await afterwards([statement], verdict)).counts).toEqual(SOUND);
});

describe('of what was given to others', () => {
  const given = ({ symbol, tradeId, fillCount, price, size, side, time }: StoredTrade): GivenTrade => ({
    symbol,
    tradeId,
    fillCount,
    price,
    size,
    side: side === 'buy' ? 'BUY' : 'SELL',
    exchangeTime: new Date(time).toISOString(),
  });
  const logOf = (trades: readonly StoredTrade[], log: Partial<SubscriberLog> = {}): SubscriberLog => ({
    name: 'one',
    filter: {},
    entries: trades.map((trade) => ({ ...given(trade), position: new Map([[trade.writer, trade.sequence]]) })),
    start: new Map(),
    end: new Map([[1, 10_000n]]),
    ...log,
  });

  it.each<[string, Partial<Record<Finding, number>>, (trades: readonly StoredTrade[]) => SubscriberLog]>([
    ['everything in order', {}, (trades) => logOf(trades)],
    [
      'what was recorded after the start only',
      {},
      (trades) => logOf(trades.slice(100), { start: new Map([[1, 100n]]) }),
    ],
    [
      'what matches only',
      {},
      (trades) => {
        const filter = { symbols: ['ETH-USDT'], side: 'BUY', minSize: '0.5' } as const;
        const matching = trades.filter((t) => t.symbol === 'ETH-USDT' && t.side === 'buy' && Number(t.size) >= 0.5);
        expect(matching.length).toBeGreaterThan(10);
        return logOf(matching, { filter });
      },
    ],
    ['one left out', { NOT_DELIVERED: 1 }, (trades) => logOf(trades.toSpliced(50, 1))],
    ['one twice', { REPEATED: 1 }, (trades) => logOf(trades.toSpliced(51, 0, ...trades.slice(50, 51)))],
    [
      'two in the wrong order',
      { OUT_OF_ORDER: 1 },
      (trades) => logOf([...trades.slice(1, 2), ...trades.slice(0, 1), ...trades.slice(2)]),
    ],
    ['no payload', { NOT_DELIVERED: 1 }, () => logOf([], { start: null })],
    [
      'another price',
      { PUBLISHED_DIFFERENT: 1 },
      (trades) => logOf(trades.map((trade, i) => (i === 5 ? { ...trade, price: `${trade.price}0` } : trade))),
    ],
  ])('compares a subscriber that got %s', async (_name, found, make) => {
    const findings = new Findings();
    await afterwards([], (stored) => judgeLog(make(stored.trades), stored.trades, findings));
    expect(findings.counts).toEqual(found);
  });

  it('finds what was published and then lost', async () => {
    const published = await afterwards([], ({ trades }) => logOf(trades));
    const findings = new Findings();
    await afterwards([`delete from tcp_dashboard.trade where ${row(1_234)}`], (stored) =>
      judgeLog(published, stored.trades, findings),
    );
    expect(findings.counts).toEqual({ PUBLISHED_THEN_LOST: 1 });
    expect(findings.examples).toEqual([
      { finding: 'PUBLISHED_THEN_LOST', where: 'one', what: `BTC-USDT ${id(1_234)}` },
    ]);
  });

  it.each<[string, Partial<Record<Finding, number>>, (pages: readonly GivenTrade[]) => readonly GivenTrade[]]>([
    ['as it is', {}, (pages) => pages],
    ['without one', { API_MISSING: 1 }, (pages) => pages.slice(1)],
    ['one twice', { API_REPEATED: 1 }, (pages) => [...pages, ...pages.slice(0, 1)]],
    [
      'with a stranger',
      { API_EXTRA: 1 },
      (pages) => [...pages, ...pages.slice(0, 1).map((t) => ({ ...t, tradeId: '7' }))],
    ],
    [
      'with another time',
      { API_DIFFERENT: 1 },
      (pages) => pages.map((t, i) => (i === 3 ? { ...t, exchangeTime: '2026-01-01T00:00:00.000Z' } : t)),
    ],
  ])('compares pages that give it %s', async (_name, found, make) => {
    const findings = new Findings();
    await afterwards([], ({ trades }) => {
      const pages = trades.filter(({ symbol }) => symbol === 'BTC-USDT').map(given);
      judgePages('BTC-USDT', make(pages), trades, findings);
    });
    expect(findings.counts).toEqual(found);
  });
});
