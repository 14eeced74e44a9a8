import { afterEach, describe, expect, it } from 'vitest';
import { Backfiller } from '../../../src/collectors/backfill/backfiller.ts';
import type { ExchangeAdapter } from '../../../src/exchanges/adapter.ts';
import type { ExchangeId } from '../../../src/exchanges/registry.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { HandRest } from '../../support/hand-rest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryLedger } from '../../support/memory-ledger.ts';

const opened: Disposable[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]();
});

/** A backfill of BTC-USDT from an exchange that made the trades given. */
function filling(exchange: ExchangeId, ...made: readonly (readonly [number | bigint, number | bigint])[]) {
  const clock = new ManualClock();
  const ledger = new MemoryLedger(clock);
  const hand = new HandRest(exchange, clock, ...made);
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (message: string, fields?: object) => warnings.push({ message, ...fields }) };
  const backfiller = new Backfiller({
    ...{ ledger, accept: ledger.accept, clock, random: () => 0.5, log },
    restOf: () => hand.rest,
  });
  opened.push(backfiller);
  const describeLedger = (symbol = 'BTC-USDT') => ledger.describe(exchange, symbol);
  const live = (first: number, last = first, symbol = 'BTC-USDT') =>
    ledger.live(exchange, symbol, BigInt(first), BigInt(last));
  const status = (symbol = 'BTC-USDT') => backfiller.statusOf(exchange, symbol);
  return { clock, ledger, hand, backfiller, live, describeLedger, status, warnings };
}

describe('a gap', () => {
  it('is filled from the newest trades when they reach that far', async () => {
    const { clock, hand, ledger, live, describeLedger, status } = filling('okx', [1, 1_000]);
    live(600, 700);
    live(801, 1_000);
    await clock.advance(1_000);
    expect(describeLedger()).toEqual(['600-700 PROVEN', '701-800 BACKFILLED', '801-1000 PROVEN']);
    expect(hand.requests.map(({ path }) => path)).toEqual(['trades']);
    expect(ledger.accepted.map(({ trade }) => Number(trade.tradeId))).toEqual(
      Array.from({ length: 100 }, (_, i) => 701 + i),
    );
    expect(new Set(ledger.accepted.map(({ provenance }) => provenance))).toEqual(new Set(['BACKFILL']));
    expect(status()).toMatchObject({ state: 'IDLE', requests: 1, fetched: 100, remaining: 0n, etaMs: null });
  });

  it.each<[ExchangeId, number]>([
    ['okx', 100],
    ['binance', 1_000],
  ])('of many pages is filled at %s page by page, each trade once', async (exchange, pageSize) => {
    const { clock, hand, ledger, live, describeLedger, status } = filling(exchange, [1, 9_000]);
    live(1, 100);
    live(8_001, 9_000);
    await clock.advance(60_000);
    expect(describeLedger()).toEqual(['1-100 PROVEN', '101-8000 BACKFILLED', '8001-9000 PROVEN']);
    expect(hand.pages().length).toBeLessThanOrEqual(Math.ceil(7_900 / (pageSize - 1)) + 1);
    expect(new Set(ledger.accepted.map(({ trade }) => trade.tradeId)).size).toBe(7_900);
    expect(ledger.accepted).toHaveLength(7_900);
    expect(status()?.fetched).toBe(7_900);
  });

  it('is not asked for when late frames fill it by themselves', async () => {
    const { clock, hand, live, describeLedger } = filling('okx', [1, 1_000]);
    live(1, 10);
    live(12, 20);
    await clock.advance(200);
    live(11);
    await clock.advance(5_000);
    expect(hand.requests).toEqual([]);
    expect(describeLedger()).toEqual(['1-20 PROVEN']);
  });

  it('is waited for no longer when the clock was set back', async () => {
    const { clock, live, describeLedger } = filling('okx', [1, 1_000]);
    live(1, 10);
    live(12, 20);
    clock.stepWall(-3_600_000);
    await clock.advance(1_000);
    expect(describeLedger()).toEqual(['1-10 PROVEN', '11-11 BACKFILLED', '12-20 PROVEN']);
  });

  it('beyond 2^53 is filled to the last digit', async () => {
    const first = 9_007_199_254_740_993n;
    const { clock, ledger, describeLedger } = filling('okx', [first, first + 1_000n]);
    ledger.live('okx', 'BTC-USDT', first);
    ledger.live('okx', 'BTC-USDT', first + 900n);
    await clock.advance(10_000);
    expect(describeLedger()).toEqual([
      `${first}-${first} PROVEN`,
      `${first + 1n}-${first + 899n} BACKFILLED`,
      `${first + 900n}-${first + 900n} PROVEN`,
    ]);
  });

  it('cryptostore #35: goes on where it was after a restart, not from the beginning', async () => {
    const { clock, hand, ledger, backfiller, live, describeLedger } = filling('okx', [1, 9_000]);
    live(1, 100);
    live(8_001, 9_000);
    await clock.advance(4_000);
    backfiller[Symbol.dispose]();
    await clock.advance(5_000);
    const before = ledger.accepted.length;
    expect(before).toBeGreaterThan(1_000);
    expect(before).toBeLessThan(7_000);
    const again = new Backfiller({
      ...{ ledger, accept: ledger.accept, clock, random: () => 0.5, log: silentLog },
      restOf: () => hand.rest,
    });
    opened.push(again);
    again.watch('okx', 'BTC-USDT');
    await clock.advance(60_000);
    expect(describeLedger()).toEqual(['1-100 PROVEN', '101-8000 BACKFILLED', '8001-9000 PROVEN']);
    const twice = ledger.accepted.length - new Set(ledger.accepted.map(({ trade }) => trade.tradeId)).size;
    expect(twice).toBeLessThanOrEqual(400); // the pages that were on their way when it ended
  });

  it('cryptostore #74: of a day is filled, and the newest gap first', async () => {
    const { clock, ledger, live, describeLedger } = filling('okx', [1, 100_000]);
    live(1, 100);
    live(30_001, 30_100);
    live(60_001, 60_100);
    await clock.advance(10_000);
    const ids = ledger.accepted.map(({ trade }) => Number(trade.tradeId));
    expect(Math.min(...ids)).toBeGreaterThan(30_100);
    await clock.advance(120_000);
    expect(describeLedger()).toEqual([
      ...['1-100 PROVEN', '101-30000 BACKFILLED', '30001-30100 PROVEN'],
      ...['30101-60000 BACKFILLED', '60001-60100 PROVEN'],
    ]);
  });
});

describe('markets', () => {
  it('take turns: a long gap does not keep a short one of another market waiting', async () => {
    const { clock, live, describeLedger, status } = filling('okx', [1, 90_000]);
    live(1, 1);
    live(80_000, 80_000);
    await clock.advance(1_000);
    live(1, 1, 'ETH-USDT');
    live(902, 902, 'ETH-USDT');
    await clock.advance(3_500);
    expect(describeLedger('ETH-USDT')).toEqual(['1-1 PROVEN', '2-901 BACKFILLED', '902-902 PROVEN']);
    expect(status()).toMatchObject({ state: 'FILLING' });
    expect(status()?.remaining).toBeGreaterThan(70_000n);
    expect(status()?.etaMs).toBeGreaterThan(70_000);
    expect(status()?.etaMs).toBeLessThan(90_000);
  });

  it('of exchanges that cannot be asked for past trades lose a gap at once, with the reach in the cause', async () => {
    const { clock, hand, ledger, live, describeLedger } = filling('okx', [1, 100]);
    const { adapter } = hand.rest;
    const none: ExchangeAdapter = {
      ...adapter,
      capabilities: {
        ...adapter.capabilities,
        tradeBackfill: { by: 'none', reach: 'the last 60 trades', pageSize: 60 },
      },
    };
    Object.defineProperty(hand.rest, 'adapter', { value: none });
    live(1, 10);
    live(21, 30);
    await clock.advance(1_000);
    expect(describeLedger()).toEqual(['1-10 PROVEN', '11-20 UNFILLABLE', '21-30 PROVEN']);
    expect(ledger.givenUp).toMatchObject([
      { first: 11n, last: 20n, symbol: 'BTC-USDT', cause: 'OKX cannot be asked for past trades (the last 60 trades)' },
    ]);
    expect(hand.requests).toEqual([]);
  });
});

describe('ids that the exchange does not have', () => {
  it('are given up at few requests where the exchange has every hundredth only', async () => {
    const { clock, hand, ledger, live, describeLedger } = filling('okx', [1, 100], [20_001, 30_000]);
    const sparse = Array.from({ length: 199 }, (_, i) => BigInt(200 + i * 100));
    hand.made = [...hand.made, ...sparse.map((id) => ({ first: id, last: id }))].sort((a, b) =>
      Number(a.first - b.first),
    );
    live(1, 100);
    live(20_001, 30_000);
    await clock.advance(60_000);
    expect(ledger.openGaps('okx', 'BTC-USDT')).toEqual([]);
    expect(describeLedger().filter((row) => row.includes('BACKFILLED'))).toHaveLength(199);
    expect(hand.requests.length).toBeLessThan(20);
  });

  it('are given up when it shows trades on both sides of them', async () => {
    const { clock, ledger, live, describeLedger, warnings } = filling('okx', [1, 400], [411, 1_500]);
    live(300, 350);
    live(1_001, 1_500);
    await clock.advance(5_000);
    expect(describeLedger()).toEqual([
      ...['300-350 PROVEN', '351-400 BACKFILLED', '401-410 UNFILLABLE', '411-1000 BACKFILLED', '1001-1500 PROVEN'],
    ]);
    expect(ledger.givenUp).toMatchObject([{ first: 401n, last: 410n, cause: 'OKX has no trades with these ids' }]);
    expect(warnings).toMatchObject([{ message: 'Trades are missing for good', trades: '10' }]);
  });

  it.each<ExchangeId>(['okx', 'binance'])(
    'are given up in one stroke when %s jumped by a billion',
    async (exchange) => {
      const { clock, hand, live, describeLedger } = filling(exchange, [1, 100], [1_000_000_000, 1_000_010_000]);
      live(50, 100);
      live(1_000_009_000, 1_000_010_000);
      await clock.advance(60_000);
      expect(describeLedger()).toEqual([
        ...['50-100 PROVEN', '101-999999999 UNFILLABLE'],
        ...['1000000000-1000008999 BACKFILLED', '1000009000-1000010000 PROVEN'],
      ]);
      expect(hand.requests.length).toBeLessThan(130);
    },
  );

  it.each<[ExchangeId, string]>([
    ['okx', 'about 3 months'],
    ['binance', 'since listing'],
  ])('are given up when they are older than what %s keeps', async (exchange, reach) => {
    const { clock, hand, ledger, live, describeLedger } = filling(exchange, [1, 20_000]);
    hand.oldest = 8_000n;
    live(1, 100);
    live(10_001, 20_000);
    await clock.advance(60_000);
    expect(describeLedger()).toEqual([
      ...['1-100 PROVEN', '101-7999 UNFILLABLE', '8000-10000 BACKFILLED', '10001-20000 PROVEN'],
    ]);
    const name = exchange === 'okx' ? 'OKX' : 'Binance';
    expect(new Set(ledger.givenUp.map(({ cause }) => cause))).toEqual(
      new Set([`older than what ${name} keeps (${reach})`]),
    );
  });

  it('are given up without waiting when the record moves on past the last trade that was shown', async () => {
    const { clock, hand, ledger, live, describeLedger } = filling('okx', [1, 20_000]);
    live(1, 100);
    live(10_001, 20_000);
    hand.oldest = 9_000n;
    for (let second = 0; second < 10; second++) {
      await clock.advance(1_000);
      hand.oldest += 100n;
    }
    expect(ledger.openGaps('okx', 'BTC-USDT')).toEqual([]);
    expect(describeLedger()).toHaveLength(4);
  });

  it('are given up after a minute when nothing up to them is shown any more, at a few requests', async () => {
    const { clock, hand, ledger, live, describeLedger } = filling('okx', [1, 90_000]);
    hand.oldest = 50_000n;
    live(1, 100);
    live(40_001, 90_000);
    await clock.advance(55_000);
    expect(ledger.givenUp).toEqual([]);
    await clock.advance(15_000);
    expect(describeLedger()).toEqual(['1-100 PROVEN', '101-40000 UNFILLABLE', '40001-90000 PROVEN']);
    expect(ledger.givenUp).toMatchObject([
      { cause: expect.stringContaining('older than what OKX keeps (about 3 months)') },
    ]);
    expect(hand.requests.length).toBeLessThan(40);
  });

  it.each<ExchangeId>(['okx', 'binance'])('are not given up while the REST side of %s lags', async (exchange) => {
    const { clock, hand, ledger, live, describeLedger, status } = filling(exchange, [1, 3_000]);
    hand.newest = 1_500n;
    live(1, 1_000);
    live(2_001, 3_000);
    await clock.advance(50_000);
    expect(describeLedger()).toEqual([
      ...['1-1000 PROVEN', '1001-1500 BACKFILLED', '1501-2000 GAP', '2001-3000 PROVEN'],
    ]);
    expect(status()).toMatchObject({
      state: 'WAITING',
      reason: expect.stringContaining('not show the newest'),
      remaining: 500n,
    });
    hand.newest = 3_000n;
    await clock.advance(10_000);
    expect(describeLedger()).toEqual(['1-1000 PROVEN', '1001-2000 BACKFILLED', '2001-3000 PROVEN']);
    expect(ledger.givenUp).toEqual([]);
    expect(hand.requests.length).toBeLessThan(60);
  });

  it('are given up when REST does not show them for a minute', async () => {
    const { clock, hand, ledger, live, describeLedger } = filling('okx', [1, 3_000]);
    hand.newest = 1_500n;
    live(1, 1_000);
    live(2_001, 3_000);
    await clock.advance(80_000);
    expect(describeLedger()).toEqual([
      ...['1-1000 PROVEN', '1001-1500 BACKFILLED', '1501-2000 UNFILLABLE', '2001-3000 PROVEN'],
    ]);
    expect(ledger.givenUp).toMatchObject([{ cause: 'OKX has not shown these ids for 60 s' }]);
  });

  it('are not given up because REST was away while the minute passed', async () => {
    const { clock, hand, ledger, live, describeLedger } = filling('okx', [1, 3_000]);
    hand.newest = 1_500n;
    live(1, 1_000);
    live(2_001, 3_000);
    await clock.advance(20_000);
    hand.instead.push(() => new Response('away', { status: 503 }));
    await clock.advance(100_000);
    hand.instead.splice(0);
    await clock.advance(31_000);
    expect(ledger.givenUp).toEqual([]);
    hand.newest = 3_000n;
    await clock.advance(10_000);
    expect(describeLedger()).toEqual(['1-1000 PROVEN', '1001-2000 BACKFILLED', '2001-3000 PROVEN']);
  });
});

describe('an exchange in trouble', () => {
  const failures: readonly (readonly [string, () => Response | Promise<Response>])[] = [
    ['is down', () => new Response('<html>503</html>', { status: 503 })],
    ['says garbage', () => new Response('<html>maintenance</html>')],
    ['says that we are too fast', () => new Response('{"code":"50011","msg":"Too Many Requests"}', { status: 429 })],
    ['resets connections', () => Promise.reject(new TypeError('fetch failed'))],
    [
      'does not know the instrument',
      () => Response.json({ code: '51001', msg: 'Instrument ID does not exist', data: [] }),
    ],
    [
      'prints rows that cannot be read',
      () => Response.json({ code: '0', msg: '', data: [{ tradeId: 'x' }, { tradeId: 'y' }] }),
    ],
  ];

  it.each(failures)('that %s is asked again, ever more rarely, and nothing is given up', async (_what, answer) => {
    const { clock, hand, ledger, live, describeLedger, status } = filling('okx', [1, 1_000]);
    live(1, 400);
    live(601, 1_000);
    hand.instead.push(answer);
    await clock.advance(600_000);
    expect(ledger.givenUp).toEqual([]);
    expect(status()).toMatchObject({ state: 'WAITING', remaining: 200n });
    expect(status()?.reason).toMatch(/okx|OKX|JSON|object/);
    expect(hand.requests.length).toBeLessThan(70);
    const last = hand.requests.at(-1)?.at ?? 0;
    hand.instead.splice(0);
    await clock.advance(31_000);
    expect(clock.monotonic() - last).toBeLessThan(62_000);
    expect(describeLedger()).toEqual(['1-400 PROVEN', '401-600 BACKFILLED', '601-1000 PROVEN']);
  });

  it('is not asked before Retry-After is over', async () => {
    const { clock, hand, live } = filling('okx', [1, 9_000]);
    live(1, 400);
    live(8_601, 9_000);
    await clock.advance(2_000);
    hand.instead.push(
      () => new Response('{"code":"50011","msg":"slow"}', { status: 429, headers: { 'retry-after': '20' } }),
    );
    await clock.advance(2_000);
    const refused = hand.requests.length;
    hand.instead.splice(0);
    const at = hand.requests.at(-1)?.at ?? 0;
    await clock.advance(at + 19_900 - clock.monotonic());
    expect(hand.requests.length).toBe(refused);
    await clock.advance(10_000);
    expect(hand.requests.length).toBeGreaterThan(refused);
  });

  it('for one market does not keep the others waiting', async () => {
    const { clock, hand, ledger } = filling('okx', [1, 20_000]);
    const get = hand.rest.client.get.bind(hand.rest.client);
    hand.rest.client.get = (request, signal) =>
      request.query.instId === 'BAD-USDT' ? Promise.resolve('<html>') : get(request, signal);
    for (const symbol of ['BAD-USDT', 'BTC-USDT']) {
      ledger.live('okx', symbol, 1n);
      ledger.live('okx', symbol, 2_000n);
    }
    await clock.advance(10_000);
    expect(ledger.describe('okx', 'BTC-USDT')).toEqual(['1-1 PROVEN', '2-1999 BACKFILLED', '2000-2000 PROVEN']);
    expect(ledger.describe('okx', 'BAD-USDT')).toEqual(['1-1 PROVEN', '2-1999 GAP', '2000-2000 PROVEN']);
  });
});

describe('trades that were fetched', () => {
  it('wait while there is no room for them, and nothing is given up meanwhile', async () => {
    const { clock, ledger, live, describeLedger } = filling('okx', [1, 2_000]);
    ledger.room = 5;
    live(1, 100);
    live(1_001, 2_000);
    await clock.advance(3_000);
    expect(ledger.accepted).toHaveLength(5);
    expect(ledger.givenUp).toEqual([]);
    ledger.room = Number.POSITIVE_INFINITY;
    await clock.advance(30_000);
    expect(describeLedger()).toEqual(['1-100 PROVEN', '101-1000 BACKFILLED', '1001-2000 PROVEN']);
  });
});

it('starts nothing more once it is disposed', async () => {
  const { clock, hand, backfiller, live } = filling('okx', [1, 90_000]);
  live(1, 1);
  live(80_000, 80_000);
  await clock.advance(1_000);
  backfiller[Symbol.dispose]();
  await clock.advance(10);
  const asked = hand.requests.length;
  live(90_000, 90_000);
  await clock.advance(60_000);
  expect(hand.requests.length).toBe(asked);
  expect(clock.sleepers).toBe(0);
});
