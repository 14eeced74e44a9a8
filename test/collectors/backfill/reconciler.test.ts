import { afterEach, describe, expect, it } from 'vitest';
import { Backfiller } from '../../../src/collectors/backfill/backfiller.ts';
import { Reconciler } from '../../../src/collectors/backfill/reconciler.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { HandCollector } from '../../support/hand-collector.ts';
import { HandRest } from '../../support/hand-rest.ts';
import { ManualClock } from '../../support/manual-clock.ts';
import { MemoryLedger } from '../../support/memory-ledger.ts';

const opened: Disposable[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]();
});

function comparing(exchange: 'okx' | 'binance', made: number) {
  const clock = new ManualClock();
  const ledger = new MemoryLedger(clock);
  const hand = new HandRest(exchange, clock, [1, made]);
  const warnings: unknown[] = [];
  const log = { ...silentLog, warn: (message: string, fields?: object) => warnings.push({ message, ...fields }) };
  const ports = { ledger, accept: ledger.accept, clock, random: () => 0.5, log, restOf: () => hand.rest };
  const backfiller = new Backfiller(ports);
  const reconciler = new Reconciler(ports);
  opened.push(backfiller, reconciler);
  const live = (first: number, last = first, symbol = 'BTC-USDT') =>
    ledger.live(exchange, symbol, BigInt(first), BigInt(last));
  const trade = (upTo: number) => {
    hand.made = [{ first: 1n, last: BigInt(upTo) }];
  };
  const stored = (symbol = 'BTC-USDT') => ledger.describe(exchange, symbol);
  return { clock, ledger, hand, reconciler, backfiller, live, trade, stored, warnings };
}

describe('when the stream of a market begins', () => {
  it('ccxt #26945: what was traded while it was away is fetched', async () => {
    const { clock, ledger, reconciler, live, trade, stored } = comparing('okx', 100);
    live(1, 100);
    trade(340);
    reconciler.began('okx', 'BTC-USDT', 'subscribed again');
    await clock.advance(500);
    await ledger.settled();
    expect(stored()).toEqual(['1-340 PROVEN']);
    expect(new Set(ledger.accepted.map(({ provenance }) => provenance))).toEqual(new Set(['RECONCILED']));
    expect(reconciler.status()).toMatchObject([{ found: 240, comparedAt: expect.any(Number) }]);
  });

  it('cryptofeed #797: more than the newest trades hold becomes a gap, which is filled', async () => {
    const { clock, reconciler, live, trade, stored } = comparing('okx', 100);
    live(1, 100);
    trade(6_000);
    reconciler.began('okx', 'BTC-USDT', 'subscribed again');
    await clock.advance(20_000);
    expect(stored()).toEqual(['1-100 PROVEN', '101-5500 BACKFILLED', '5501-6000 PROVEN']);
  });

  it('aggr-server #20: trades missed before a restart of ours are fetched when it is over', async () => {
    const { clock, reconciler, live, trade, stored } = comparing('binance', 100);
    live(1, 100);
    trade(90_000);
    live(89_990, 90_000); // the first that come live
    reconciler.began('binance', 'BTC-USDT', 'started');
    await clock.advance(120_000);
    expect(stored()).toEqual(['1-100 PROVEN', '101-89989 BACKFILLED', '89990-90000 PROVEN']);
  });

  it('nothing is asked for a market of which nothing is known: nothing was promised', async () => {
    const { clock, hand, ledger, reconciler } = comparing('okx', 1_000);
    reconciler.began('okx', 'BTC-USDT', 'started');
    await clock.advance(5_000);
    expect(hand.requests).toEqual([]);
    expect(ledger.accepted).toEqual([]);
  });

  it('it is tried again while REST is down, ever more rarely', async () => {
    const { clock, ledger, hand, reconciler, live, trade, stored, warnings } = comparing('okx', 100);
    live(1, 100);
    trade(200);
    hand.instead.push(() => new Response('away', { status: 503 }));
    reconciler.began('okx', 'BTC-USDT', 'subscribed again');
    await clock.advance(300_000);
    expect(hand.requests.length).toBeGreaterThan(10);
    expect(hand.requests.length).toBeLessThan(40);
    hand.instead.splice(0);
    await clock.advance(31_000);
    await ledger.settled();
    expect(stored()).toEqual(['1-200 PROVEN']);
    expect(warnings).toEqual([]); // nobody blames the stream for what came before it
  });

  it('one that begins again meanwhile is compared again', async () => {
    const { clock, hand, reconciler, live } = comparing('okx', 100);
    live(1, 100);
    reconciler.began('okx', 'BTC-USDT', 'started');
    await clock.advance(0);
    reconciler.began('okx', 'BTC-USDT', 'subscribed again');
    await clock.advance(2_000);
    expect(hand.requests).toHaveLength(2);
  });

  it('one that has ended is left alone', async () => {
    const { clock, hand, reconciler, live } = comparing('okx', 100);
    live(1, 100);
    reconciler.began('okx', 'BTC-USDT', 'started');
    await clock.advance(2_000);
    reconciler.ended('okx', 'BTC-USDT');
    await clock.advance(600_000);
    expect(hand.requests).toHaveLength(1);
  });
});

describe('a stream that seems well', () => {
  it('krakenfx/api-go #36: what the exchange itself dropped before a quiet spell is found within a minute or so', async () => {
    const { clock, ledger, reconciler, live, trade, stored, warnings } = comparing('okx', 100);
    live(1, 100);
    reconciler.began('okx', 'BTC-USDT', 'started');
    await clock.advance(5_000);
    trade(103); // and no frame, and no trade after them
    await clock.advance(90_000);
    await ledger.settled();
    expect(stored()).toEqual(['1-103 PROVEN']);
    expect(warnings).toMatchObject([{ message: 'The exchange has trades that its stream did not bring', trades: 3 }]);
  });

  it('is not given by REST what is only on its way', async () => {
    const { clock, ledger, hand, reconciler, live, trade } = comparing('okx', 100);
    live(1, 100);
    reconciler.began('okx', 'BTC-USDT', 'started');
    await clock.advance(5_250); // so that it is compared between a trade and its frame
    for (let made = 101; made < 300; made++) {
      trade(made);
      await clock.advance(500);
      live(made);
    }
    expect(hand.requests.length).toBeGreaterThan(1);
    expect(ledger.accepted).toEqual([]);
  });

  it.each([
    ['okx', 190 / 2_000, 2],
    ['binance', 4_800 / 60_000, 25],
  ] as const)(
    '%s: comparing a hundred markets takes at most a tenth of the budget',
    async (exchange, perMs, weight) => {
      const { clock, hand, reconciler, live } = comparing(exchange, 100);
      const listed = Array.from({ length: 100 }, (_, i) => `C${i}-USDT`);
      if (exchange === 'binance')
        Object.defineProperty(hand.rest, 'instruments', { value: { nativeSymbol: async (symbol: string) => symbol } });
      for (const symbol of listed) {
        live(1, 100, symbol);
        reconciler.began(exchange, symbol, 'started');
      }
      await clock.advance(60_000);
      const before = hand.requests.length;
      expect(before).toBeGreaterThanOrEqual(100);
      await clock.advance(600_000);
      const spent = (hand.requests.length - before) * weight;
      expect(spent).toBeGreaterThan(0);
      expect(spent).toBeLessThanOrEqual(0.1 * 600_000 * perMs + weight);
    },
  );

  it('waits while missing trades are being fetched', async () => {
    const { clock, hand, reconciler, live, trade } = comparing('okx', 100);
    live(1, 100);
    reconciler.began('okx', 'BTC-USDT', 'started');
    await clock.advance(2_000);
    trade(200_000);
    live(150_000);
    await clock.advance(100_000);
    expect(hand.requests.filter(({ path, at }) => path === 'trades' && at > 3_000)).toEqual([]);
  });
});

describe('a collector', () => {
  it('is followed by its states: compared whenever it runs again', async () => {
    const { clock, hand, reconciler, live } = comparing('okx', 100);
    live(1, 100);
    const collector = new HandCollector(clock, { exchange: 'okx', symbol: 'BTC-USDT', dataTypes: ['trade'] });
    const watching = reconciler.watch(collector);
    await collector.start();
    await clock.advance(1_000);
    expect(hand.requests).toHaveLength(1);
    await collector.restart();
    await clock.advance(1_000);
    expect(hand.requests).toHaveLength(2);
    watching[Symbol.dispose]();
    await collector.restart();
    await clock.advance(200_000);
    expect(hand.requests).toHaveLength(2);
  });

  it('without trades is not compared', async () => {
    const { clock, hand, reconciler, live } = comparing('okx', 100);
    live(1, 100);
    const collector = new HandCollector(clock, { exchange: 'okx', symbol: 'BTC-USDT', dataTypes: ['ticker'] });
    reconciler.watch(collector);
    await collector.start();
    await clock.advance(100_000);
    expect(hand.requests).toEqual([]);
  });
});
