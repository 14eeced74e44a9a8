import { describe, expect, it } from 'vitest';
import { type DataType, PUBLIC_DATA_TYPES } from '../../../src/market/data-type.ts';
import { Gate } from '../../../src/runtime/gate.ts';
import { handMarket } from '../../support/hand-market.ts';

/** Seconds at which trades happen, irregular but the same in every run. */
function poisson(meanS: number, seed: number): (second: number) => boolean {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) % 2_147_483_648;
    return state / 2_147_483_648 < 1 / meanS;
  };
}

const QUIET: readonly (readonly [name: string, types: readonly DataType[], meanS: number])[] = [
  ['cryptofeed #223: trades that come every two minutes', ['trade'], 120],
  ['cryptofeed #226: an order book that does not change for minutes', ['orderbook', 'trade'], 170],
  ['cryptofeed #536: messages that come within the time-out, some of them late', ['ticker', 'trade'], 45],
  ['cryptofeed #715: candles and trades of a thin pair', ['candle', 'trade'], 150],
  ['a market with every kind of data in which nobody trades at all', PUBLIC_DATA_TYPES, Number.POSITIVE_INFINITY],
];

describe('a quiet market is left alone', () => {
  it.each(QUIET)('%s', async (_name, types, meanS) => {
    for (const seed of [1, 2, 3]) {
      const market = handMarket(types);
      const traded = poisson(meanS, seed);
      const states: string[] = [];
      market.collector.onStateChange(({ state }) => states.push(state));
      void market.manager.start();
      market.trade(); // before anybody listens
      await market.run(5);
      const seen = new Set<string | undefined>();
      const opened = market.sockets.length;
      let second = 0;
      await market.run(900, () => {
        second += 1;
        if (traded(second)) market.trade();
        for (const { health } of market.collector.getStreams()) seen.add(health);
      });
      expect([...seen].toSorted()).not.toContain('STALLED');
      expect(market.renewals()).toBe(0);
      expect(market.sockets).toHaveLength(opened);
      expect(states.slice(states.indexOf('running'))).toEqual(['running']);
      expect(market.collector.getStatus().statistics.restarts).toBe(0);
      await market.collector.stop();
    }
  });

  it('also while REST does not answer: what follows trades is not judged by its silence alone', async () => {
    const market = handMarket(PUBLIC_DATA_TYPES);
    void market.manager.start();
    await market.run(30, market.trade, 1_000);
    market.rest.status = 500;
    await market.run(150);
    expect(market.renewals()).toBe(0);
    expect(market.stream('ticker')?.reason).toContain('whether there are newer ones is not known');
  });

  it('which is said in words, with when it is asked again; it is asked ever more rarely', async () => {
    const market = handMarket(['trade', 'ticker']);
    void market.manager.start();
    await market.run(3);
    market.trade();
    await market.run(42);
    expect(market.stream('trade')).toMatchObject({
      health: 'QUIET',
      reason: expect.stringMatching(
        /^No trade for 42\.\d s; OKX has none newer either\. OKX is asked again in \d+ s\.$/,
      ),
    });
    expect(market.stream('ticker')).toMatchObject({
      health: 'QUIET',
      reason: expect.stringMatching(/^No ticker for 42\.\d s; the market is quiet/),
    });
    const early = market.asked.length;
    await market.run(600);
    expect(early).toBeGreaterThan(1);
    expect(market.asked.length).toBeLessThan(18);
  });

  it('also after a burst: what is usual is not learned from one', async () => {
    const market = handMarket(['trade']);
    void market.manager.start();
    let second = 0;
    await market.run(600, () => {
      second += 1;
      if (second % 60 === 0) market.trade();
    });
    for (let trade = 0; trade < 300; trade++) market.trade();
    const asked = market.asked.length;
    await market.run(50);
    expect(market.asked).toHaveLength(asked);
    expect(market.stream('trade')?.health).not.toBe('STALLED');
  });
});

/** A market with five trades a second on which everything was well for a while. */
async function busy(types: readonly DataType[] = ['trade'], own = {}) {
  const market = handMarket(types, own);
  void market.manager.start();
  const trading = (seconds: number) => market.run(seconds, market.trade, 200);
  await trading(20);
  /** Seconds until data of a type comes again, trading on. */
  const untilData = async (type: DataType = 'trade') => {
    const begun = market.clock.now();
    const newest = market.stream(type)?.lastMessageAt?.getTime() ?? 0;
    for (let tenths = 0; tenths < 600; tenths += 2) {
      await market.run(0.2, market.trade, 200);
      if ((market.stream(type)?.lastMessageAt?.getTime() ?? 0) > newest) break;
    }
    return (market.clock.now() - begun) / 1_000;
  };
  return { ...market, trading, untilData };
}

describe('a mute feed is found and mended', () => {
  it('cryptofeed #893: a channel that falls silent on a socket that lives is subscribed again', async () => {
    const market = await busy(['trade', 'ticker']);
    const states: string[] = [];
    market.collector.onStateChange(({ state }) => states.push(state));
    market.muted.channel = 'trades-all';
    await market.run(7, market.trade, 200);
    expect(market.renewals()).toBe(1);
    market.muted.channel = null;
    expect(await market.untilData()).toBeLessThanOrEqual(1);
    expect(market.sockets).toHaveLength(2);
    expect(states).toEqual([]);
  });

  it('as soon the fifth time as the first: being mute is no rhythm, and what helped is worth trying again', async () => {
    const market = await busy();
    const actions = () => market.renewals() + market.sockets.length;
    for (let time = 1; time <= 5; time++) {
      market.muted.channel = 'trades-all';
      let seconds = 0;
      for (const before = actions(); actions() === before && seconds < 60; seconds += 0.2)
        await market.run(0.2, market.trade, 200);
      expect(seconds).toBeLessThan(8);
      market.muted.channel = null;
      await market.trading(2);
    }
    expect(market.renewals()).toBe(5);
  });

  it('but not for ever as soon: a feed that falls mute again and again is tried ever more rarely', async () => {
    const market = await busy();
    let actions = 0;
    const mute = async () => {
      market.muted.channel = 'trades-all';
      const count = () => market.renewals() + market.sockets.length;
      const before = count();
      for (let second = 0; second < 900 && count() === before; second++) await market.trading(1);
      actions += count() - before;
      market.muted.channel = null;
      await market.trading(3);
    };
    const begun = market.clock.now();
    while (market.clock.now() - begun < 3_600_000) await mute();
    expect(actions).toBeLessThan(40);
    expect(actions).toBeGreaterThan(12);
  });

  it('says what is known, what is done and what comes next', async () => {
    const market = await busy();
    market.muted.channel = 'trades-all';
    await market.trading(7);
    expect(market.stream('trade')).toMatchObject({
      health: 'STALLED',
      reason: expect.stringMatching(
        /^No trade for [67]\.\d s; REST shows \d+ newer trades: the feed is mute\. Subscribing again; the next step, if it does not help, comes in 2 s\.$/,
      ),
    });
    expect(market.collector.getHealthStatus().issues.join()).toContain('the feed is mute');
    expect(market.collector.getStatus().statistics.lastError).toContain('Now subscribing again');
    expect(market.collector.getRejections()[0]).toMatchObject({ reason: 'stalled', count: 1 });
  });

  it('ccxt #22194: a socket that goes on answering pings without data is left for a new one, which is proven first', async () => {
    const market = await busy();
    const states: string[] = [];
    market.collector.onStateChange(({ state }) => states.push(state));
    const [old] = market.open();
    market.muted.isMute = (socket) => socket === old;
    expect(await market.untilData()).toBeLessThanOrEqual(11);
    expect(states).toEqual([]);
    await market.trading(12);
    expect(old?.state).toBe('closed');
    expect(market.open()).toHaveLength(1);
  });

  it('bittrex #105: one mute market of several costs the others on its socket nothing', async () => {
    const market = await busy(['trade']);
    const neighbour = market.factory.createCollector({ exchange: 'okx', symbol: 'ETH-USDT', dataTypes: ['trade'] });
    const changes: string[] = [];
    neighbour.onStateChange(({ state }) => changes.push(state));
    market.manager.addCollector(neighbour);
    void neighbour.start();
    const arg = { channel: 'trades-all', instId: 'ETH-USDT' };
    const both = () => {
      market.trade();
      const record = {
        instId: 'ETH-USDT',
        tradeId: String(market.clock.now()),
        px: '1',
        sz: '1',
        side: 'buy',
        ts: '1',
      };
      for (const socket of market.open()) socket.say({ arg, data: [record] });
    };
    await market.run(3, both, 200);
    changes.length = 0;
    market.muted.channel = 'trades-all';
    await market.run(120, both, 200);
    expect(changes).toEqual([]);
    market.muted.channel = null;
    await market.trading(1);
    expect(market.stream('trade')?.health).toBe('LIVE');
  });

  it('OctoBot #3639: subscriptions that are accepted and never deliver are found without a first message', async () => {
    const market = handMarket(['trade']);
    market.muted.channel = 'trades-all';
    void market.manager.start();
    await market.run(2, market.trade, 200);
    await market.run(8, market.trade, 200);
    expect(market.stream('trade')).toMatchObject({
      health: 'STALLED',
      reason: expect.stringContaining('No trade message yet'),
    });
    expect(market.renewals()).toBe(1);
    market.muted.channel = null;
    await market.run(1, market.trade, 200);
    expect(market.stream('trade')?.health).toBe('LIVE');
  });

  it('is not taken for mended by the one message that a new subscription repeats', async () => {
    const market = await busy();
    let sayOne = 0;
    market.muted.isMute = (socket) => {
      if (market.sockets.length > 2) return false;
      if (socket.asked('subscribe').length === sayOne + 1) return true;
      sayOne = socket.asked('subscribe').length - 1;
      return false;
    };
    await market.trading(20);
    expect(market.sockets.length).toBeGreaterThan(1);
  });

  it('is tried ever more rarely while nothing helps, for ever', async () => {
    const market = await busy();
    market.muted.isMute = () => true;
    const actions = () => market.renewals() + market.sockets.length;
    await market.trading(60);
    const early = actions();
    await market.trading(3_540);
    expect(early).toBeGreaterThanOrEqual(3);
    expect(actions() - early).toBeLessThan(40);
    const late = actions();
    await market.trading(1_500);
    expect(actions()).toBeGreaterThan(late);
  });

  it.each(['ticker', 'orderbook', 'candle'] as const)('is known by the trades beside it: %s', async (type) => {
    const market = await busy(PUBLIC_DATA_TYPES);
    market.muted.channel = { ticker: 'tickers', orderbook: 'books5', candle: 'candle1m' }[type];
    await market.trading(7);
    expect(market.stream(type)).toMatchObject({
      health: 'STALLED',
      reason: expect.stringMatching(/\d+ messages of trades came meanwhile: the feed is mute/),
    });
    expect(market.renewals()).toBe(1);
  });
});

describe('what cannot be known is said', () => {
  it('when REST fails, and nothing is done on the strength of that alone', async () => {
    const market = await busy();
    market.muted.channel = 'trades-all';
    market.rest.status = 500;
    await market.trading(50);
    expect(market.stream('trade')).toMatchObject({
      health: 'QUIET',
      reason: expect.stringContaining('whether there are newer ones is not known: okx answered 500'),
    });
    expect(market.renewals()).toBe(0);
    await market.trading(20);
    expect(market.stream('trade')?.health).toBe('STALLED');
    expect(market.renewals()).toBe(0);
    await market.trading(130);
    expect(market.renewals()).toBe(1);
  });

  it.each([3_600_000, -3_600_000])(
    'when the clocks differ by an hour (%i ms): the second look tells',
    async (skewMs) => {
      const quiet = handMarket(['trade']);
      quiet.exchange.aheadMs = skewMs;
      quiet.trade(); // before anybody listens
      void quiet.manager.start();
      await quiet.run(120);
      expect(quiet.stream('trade')?.health).toBe('QUIET');
      expect(quiet.renewals()).toBe(0);

      const mute = handMarket(['trade']);
      mute.exchange.aheadMs = skewMs;
      mute.muted.channel = 'trades-all';
      mute.trade();
      void mute.manager.start();
      await mute.run(15, mute.trade, 200);
      expect(mute.stream('trade')?.health).toBe('STALLED');
      expect(mute.renewals()).toBeGreaterThan(0);
    },
  );
});

describe('silence of our own making', () => {
  it('a standstill of the event loop is not taken for it', async () => {
    const market = await busy();
    await market.clock.standStill(20_000);
    expect(market.asked).toHaveLength(0);
    expect(market.stream('trade')?.health).not.toBe('STALLED');
    await market.trading(3);
    expect(market.asked).toHaveLength(0);
    expect(market.sockets).toHaveLength(1);
  });

  it('a gate that closes while REST is asked says nothing about the stream', async () => {
    const gate = new Gate();
    const market = await busy(['trade'], { gate });
    market.muted.channel = 'trades-all';
    market.rest.beforeAnswer = () => gate.set('test', false);
    await market.trading(8);
    expect(market.asked).toHaveLength(1);
    expect(market.stream('trade')?.health).not.toBe('STALLED');
  });

  it('trades that are read right after the answer of REST are not missed', async () => {
    const market = await busy();
    market.muted.channel = 'trades-all';
    market.rest.beforeAnswer = () => {
      market.muted.channel = null;
    };
    await market.trading(8);
    expect(market.asked).toHaveLength(1);
    expect(market.renewals()).toBe(0);
  });

  it('a closed gate is not taken for it', async () => {
    const gate = new Gate();
    const market = await busy(['trade'], { gate });
    gate.set('test', false);
    market.muted.channel = 'trades-all'; // what is not read cannot be seen
    await market.trading(60);
    gate.set('test', true);
    market.muted.channel = null;
    await market.trading(3);
    expect(market.asked).toHaveLength(0);
    expect(market.stream('trade')?.health).toBe('LIVE');
    expect(market.sockets).toHaveLength(1);
  });
});
