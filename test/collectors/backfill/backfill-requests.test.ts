import { afterEach, describe, expect, it } from 'vitest';
import { BackfillRequests } from '../../../src/collectors/backfill/backfill-requests.ts';
import { Backfiller } from '../../../src/collectors/backfill/backfiller.ts';
import { idsIn } from '../../../src/collectors/backfill/trade-times.ts';
import type { ExchangeId } from '../../../src/exchanges/registry.ts';
import { AppError } from '../../../src/runtime/errors.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { EPOCH, HandRest } from '../../support/hand-rest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryLedger } from '../../support/memory-ledger.ts';

const opened: Disposable[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]();
});

/** Trade n was made n seconds after EPOCH; it is now 20,000 seconds after it. */
const at = (second: number) => EPOCH + second * 1_000;

function asking(exchange: ExchangeId = 'okx', made = 20_000) {
  const clock = new ManualClock(at(20_000));
  const ledger = new MemoryLedger(clock);
  const hand = new HandRest(exchange, clock, [1, made]);
  const ports = {
    ...{ ledger, accept: ledger.accept, clock, random: () => 0.5, log: silentLog, countIds: ledger.countIds },
    restOf: (id: string) => {
      if (id === exchange) return hand.rest;
      throw new AppError('EXCHANGE_UNKNOWN', `exchange should be okx, was "${id}"`);
    },
  };
  const backfiller = new Backfiller(ports);
  const requests = new BackfillRequests({ ...ports, backfiller });
  opened.push(backfiller, requests);
  /** Lets time pass until a promise is settled. */
  const passing = async <T>(promise: Promise<T>): Promise<T> => {
    let done = false;
    const settle = () => {
      done = true;
    };
    promise.then(settle, settle);
    for (let second = 0; !done && second < 600; second++) await clock.advance(1_000);
    return promise;
  };
  const ask = (from: number, to: number, own: object = {}) =>
    passing(requests.request({ exchange, symbol: 'BTC-USDT', from: at(from), to: at(to), dryRun: false, ...own }));
  const stored = () => ledger.describe(exchange, 'BTC-USDT');
  return { clock, ledger, hand, ports, requests, backfiller, ask, passing, stored };
}

describe.each<ExchangeId>(['okx', 'binance'])('the ids of a time at %s', (exchange) => {
  const ids = async (from: number, to: number, prepare: (hand: HandRest) => void = () => {}) => {
    const { hand, passing } = asking(exchange);
    prepare(hand);
    const found = await passing(idsIn(hand.rest, 'BTC-USDT', { from, to }));
    return found && [Number(found.first), Number(found.last)];
  };

  it.each<[string, number, number, [number, number] | null]>([
    ['long ago', at(1_000), at(2_000), [1_000, 1_999]],
    ['between two trades', at(1_000) + 1, at(2_000) + 1, [1_001, 2_000]],
    ['within the newest trades', at(19_900), at(19_950), [19_900, 19_949]],
    ['up to now', at(19_990), at(20_000) + 1, [19_990, 20_000]],
    ['without a trade', at(1_000) + 1, at(1_000) + 900, null],
    ['after the last trade', at(20_000) + 1, at(20_000) + 500, null],
  ])('%s', async (_what, from, to, expected) => {
    expect(await ids(from, to)).toEqual(expected);
  });

  it('that begins in a quiet spell of hours', async () => {
    const quiet = (hand: HandRest) => {
      hand.quietAfter = 5_000n;
    };
    expect(await ids(at(5_000 + 9_000), at(5_000 + 36_002), quiet)).toEqual([5_001, 5_001]);
    expect(await ids(at(5_000 + 3_000), at(5_000 + 9_000), quiet)).toBeNull();
  });
});

it('the ids of a quiet spell where the exchange has no trades with them begin behind it', async () => {
  const { hand, passing } = asking('binance');
  hand.quietAfter = 5_000n;
  hand.made = [
    { first: 1n, last: 5_000n },
    { first: 6_500n, last: 20_000n },
  ];
  const found = await passing(idsIn(hand.rest, 'BTC-USDT', { from: at(5_000 + 9_000), to: at(6_500 + 36_010) }));
  expect(found).toEqual({ first: 6_500n, last: 6_509n });
});

it('the ids of a time before the first trade of all begin with it, where everything is kept', async () => {
  const { hand, passing } = asking('binance');
  hand.made = [{ first: 500n, last: 20_000n }];
  const found = await passing(idsIn(hand.rest, 'BTC-USDT', { from: EPOCH - 86_400_000, to: at(600) }));
  expect(found).toEqual({ first: 500n, last: 599n });
});

describe('a dry run', () => {
  it('says what it would take and changes nothing', async () => {
    const { ledger, ask, stored, requests } = asking();
    ledger.live('okx', 'BTC-USDT', 1_900n, 2_100n);
    const before = stored();
    const plan = await ask(1_000, 3_000, { dryRun: true });
    expect(plan).toMatchObject({
      ...{ firstId: 1_000n, lastId: 2_999n, trades: 1_799n, covered: 201n, requests: 19, status: 'PLANNED' },
      ...{ filled: 0n, unfillable: 0n, remaining: 1_799n, from: at(1_000), to: at(3_000) },
    });
    expect(plan.seconds).toBeCloseTo(2, 1);
    expect(stored()).toEqual(before);
    expect(requests.find(plan.id)).toBeNull();
  });
});

describe('a request', () => {
  it('is filled for a market that has no collector, and tells how far it is', async () => {
    const { clock, ledger, ask, requests, stored } = asking();
    const asked = await ask(1_000, 3_000);
    expect(asked).toMatchObject({ status: 'RUNNING', trades: 2_000n, covered: 0n });
    await clock.advance(500);
    const underWay = requests.find(asked.id);
    expect(underWay).toMatchObject({ status: 'RUNNING', unfillable: 0n });
    expect(underWay?.filled).toBeGreaterThan(0n);
    expect((underWay?.filled ?? 0n) + (underWay?.remaining ?? 0n)).toBe(2_000n);
    await clock.advance(10_000);
    const done = requests.find(asked.id);
    expect(done).toMatchObject({ status: 'DONE', filled: 2_000n, remaining: 0n });
    expect(done?.requests).toBeGreaterThanOrEqual(21);
    expect(done?.requests).toBeLessThanOrEqual(23);
    expect(done?.seconds).toBeGreaterThan(1.5);
    expect(done?.seconds).toBeLessThan(4);
    expect(stored()).toEqual(['1000-2999 BACKFILLED']);
    expect(new Set(ledger.accepted.map(({ provenance }) => provenance))).toEqual(new Set(['BACKFILL']));
  });

  it('fetches nothing twice when it is repeated', async () => {
    const { clock, ledger, ask } = asking();
    await ask(1_000, 1_500);
    await clock.advance(10_000);
    const fetched = ledger.accepted.length;
    const again = await ask(900, 1_500);
    expect(again).toMatchObject({ trades: 100n, covered: 500n });
    await clock.advance(10_000);
    expect(ledger.accepted.length).toBe(fetched + 100);
  });

  it('cryptostore #35: is found again after a restart, and goes on where it was', async () => {
    const { clock, ports, ask, backfiller, requests, stored } = asking();
    const { id } = await ask(1_000, 9_000);
    await clock.advance(2_000);
    backfiller[Symbol.dispose]();
    requests[Symbol.dispose]();
    await clock.advance(5_000);
    const restarted = new Backfiller(ports);
    const later = new BackfillRequests({ ...ports, backfiller: restarted });
    opened.push(restarted, later);
    const found = later.find(id);
    expect(found).toMatchObject({ status: 'RUNNING', trades: 8_000n });
    expect(found?.filled).toBeGreaterThan(1_000n);
    restarted.watch('okx', 'BTC-USDT');
    await clock.advance(60_000);
    expect(later.find(id)).toMatchObject({ status: 'DONE', filled: 8_000n });
    expect(stored()).toEqual(['1000-8999 BACKFILLED']);
  });

  it('counts what the exchange does not have', async () => {
    const { clock, hand, ask, requests } = asking();
    hand.made = [
      { first: 1n, last: 1_499n },
      { first: 1_510n, last: 20_000n },
    ];
    const { id } = await ask(1_000, 2_000);
    await clock.advance(10_000);
    expect(requests.find(id)).toMatchObject({ status: 'DONE', filled: 990n, unfillable: 10n, remaining: 0n });
  });

  it('for a time without a trade is done at once', async () => {
    const { ask, requests } = asking();
    const asked = await requests.request({
      ...{ exchange: 'okx', symbol: 'BTC-USDT', from: at(20_000) - 900, to: at(20_000) - 100, dryRun: false },
    });
    expect(asked).toMatchObject({ status: 'DONE', firstId: null, lastId: null, trades: 0n });
    expect(requests.find(asked.id)).toMatchObject({ status: 'DONE' });
    expect(ask).toBeDefined();
  });
});

describe('cancelling', () => {
  it('gives up what is still missing, keeps what came, and leaves gaps of the stream alone', async () => {
    const { clock, ledger, hand, ask, passing, requests, stored } = asking();
    const { id } = await ask(1_000, 20_000);
    await clock.advance(3_000);
    hand.instead.push(() => new Response('away', { status: 503 }));
    ledger.live('okx', 'BTC-USDT', 20_000n);
    ledger.live('okx', 'BTC-USDT', 20_100n);
    const cancelled = await passing(requests.cancel(id, 'an operator'));
    expect(cancelled).toMatchObject({ status: 'CANCELLED', remaining: 0n });
    expect(cancelled.filled).toBeGreaterThan(1_000n);
    expect(cancelled.filled + cancelled.unfillable).toBe(cancelled.trades);
    expect(new Set(ledger.givenUp.map(({ cause }) => cause))).toEqual(new Set(['cancelled by an operator']));
    expect(stored()).toContain('20001-20099 GAP');
    expect(await requests.cancel(id)).toEqual(cancelled);
  });

  it('can be made up for: what was given up is asked for again', async () => {
    const { clock, ask, passing, requests, stored } = asking();
    const { id, trades } = await ask(1_000, 20_000);
    await clock.advance(3_000);
    const { filled } = await passing(requests.cancel(id));
    const again = await ask(1_000, 20_000);
    expect(again.trades).toBe(trades - filled);
    await clock.advance(120_000);
    expect(requests.find(again.id)).toMatchObject({ status: 'DONE', filled: again.trades, unfillable: 0n });
    expect(stored().join()).not.toMatch(/GAP|UNFILLABLE/);
  });

  it.each(['', 'plan-x', 'abc', Buffer.from('okx BTC-USDT 1').toString('base64url')])(
    'of "%s" is refused',
    async (id) => {
      const { requests } = asking();
      await expect(requests.cancel(id)).rejects.toMatchObject({ code: 'BACKFILL_UNKNOWN' });
      expect(requests.find(id)).toBeNull();
    },
  );
});

describe('what cannot be done', () => {
  it.each<[string, object, string, RegExp]>([
    ['an unknown exchange', { exchange: 'mtgox' }, 'EXCHANGE_UNKNOWN', /mtgox/],
    ['a symbol that is none', { symbol: 'btc usdt' }, 'SYMBOL_UNKNOWN', /BTC-USDT/],
    ['an end before the beginning', { from: at(5), to: at(4) }, 'BAD_USER_INPUT', /before/],
    ['an empty range', { from: at(5), to: at(5) }, 'BAD_USER_INPUT', /before/],
    ['the future', { to: at(99_000) }, 'BAD_USER_INPUT', /future/],
    ['no time at all', { from: Number.NaN }, 'BAD_USER_INPUT', /from/],
  ])('is refused: %s', async (_what, own, code, message) => {
    const { ask, stored } = asking();
    const refused = ask(1_000, 2_000, own);
    await expect(refused).rejects.toMatchObject({ code, message: expect.stringMatching(message) });
    expect(stored()).toEqual([]);
  });

  it('is refused: what the exchange does not keep any more, with the limit named', async () => {
    const { hand, ask } = asking();
    hand.oldest = 5_000n;
    await expect(ask(1_000, 8_000)).rejects.toMatchObject({
      code: 'BACKFILL_REFUSED',
      message: expect.stringContaining('about 3 months'),
    });
  });

  it('is refused: an instrument that the exchange does not list', async () => {
    const { hand, ask } = asking();
    hand.instead.push(() => Response.json({ code: '51001', msg: 'Instrument ID does not exist', data: [] }));
    await expect(ask(1_000, 8_000)).rejects.toMatchObject({ code: 'SYMBOL_UNKNOWN' });
    const binance = asking('binance');
    await expect(binance.ask(1_000, 8_000, { symbol: 'NEW-USDT' })).rejects.toMatchObject({ code: 'SYMBOL_UNKNOWN' });
  });

  it.each([503, 200])('fails with the code of the exchange while it answers %i and no trades', async (status) => {
    const { hand, ask } = asking();
    hand.instead.push(() => new Response('<html>', { status }));
    await expect(ask(1_000, 8_000)).rejects.toMatchObject({ code: 'EXCHANGE_REST_FAILED' });
  });
});
