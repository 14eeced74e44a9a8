import { expect, it } from 'vitest';
import { ExchangeFactory } from '../../src/collectors/exchange-factory.ts';
import { handExchange } from '../support/hand-exchange.ts';
import { handSockets } from '../support/hand-sockets.ts';
import { ManualClock } from '../support/manual-clock.ts';

const listOfBinance = JSON.stringify({
  symbols: [
    {
      symbol: 'BTCUSDT',
      baseAsset: 'BTC',
      quoteAsset: 'USDT',
      status: 'TRADING',
      isSpotTradingAllowed: true,
    },
  ],
});

const TICKER = {
  arg: { channel: 'tickers', instId: 'BTC-USDT' },
  data: [{ instId: 'BTC-USDT', ts: '1767225600000' }],
};

it('a collector that is starting stops at once, without an error', async () => {
  const { collector, clock, sockets } = handExchange(['ticker']);
  const states: string[] = [];
  collector.onStateChange(({ state }) => states.push(state));
  const started = collector.start();
  await clock.advance(1);
  await collector.stop();
  expect(await started).toBe(false);
  expect(states).toEqual(['starting', 'stopping', 'stopped']);
  expect(collector.getStatus()).toMatchObject({ shouldBeRunning: false, statistics: { errors: 0, uptimeSeconds: 0 } });
  expect(sockets.map(({ state }) => state)).toEqual(['closed']);
  expect(clock.sleepers).toBe(0);
});

it('a caller of start is answered within five seconds, however slow REST and socket are', async () => {
  const clock = new ManualClock();
  const factory = new ExchangeFactory({
    clock,
    openSocket: handSockets().openSocket,
    fetch: async () => {
      await clock.sleep(4_000);
      return new Response(listOfBinance);
    },
  });
  const collector = factory.createCollector({ exchange: 'binance', symbol: 'BTC-USDT', dataTypes: ['trade'] });
  let answer: boolean | null = null;
  void collector.start().then((running) => {
    answer = running;
  });
  await clock.advance(3_900);
  expect(answer).toBe(null);
  await clock.advance(1_100);
  expect(answer).toBe(false);
  expect(collector.state).toBe('reconnecting');
  await collector.stop();
});

it('a collector goes on by itself after its caller was answered', async () => {
  const { collector, clock, run } = handExchange(['ticker']);
  const started = collector.start();
  await clock.advance(5_000);
  expect(await started).toBe(false);
  expect(collector.state).toBe('reconnecting');
  await run(2);
  expect(collector.state).toBe('running');
});

it('a collector one of whose sockets is refused for long goes on with the others, unharmed by its restarts', async () => {
  const { manager, collector, run, sockets, events, refuse, accept } = handExchange(['ticker', 'candle']);
  refuse('business');
  void manager.start();
  const ticker = () => sockets.find(({ url }) => url.endsWith('public'))?.say(TICKER);
  await run(300, ticker);
  expect(collector.getStatus().statistics.restarts).toBeGreaterThan(1);
  expect(collector.getHealthStatus().issues.join()).toMatch(/candle|business|closed with 1006/);
  expect(sockets.filter(({ url }) => url.endsWith('public')).map((socket) => socket.asked('subscribe'))).toEqual([
    [['tickers:BTC-USDT']],
  ]);
  expect(events.length).toBeGreaterThan(295);
  accept();
  await run(70, ticker);
  expect(collector.state).toBe('running');
});

it('a collector all of whose sockets are refused starts anew once they are accepted', async () => {
  const { manager, collector, run, refuse, accept } = handExchange(['ticker', 'candle']);
  for (const endpoint of ['public', 'business']) refuse(endpoint);
  void manager.start();
  await run(120);
  expect(collector.getStatus().statistics.restarts).toBeGreaterThan(0);
  accept();
  await run(70);
  expect(collector.state).toBe('running');
});

it('a collector that had its socket to itself can be stopped and started again', async () => {
  const { collector, run, sockets } = handExchange(['ticker']);
  void collector.start();
  await run(2);
  await collector.stop();
  void collector.start();
  await run(2);
  expect(collector.state).toBe('running');
  expect(sockets.map(({ state }) => state)).toEqual(['closed', 'open']);
});

it('no socket carries more channels than its exchange allows', async () => {
  const { sockets, openSocket } = handSockets();
  const clock = new ManualClock();
  const factory = new ExchangeFactory({ clock, openSocket });
  const symbols = Array.from({ length: 61 }, (_, index) => `COIN${index}-USDT`);
  const collectors = factory.createMultipleCollectors(
    symbols.map((symbol) => ({ exchange: 'okx', symbol, dataTypes: ['ticker'] })),
  );
  for (const collector of collectors) void collector.start();
  await clock.advance(1_000);
  for (const socket of sockets) socket.open();
  expect(sockets.map((socket) => socket.asked('subscribe').flat().length)).toEqual([60, 1]);
  factory[Symbol.dispose]();
});

it('nothing is emitted after a stop, also what was on its way', async () => {
  const { collector, clock, run, sockets, events } = handExchange(['ticker', 'orderbook']);
  void collector.start();
  await run(2);
  await collector.stop();
  const seen = events.length;
  sockets[0]?.say(TICKER);
  await clock.advance(60_000);
  expect(events).toHaveLength(seen);
  expect(clock.sleepers).toBe(0);
});
