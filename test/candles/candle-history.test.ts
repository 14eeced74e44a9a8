import { describe, expect, it } from 'vitest';
import { candleAt, listCandles } from '../../src/candles/candle-history.ts';
import type { CandlePorts, CandlesRequest } from '../../src/candles/candles-request.ts';
import type { Candle } from '../../src/market/candle.ts';
import { type CandleInterval, windowAt } from '../../src/market/candle-window.ts';
import type { CoverageStatus, Stretch } from '../../src/market/coverage.ts';
import { type Decimal, decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import { seeded } from '../chaos/seeded.ts';
import type { Recorded } from '../support/candle-by-hand.ts';
import { ManualClock, turn } from '../support/manual-clock.ts';
import { memoryCandles } from '../support/memory-candles.ts';

const START = Date.UTC(2026, 0, 5);
const MINUTE = 60_000;

interface Made {
  readonly at: number;
  readonly price?: string;
  readonly id?: number;
  readonly recordedAfter?: number;
}

/** Trades by minutes after START, recorded 50 ms after they were made unless told otherwise; what is known of them; the time now. */
async function open(made: readonly Made[], stretches: readonly Stretch[] = [], nowMinutes = 600) {
  const clock = new ManualClock(START);
  await clock.advance(nowMinutes * MINUTE);
  const recorded = made.map(({ at, price = '100', id, recordedAfter = 50 }, k): Recorded => {
    const exchangeTime = START + Math.round(at * MINUTE);
    const trade: Trade = {
      ...{ kind: 'trade', exchange: 'okx', symbol: 'BTC-USDT', exchangeTime, receivedAt: exchangeTime, fillCount: 1 },
      ...{ tradeId: String(id ?? k + 1), price: decimal(price), size: '0.5' as Decimal, side: 'buy', raw: null },
    };
    return { trade, recordedAt: exchangeTime + recordedAfter };
  });
  const ports = memoryCandles(
    () => recorded,
    () => stretches,
    clock,
  );
  const request = (over: Partial<CandlesRequest> = {}): CandlesRequest => ({
    ...{ exchange: 'okx', symbol: 'BTC-USDT', windows: { interval: '1m', timeZone: 'UTC', anchor: null } },
    ...{ from: START, to: START + 10 * MINUTE, includeForming: false, endInclusive: false, asOf: null },
    ...{
      emptyIntervals: 'INCLUDE_NULL',
      order: 'ASC',
      limit: 1_000,
      after: null,
      before: null,
      fromEnd: false,
      ...over,
    },
  });
  return { clock, ports, request, list: (over: Partial<CandlesRequest> = {}) => listCandles(ports, request(over)) };
}

const stretch = (status: CoverageStatus, first: number, last: number, from: number, to: number): Stretch => ({
  ...{ status, evidence: 'TRADE_ID_CONTIGUITY', first: BigInt(first), last: BigInt(last), actual: last - first + 1 },
  ...{
    from: START + Math.round(from * MINUTE),
    to: START + Math.round(to * MINUTE),
    cause: null,
    gap: null,
    gapFoundAt: null,
  },
});
const endsOf = (candles: readonly Candle[]) => candles.map(({ closeTime }) => (closeTime - START) / MINUTE);
const shown = (candles: readonly Candle[]) =>
  candles.map(
    ({ closeTime, values, completeness, state }) =>
      `${(closeTime - START) / MINUTE} ${values?.close ?? 'null'} ${completeness} ${state}`,
  );

describe('a page of candles', () => {
  it('is what cutting the whole list gives, for any range, order, cursor, end and way with empty intervals', async () => {
    const random = seeded('pages of candles');
    const below = (limit: number) => Math.floor(random() * limit);
    const made = Array.from({ length: 60 }, () => ({ at: random() < 0.5 ? random() * 30 : 200 + random() * 30 }));
    const { ports, request } = await open(made);
    for (let asked = 0; asked < 400; asked += 1) {
      const interval = (['1m', '3m', '1h'] as const)[below(3)] as CandleInterval;
      const windows = { interval, timeZone: 'UTC', anchor: null };
      const [from, to] = [below(250), below(250)].sort((a, b) => a - b).map((at) => START + at * MINUTE + below(3)) as [
        number,
        number,
      ];
      const emptyIntervals = (['OMIT', 'INCLUDE_NULL', 'CARRY_FORWARD'] as const)[below(3)] ?? 'OMIT';
      const place = () => (random() < 0.5 ? null : windowAt(windows, START + below(250) * MINUTE).closeTime);
      const order = random() < 0.5 ? 'ASC' : 'DESC';
      const same = {
        windows,
        from,
        to,
        emptyIntervals,
        order,
        endInclusive: random() < 0.3,
        includeForming: random() < 0.3,
      } as const;
      const whole = (await listCandles(ports, request({ ...same, limit: 10_000 }))).candles;
      const forward = order === 'ASC' ? 1 : -1;
      const [after, before, limit, fromEnd] = [place(), place(), 1 + below(20), random() < 0.5];
      const rest = whole.filter(
        ({ closeTime }) =>
          (after === null || (closeTime - after) * forward > 0) &&
          (before === null || (before - closeTime) * forward > 0),
      );
      const page = await listCandles(ports, request({ ...same, after, before, limit, fromEnd }));
      expect(page.candles).toEqual(fromEnd ? rest.slice(-limit) : rest.slice(0, limit));
      expect(page.hasMore).toBe(rest.length > limit);
      const isAscending = whole.every(
        ({ closeTime }, k) => k === 0 || (closeTime - (whole[k - 1]?.closeTime ?? 0)) * forward > 0,
      );
      expect(isAscending).toBe(true);
    }
  });

  it('holds the candles whose end lies in (from, to], also of a range that fits none of them', async () => {
    const { list } = await open([{ at: 1 }]);
    expect(endsOf((await list({ to: START + 3 * MINUTE })).candles)).toEqual([1, 2, 3]);
    expect(endsOf((await list({ from: START + 30_000, to: START + 3 * MINUTE - 1 })).candles)).toEqual([1, 2]);
    expect(endsOf((await list({ from: START - 1, to: START })).candles)).toEqual([0]);
    expect(endsOf((await list({ to: START + 90_000, includeForming: true })).candles)).toEqual([1, 2]);
  });
});

describe('what is said of a candle', () => {
  const proven = [stretch('PROVEN', 1, 3, 0.5, 5.5)];
  const trades = [{ at: 0.5 }, { at: 2.5 }, { at: 5.5 }];

  it('freqtrade #13397: one whose time is not over is FORMING, and comes only when asked for', async () => {
    const { list } = await open(trades, proven, 5.7);
    expect(shown((await list({ from: START + 4 * MINUTE, to: START + 6 * MINUTE })).candles)).toEqual([
      '5 null COMPLETE FINAL',
      '6 100 UNPROVEN FORMING',
    ]);
    expect(endsOf((await list({ from: START + 4 * MINUTE, to: START + Math.round(5.7 * MINUTE) })).candles)).toEqual([
      5,
    ]);
  });

  it('nautilus_trader #4594, vega #10276, gocryptotrader: an outage has no prices and is no quiet market, nor flat', async () => {
    const ledger = [
      stretch('PROVEN', 1, 1, 0.5, 0.5),
      stretch('GAP', 2, 9, 0.5, 3.5),
      stretch('PROVEN', 10, 11, 3.5, 6.5),
    ];
    const { list } = await open(
      [
        { at: 0.5, id: 1 },
        { at: 3.5, id: 10 },
        { at: 6.5, id: 11 },
      ],
      ledger,
    );
    const range = { to: START + 6 * MINUTE };
    const expected = [
      '1 100 PARTIAL PROVISIONAL',
      '2 null MISSING PROVISIONAL',
      '3 null MISSING PROVISIONAL',
      '4 100 PARTIAL PROVISIONAL',
    ];
    expect(shown((await list(range)).candles)).toEqual([...expected, '5 null COMPLETE FINAL', '6 null COMPLETE FINAL']);
    expect(shown((await list({ ...range, emptyIntervals: 'CARRY_FORWARD' })).candles)).toEqual([
      ...expected,
      ...['5 100 COMPLETE FINAL', '6 100 COMPLETE FINAL'],
    ]);
  });

  it('is PARTIAL also where what is missing shares the millisecond of its neighbours', async () => {
    const ledger = [
      stretch('PROVEN', 1, 2, 0.2, 1.5),
      stretch('GAP', 3, 3, 1.5, 1.5),
      stretch('PROVEN', 4, 5, 1.5, 3.5),
    ];
    const { list } = await open(
      [
        { at: 0.2, id: 1 },
        { at: 1.5, id: 2 },
        { at: 1.5, id: 4 },
        { at: 3.5, id: 5 },
      ],
      ledger,
    );
    expect(shown((await list({ from: START + MINUTE, to: START + 3 * MINUTE })).candles)).toEqual([
      '2 100 PARTIAL PROVISIONAL',
      '3 null COMPLETE FINAL',
    ]);
  });

  it('is COMPLETE only with every trade, also when some are committed while it is read', async () => {
    const { ports, request } = await open(
      [
        { at: 0.5, id: 1 },
        { at: 1.5, id: 2 },
        { at: 2.5, id: 3 },
      ],
      proven,
    );
    let committed = false;
    const racing: CandlePorts = {
      ...ports,
      readCandles: async (query) => {
        const read = await ports.readCandles(query);
        return committed ? read : read.map((window) => ({ ...window, values: null }));
      },
      listStretches: async (query) => {
        await turn();
        committed = true;
        return ports.listStretches(query);
      },
    };
    const { candles } = await listCandles(racing, request({ from: START + MINUTE, to: START + 2 * MINUTE }));
    expect(shown(candles)).toEqual(['2 100 COMPLETE FINAL']);
  });

  it.each([null, 4])(
    'is nothing that a candle does not hold, whatever is committed between two reads (asOf %s)',
    async (at) => {
      const { clock, request } = await open([]);
      const { ports: whole } = await open(trades, proven);
      for (let commitBefore = 1; commitBefore <= 5; commitBefore += 1) {
        let reads = 0;
        const now = () => {
          reads += 1;
          return reads < commitBefore ? 1 : 3;
        };
        const ports: CandlePorts = {
          clock,
          readCandles: (query) => open(trades.slice(0, now()), []).then(({ ports: then }) => then.readCandles(query)),
          listStretches: async () => (now() === 1 ? [stretch('PROVEN', 1, 1, 0.5, 0.5)] : proven),
          listRecordedRuns: (query) => whole.listRecordedRuns(query),
          nearestTrade: (query) => open(trades.slice(0, now()), []).then(({ ports: then }) => then.nearestTrade(query)),
        };
        const asked = request({ to: START + 5 * MINUTE, asOf: at === null ? null : START + at * MINUTE });
        const [found, all] = [await listCandles(ports, asked), await listCandles(whole, asked)];
        for (const [k, candle] of found.candles.entries())
          if (candle.completeness === 'COMPLETE') expect(candle).toEqual(all.candles[k]);
      }
    },
  );

  it('is PARTIAL up to the very millisecond in which something is missing, and no further', async () => {
    const end = 1 - 1 / MINUTE;
    const ledger = [
      stretch('PROVEN', 1, 1, 0.2, 0.2),
      stretch('PROVEN', 4, 4, end, end),
      stretch('GAP', 5, 5, end, end),
      stretch('PROVEN', 6, 7, end, 2.5),
    ];
    const made = [{ at: 0.2, id: 1 }, ...[4, 6].map((id) => ({ at: end, id })), { at: 2.5, id: 7 }];
    const { list } = await open(made, ledger);
    const expected = ['1 100 PARTIAL PROVISIONAL', '2 null COMPLETE FINAL'];
    expect(shown((await list({ to: START + 2 * MINUTE })).candles)).toEqual(expected);
    expect(shown((await list({ from: START + MINUTE, to: START + 2 * MINUTE })).candles)).toEqual(expected.slice(1));
    const [then] = (await list({ to: START + MINUTE, asOf: START + MINUTE + 100 })).candles;
    expect(then?.completeness).toBe('PARTIAL');
  });

  it('carries no price into a time before the first trade', async () => {
    const { list } = await open([{ at: 2.5 }]);
    expect(shown((await list({ to: START + 4 * MINUTE, emptyIntervals: 'CARRY_FORWARD' })).candles)).toEqual([
      ...[
        '1 null UNPROVEN PROVISIONAL',
        '2 null UNPROVEN PROVISIONAL',
        '3 100 UNPROVEN PROVISIONAL',
        '4 100 UNPROVEN PROVISIONAL',
      ],
    ]);
  });

  it('freqtrade #12507: is never available before its end, nor before its last trade was recorded', async () => {
    const { list } = await open([{ at: 0.2 }, { at: 1.2, recordedAfter: 5 * MINUTE }], proven);
    const available = (await list({ to: START + 3 * MINUTE })).candles.map(
      ({ availableAt }) => (availableAt ?? 0) - START,
    );
    expect(available).toEqual([MINUTE, Math.round(6.2 * MINUTE), 3 * MINUTE]);
  });

  it('ccxt #26946: the close of one millisecond is that of the highest id, which is a number and no text', async () => {
    const { list } = await open([
      { at: 0.5, id: 10, price: '7' },
      { at: 0.5, id: 9, price: '8' },
    ]);
    expect((await list({ to: START + MINUTE })).candles[0]?.values).toMatchObject({
      open: '8',
      close: '7',
      low: '7',
      high: '8',
    });
  });
});

describe('a candle as of a time', () => {
  const late = [
    { at: -1 },
    { at: 0.5 },
    { at: 1.5, id: 4 },
    { at: 0.7, id: 3, price: '200', recordedAfter: 10 * MINUTE },
    { at: 3.5 },
    { at: 20 },
  ];
  const ledger = [
    stretch('PROVEN', 1, 2, -1, 0.5),
    { ...stretch('BACKFILLED', 3, 3, 0.7, 0.7), gap: 3n, gapFoundAt: START + Math.round(1.5 * MINUTE) + 50 },
    stretch('PROVEN', 4, 6, 1.5, 20),
  ];

  it('is what could have been said then', async () => {
    const { list } = await open(late, ledger);
    const asOf = async (minutes: number) =>
      shown((await list({ to: START + 3 * MINUTE, asOf: START + Math.round(minutes * MINUTE) })).candles);
    expect(await asOf(1)).toEqual(['1 100 UNPROVEN PROVISIONAL', '2 null UNPROVEN FORMING', '3 null UNPROVEN FORMING']);
    expect(await asOf(2.5)).toEqual([
      '1 100 PARTIAL PROVISIONAL',
      '2 100 PARTIAL PROVISIONAL',
      '3 null UNPROVEN FORMING',
    ]);
    expect(await asOf(5)).toEqual(['1 100 PARTIAL PROVISIONAL', '2 100 PARTIAL PROVISIONAL', '3 null COMPLETE FINAL']);
    expect(await asOf(30)).toEqual(['1 200 COMPLETE FINAL', '2 100 COMPLETE FINAL', '3 null COMPLETE FINAL']);
  });

  it('stays what it was where all that was known began with its first millisecond, in which more is found since', async () => {
    const found = { gap: 1n, gapFoundAt: START + 5 * MINUTE };
    const stretches = [{ ...stretch('BACKFILLED', 1, 2, 0.5, 1), ...found }, stretch('PROVEN', 3, 4, 1, 2.5)];
    const later = { recordedAfter: 6 * MINUTE };
    const made = [{ at: 0.5, ...later }, { at: 1, ...later }, { at: 1 }, { at: 2.5 }];
    const { list } = await open(made, stretches);
    const range = { from: START, to: START + 2 * MINUTE };
    expect(shown((await list({ ...range, asOf: START + 3 * MINUTE })).candles)).toEqual([
      '1 null UNPROVEN PROVISIONAL',
      '2 100 COMPLETE FINAL',
    ]);
    const known = await open(made.slice(2), stretches.slice(1), 3);
    expect(shown((await known.list(range)).candles).at(-1)).toBe('2 100 COMPLETE FINAL');
  });

  it('costs no walk through all that was traded since', async () => {
    const { ports, request } = await open([{ at: 0 }, { at: 500 }]);
    const asked: number[] = [];
    const watched: CandlePorts = {
      ...ports,
      nearestTrade: (query) => {
        asked.push(query.time);
        return ports.nearestTrade(query);
      },
    };
    await listCandles(watched, request({ asOf: START + 5 * MINUTE }));
    expect(asked.filter((time) => time > START + 65 * MINUTE)).toEqual([]);
  });

  it('says of a gap that was filled in parts what was missing of it then', async () => {
    const found = { gap: 2n, gapFoundAt: START + Math.round(3.5 * MINUTE) + 50 };
    const { list } = await open(
      [
        { at: 0.5 },
        ...[
          { at: 1.2, recordedAfter: 10 * MINUTE },
          { at: 1.4, recordedAfter: 10 * MINUTE },
        ],
        ...[{ at: 3.2, recordedAfter: 20 * MINUTE }, { at: 3.5 }, { at: 5.5 }],
      ],
      [
        stretch('PROVEN', 1, 1, 0.5, 0.5),
        { ...stretch('BACKFILLED', 2, 4, 1.2, 3.2), ...found },
        stretch('PROVEN', 5, 6, 3.5, 5.5),
      ],
    );
    const asOf = async (minutes: number) =>
      (await list({ to: START + 5 * MINUTE, asOf: START + minutes * MINUTE })).candles.map(
        ({ completeness }) => completeness,
      );
    expect(await asOf(6)).toEqual(['PARTIAL', 'MISSING', 'MISSING', 'PARTIAL', 'COMPLETE']);
    expect(await asOf(15)).toEqual(['UNPROVEN', 'PARTIAL', 'MISSING', 'PARTIAL', 'COMPLETE']);
    expect(await asOf(30)).toEqual(['UNPROVEN', 'COMPLETE', 'COMPLETE', 'COMPLETE', 'COMPLETE']);
  });

  it('stands beside others of other intervals without a look into the future', async () => {
    const { ports, request } = await open(late, ledger);
    const { to: _to, ...rest } = request();
    for (const interval of ['1m', '3m', '1h'] as const) {
      const time = START + Math.round(4.5 * MINUTE);
      const candle = await candleAt(ports, { ...rest, windows: { interval, timeZone: 'UTC', anchor: null }, time });
      expect(candle.closeTime).toBeLessThanOrEqual(time);
      expect(candle.availableAt).toBeLessThanOrEqual(time);
      expect(windowAt({ interval, timeZone: 'UTC', anchor: null }, candle.closeTime).closeTime).toBeGreaterThan(time);
    }
  });
});
