import { describe, expect, it } from 'vitest';
import type { StreamTail, Stretch } from '../../../src/market/coverage.ts';
import type { DataType } from '../../../src/market/data-type.ts';
import type { LiveEvent } from '../../../src/pipeline/live/live-event.ts';
import { StreamCoverage } from '../../../src/pipeline/live/stream-coverage.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { aBalance, aBook, aTicker } from '../market-data.ts';

const START = Date.UTC(2026, 0, 1);
const market = (dataType: DataType) => ({ exchange: 'okx', symbol: 'BTC-USDT', dataType });

function open(ends: ConstructorParameters<typeof StreamCoverage>[1] = []) {
  const clock = new ManualClock(START);
  const store = { isAway: false, writes: [] as { events: readonly LiveEvent[]; tails: readonly StreamTail[] }[] };
  const books = new Map<string, Map<bigint, Stretch>>();
  const coverage = new StreamCoverage(
    {
      clock,
      log: silentLog,
      store: async (events, tails) => {
        await Promise.resolve();
        if (store.isAway) throw new AppError('DATABASE_UNAVAILABLE', 'away');
        store.writes.push({ events, tails });
        for (const { symbol, dataType, from, stretches } of tails) {
          const rows = books.get(`${symbol} ${dataType}`) ?? new Map<bigint, Stretch>();
          for (const first of [...rows.keys()]) if (first >= from) rows.delete(first);
          for (const stretch of stretches) rows.set(stretch.first, stretch);
          books.set(`${symbol} ${dataType}`, rows);
        }
      },
    },
    ends,
  );
  const said = (stream: string) =>
    [...(books.get(stream)?.values() ?? [])].map(
      ({ status, first, last, actual, cause }) =>
        `${status} ${Number(first) - START}..${Number(last) - START} (${actual})${cause === null ? '' : ` ${cause}`}`,
    );
  const at = (ms: number) => START + ms;
  return { clock, store, coverage, said, at };
}

describe('the books of all streams', () => {
  it('are written every five seconds in one write for all, and not when nothing changed', async () => {
    const { clock, store, coverage, said, at } = open();
    for (const type of ['ticker', 'candle'] as const) coverage.carried(market(type), at(0));
    await clock.advance(4_999);
    expect(store.writes).toEqual([]);
    await clock.advance(5_001);
    expect(store.writes.map(({ tails }) => tails.length)).toEqual([2, 2]);
    expect(said('BTC-USDT ticker')).toEqual(['UNPROVEN 0..10000 (0)']);
    for (const type of ['ticker', 'candle'] as const) coverage.ended(market(type));
    await clock.advance(60_000);
    expect(store.writes).toHaveLength(2);
  });

  it('are written with the samples, up to the newest of them while more wait', async () => {
    const { coverage, store, said, at } = open();
    const tickers = [100, 200, 300].map((ms) => aTicker({ receivedAt: at(ms) }));
    coverage.carried(market('ticker'), at(0));
    for (const ticker of tickers) coverage.queued(ticker);
    coverage.lost(market('ticker'), at(350), 'cut');
    await coverage.write(tickers.slice(0, 2));
    expect(said('BTC-USDT ticker')).toEqual(['UNPROVEN 0..200 (2)']);
    await coverage.write(tickers.slice(2));
    expect(said('BTC-USDT ticker')).toEqual(['UNPROVEN 0..350 (3)']);
    expect(store.writes.map(({ events }) => events.length)).toEqual([2, 1]);
  });

  it('say nothing new of a stream whose samples wait, and count a sample once however often its write fails', async () => {
    const { clock, coverage, store, said, at } = open();
    coverage.carried(market('ticker'), at(0));
    await clock.advance(5_000);
    const ticker = aTicker({ receivedAt: at(5_000) });
    coverage.queued(ticker);
    store.isAway = true;
    for (let time = 0; time < 3; time++) await expect(coverage.write([ticker])).rejects.toThrow('away');
    store.isAway = false;
    await clock.advance(10_000);
    expect(said('BTC-USDT ticker')).toEqual(['UNPROVEN 0..5000 (0)']);
    await coverage.write([ticker]);
    await clock.advance(5_000);
    expect(said('BTC-USDT ticker')).toEqual(['UNPROVEN 0..20000 (1)']);
  });

  it('call the time missing of which samples were let go', async () => {
    const { clock, coverage, said, at } = open();
    const tickers = [1, 2, 3, 4, 5].map((second) => aTicker({ receivedAt: at(1_000 * second) }));
    coverage.carried(market('ticker'), at(0));
    for (const ticker of tickers) coverage.queued(ticker);
    for (const ticker of tickers.slice(1, 4)) coverage.abandoned(ticker, 'dropped');
    await coverage.write([aTicker({ receivedAt: at(1_000) })]);
    await coverage.write(tickers.slice(4));
    await clock.advance(5_000);
    expect(said('BTC-USDT ticker')).toEqual([
      'UNPROVEN 0..1999 (1)',
      'UNFILLABLE 2000..4000 (0) the database was away, and more samples came than could wait for it',
      'UNPROVEN 4001..5000 (1)',
    ]);
  });

  it('begin with the first whole book, and prove it by its chain', async () => {
    const { clock, coverage, said, at } = open();
    coverage.carried(market('orderbook'), at(0));
    const saw = (ms: number, fields: Parameters<typeof aBook>[0]) =>
      coverage.saw(aBook({ receivedAt: at(ms), ...fields }));
    saw(100, { chained: false });
    saw(200, {});
    saw(300, {});
    saw(400, { chained: false, validity: 'STALE' });
    await clock.advance(5_000);
    expect(said('BTC-USDT orderbook')).toEqual(['PROVEN 100..300 (0)']);
    saw(5_100, { chained: false, validity: 'RESYNCING' });
    saw(5_400, { chained: false });
    saw(5_500, {});
    await clock.advance(5_000);
    expect(said('BTC-USDT orderbook')).toEqual([
      'PROVEN 100..300 (0)',
      expect.stringMatching(/^UNFILLABLE 301\.\.5399 \(0\) the chain of the order book broke/),
      'PROVEN 5400..5500 (0)',
    ]);
  });

  it('mean every currency of an account by its balances, as long as one collector carries them', async () => {
    const { clock, coverage, said, at } = open();
    const [one, other] = [market('balance'), { ...market('balance'), symbol: 'ETH-USDT' }];
    for (const stream of [one, other]) coverage.carried(stream, at(0));
    for (const symbol of ['USDT', 'BTC']) coverage.saw(aBalance({ symbol, receivedAt: at(10) }));
    coverage.lost(one, at(1_000), 'cut');
    await clock.advance(5_000);
    expect(said('BTC balance')).toEqual(['UNPROVEN 10..5000 (0)']);
    coverage.lost(other, at(5_500), 'cut too');
    coverage.carried(one, at(6_000));
    await clock.advance(5_000);
    const expected = ['UNPROVEN 10..5500 (0)', 'UNFILLABLE 5501..5999 (0) cut too', 'UNPROVEN 6000..10000 (0)'];
    expect([said('BTC balance'), said('USDT balance')]).toEqual([expected, expected]);
    coverage.ended(other);
    await clock.advance(5_000);
    expect(said('BTC balance').at(-1)).toBe('UNPROVEN 6000..15000 (0)');
  });

  it('go on where the last process ended, and say whether somebody was to collect meanwhile', async () => {
    const end = { status: 'UNPROVEN', evidence: 'CONNECTION_ONLY', actual: 3, cause: null, gap: null } as const;
    const stretch = { ...end, gapFoundAt: null, first: BigInt(START - 900), last: BigInt(START - 500), from: 0, to: 0 };
    const { clock, coverage, said, at } = open([
      { ...market('ticker'), stretch },
      { ...market('candle'), stretch },
    ]);
    coverage.expected(market('ticker'));
    for (const type of ['ticker', 'candle'] as const) coverage.carried(market(type), at(100));
    await clock.advance(5_000);
    expect(said('BTC-USDT ticker')).toEqual([
      'UNFILLABLE -499..99 (0) the server was not running',
      'UNPROVEN 100..5000 (0)',
    ]);
    expect(said('BTC-USDT candle')).toEqual(['UNPROVEN 100..5000 (0)']);
  });

  it('are written up to the end when the server stops', async () => {
    const { clock, coverage, said, at } = open();
    coverage.carried(market('ticker'), at(0));
    await clock.advance(1_234);
    await coverage.stop(1_000);
    expect(said('BTC-USDT ticker')).toEqual(['UNPROVEN 0..1234 (0)']);
    expect(clock.sleepers).toBe(0);
  });

  it('do not hold up the end when the database does not answer', async () => {
    const clock = new ManualClock(START);
    const coverage = new StreamCoverage({ clock, log: silentLog, store: () => new Promise(() => {}) }, []);
    coverage.carried(market('ticker'), START - 10);
    const stopped = coverage.stop(1_000);
    await clock.advance(1_000);
    await stopped;
  });
});
