import { describe, expect, it, vi } from 'vitest';
import { CollectorManager } from '../../../src/collectors/collector-manager.ts';
import type { DataType } from '../../../src/market/data-type.ts';
import type { ActiveFault } from '../../../src/simulator/faults.ts';
import { type Collecting, type Kept, missingIds, startCollecting } from '../../support/collecting.ts';

const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'XRP-USDT'];
/** Of a goal: these tests share the machine with others. `npm run chaos -- liveness` measures the goals themselves. */
const BUSY = 1.8;
const soon = { timeout: 30_000, interval: 20 };

/** Four managed markets that trade 25 times a second, each with some data already. */
async function collectFour(exchange: 'okx' | 'binance', dataTypes: readonly DataType[] = ['trade']) {
  const collecting = await startCollecting(exchange, { simulator: { symbols: SYMBOLS, rate: 25 } });
  const manager = new CollectorManager();
  const markets = SYMBOLS.map((symbol) => collecting.collector({ symbol, dataTypes }));
  for (const { collector } of markets) manager.addCollector(collector);
  await manager.start();
  for (const market of markets) await vi.waitFor(() => expect(market.trades().length).toBeGreaterThan(50), soon);
  const [first, ...others] = markets as [Kept, ...Kept[]];
  return {
    ...collecting,
    first,
    others,
    [Symbol.asyncDispose]: async () => {
      await manager.stop();
      await collecting[Symbol.asyncDispose]();
    },
  };
}

/** Ends a fault as soon as something was done about it: a request more on a socket, or another socket. */
async function mendWhenTreated({ simulator }: Collecting, fault: ActiveFault['id'], isTreated = treated(simulator)) {
  await vi.waitFor(() => expect(isTreated()).toBe(true), soon);
  simulator.faults.clear(fault);
}

function treated(simulator: Collecting['simulator']): () => boolean {
  const sum = () =>
    simulator
      .state()
      .sockets.map(({ id, requests }) => `${id}:${requests}`)
      .join();
  const before = sum();
  return () => sum() !== before;
}

async function secondsUntilData({ trades }: Kept): Promise<number> {
  const begun = performance.now();
  const seen = trades().length;
  await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen), soon);
  return (performance.now() - begun) / 1_000;
}

describe.concurrent.each(['okx', 'binance'] as const)('on %s with 25 trades a second', (exchange) => {
  it('a market that is mute, one of four, is back within 11 s, and its neighbours notice nothing', async () => {
    await using four = await collectFour(exchange);
    const states: string[] = [];
    for (const { collector } of four.others) collector.onStateChange(({ state }) => states.push(state));
    const fault = four.simulator.faults.add({ kind: 'mute', symbol: 'BTC-USDT' });
    const [seconds] = await Promise.all([secondsUntilData(four.first), mendWhenTreated(four, fault)]);
    expect(seconds).toBeLessThan(11 * BUSY);
    expect(states).toEqual([]);
    for (const other of four.others) expect(missingIds(other.trades())).toEqual([]);
  });

  it('a market for which only another socket helps is back within 11 s', async () => {
    await using four = await collectFour(exchange);
    const [old] = four.simulator.state().sockets;
    const onAnother = () => four.simulator.state().sockets.some(({ id }) => id !== old?.id);
    const fault = four.simulator.faults.add({ kind: 'mute', symbol: 'BTC-USDT' });
    const [seconds] = await Promise.all([secondsUntilData(four.first), mendWhenTreated(four, fault, onAnother)]);
    expect(seconds).toBeLessThan(11 * BUSY);
    for (const other of four.others) expect(missingIds(other.trades())).toEqual([]);
  });

  it('a market that is acknowledged and then mute from the first is there within 11 s', async () => {
    await using collecting = await startCollecting(exchange, { simulator: { symbols: SYMBOLS, rate: 25 } });
    const fault = collecting.simulator.faults.add({ kind: 'mute', symbol: 'BTC-USDT' });
    const manager = new CollectorManager();
    await using _stop = { [Symbol.asyncDispose]: () => manager.stop() };
    const market = collecting.collector({ symbol: 'BTC-USDT' });
    manager.addCollector(market.collector);
    await manager.start();
    const [seconds] = await Promise.all([secondsUntilData(market), mendWhenTreated(collecting, fault)]);
    expect(seconds).toBeLessThan(11 * BUSY);
  });

  it('sockets that stay open and dead are left within 15 s, with the default settings', async () => {
    await using four = await collectFour(exchange);
    four.simulator.faults.add({ kind: 'half-open' });
    const seconds = Math.max(...(await Promise.all([four.first, ...four.others].map(secondsUntilData))));
    expect(seconds).toBeLessThan(15 * BUSY);
  });

  it('a ticker that is mute beside trades is back within 11 s', async () => {
    await using four = await collectFour(exchange, ['trade', 'ticker']);
    const tickers = () => four.first.events.filter(({ kind }) => kind === 'ticker').length;
    const channels = exchange === 'okx' ? ['tickers'] : ['ticker', 'bookTicker'];
    const faults = channels.map((channel) => four.simulator.faults.add({ kind: 'mute', channel, symbol: 'BTC-USDT' }));
    const isTreated = treated(four.simulator);
    const begun = performance.now();
    const seen = tickers();
    for (const fault of faults) await mendWhenTreated(four, fault, isTreated);
    await vi.waitFor(() => expect(tickers()).toBeGreaterThan(seen), soon);
    expect(performance.now() - begun).toBeLessThan(11_000 * BUSY);
  });

  it('an announced end costs no trade and shows no reconnect, at 200 trades a second', async () => {
    await using collecting = await startCollecting(exchange, { simulator: { rate: 200 } });
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT' });
    await collector.start();
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(100), soon);
    const states: string[] = [];
    collector.onStateChange(({ state }) => states.push(state));
    const [before] = collecting.simulator.state().sockets;
    collecting.simulator.faults.add({ kind: 'notice', closeAfterMs: 10_000 });
    await vi.waitFor(() => {
      const { sockets } = collecting.simulator.state();
      expect(sockets.map(({ id }) => id)).not.toContain(before?.id);
    }, soon);
    const seen = trades().length;
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen + 500), soon);
    expect(missingIds(trades())).toEqual([]);
    expect(states).toEqual([]);
  });

  it('sockets that are cut in three ways, are back within 2 s as a rule and 5 s at most', async () => {
    await using collecting = await startCollecting(exchange, { simulator: { rate: 100 } });
    const market = collecting.collector({ symbol: 'BTC-USDT' });
    await market.collector.start();
    await vi.waitFor(() => expect(market.trades().length).toBeGreaterThan(0), soon);
    const times: number[] = [];
    for (const how of ['rst', 'fin', 'mid-frame', 'rst'] as const) {
      const isTreated = treated(collecting.simulator);
      const begun = performance.now();
      collecting.simulator.faults.add({ kind: 'cut', how });
      await vi.waitFor(() => expect(isTreated()).toBe(true), soon);
      await secondsUntilData(market);
      times.push((performance.now() - begun) / 1_000);
    }
    times.sort((a, b) => a - b);
    expect(times[times.length >> 1]).toBeLessThan(2 * BUSY);
    expect(times.at(-1)).toBeLessThan(5 * BUSY);
  });
});

it('an order book whose snapshot cannot be had is not mute: its socket is left alone', async () => {
  await using collecting = await startCollecting('binance', { simulator: { rate: 25 } });
  collecting.simulator.faults.add({ kind: 'rest-down', path: '/api/v3/depth' });
  const manager = new CollectorManager();
  await using _stop = { [Symbol.asyncDispose]: () => manager.stop() };
  const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT', dataTypes: ['trade', 'orderbook'] });
  manager.addCollector(collector);
  await manager.start();
  await vi.waitFor(() => expect(trades().length).toBeGreaterThan(12 * 25), soon);
  expect(collector.getRejections().filter(({ reason }) => reason === 'stalled')).toEqual([]);
  expect(collecting.simulator.state().counters.connections).toBe(1);
});
