import { describe, expect, it, vi } from 'vitest';
import { DataType, PUBLIC_DATA_TYPES } from '../../src/market/data-type.ts';
import type { OrderBook } from '../../src/market/market-event.ts';
import { TEST_CREDENTIALS } from '../../src/simulator/okx-account.ts';
import { tradeById } from '../../src/simulator/tape.ts';
import { missingIds, startCollecting } from '../support/collecting.ts';

const soon = { timeout: 10_000, interval: 20 };

describe.each(['okx', 'binance'] as const)('a collector of %s', (exchange) => {
  it('collects every public data type, each trade as the tape has it', async () => {
    await using collecting = await startCollecting(exchange);
    const { collector, events, trades } = collecting.collector({ symbol: 'BTC-USDT', dataTypes: PUBLIC_DATA_TYPES });
    expect(await collector.start()).toBe(true);
    await vi.waitFor(
      () => expect(new Set(events.map((event) => event.kind))).toEqual(new Set(PUBLIC_DATA_TYPES)),
      soon,
    );
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(50), soon);
    const tape = collecting.simulator.tape('BTC-USDT');
    for (const { tradeId, price, size, side, exchangeTime } of trades())
      expect(tradeById(tape, tradeId)).toMatchObject({ price, size, side, time: exchangeTime });
    expect(missingIds(trades())).toEqual([]);
    expect(collector.getHealthStatus()).toMatchObject({ isHealthy: true, isRunning: true });
  });

  it('restarts without its neighbour on the same socket losing anything', async () => {
    await using collecting = await startCollecting(exchange);
    const one = collecting.collector({ symbol: 'BTC-USDT' });
    const neighbour = collecting.collector({ symbol: 'ETH-USDT' });
    await Promise.all([one.collector.start(), neighbour.collector.start()]);
    for (let time = 0; time < 5; time++) expect(await one.collector.restart()).toBe(true);
    expect(collecting.simulator.state().sockets).toHaveLength(1);
    const seen = one.trades().length;
    await vi.waitFor(() => expect(one.trades().length).toBeGreaterThan(seen), soon);
    expect(neighbour.trades().length).toBeGreaterThan(0);
    expect(missingIds(neighbour.trades())).toEqual([]);
    expect(neighbour.collector.getStatus().statistics).toMatchObject({ restarts: 0, reconnectAttempts: 0 });
  });

  it.each(['rst', 'fin', 'mid-frame'] as const)('has data again after its sockets were cut (%s)', async (how) => {
    await using collecting = await startCollecting(exchange);
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT' });
    const states: string[] = [];
    collector.onStateChange(({ state }) => states.push(state));
    await collector.start();
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(0), soon);
    collecting.simulator.faults.add({ kind: 'cut', how });
    await vi.waitFor(() => expect(states.slice(-2)).toEqual(['reconnecting', 'running']), soon);
    const seen = trades().length;
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen), soon);
    expect(collector.getStatus().statistics.connectionUptime).not.toBeNull();
  });

  it('notices a socket that stays open without a sign of life', async () => {
    const connection = { ping_interval: 0.3, pong_timeout: 0.3 };
    await using collecting = await startCollecting(exchange, { connection });
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT' });
    const states: string[] = [];
    collector.onStateChange(({ state }) => states.push(state));
    await collector.start();
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(0), soon);
    collecting.simulator.faults.add({ kind: 'half-open' });
    await vi.waitFor(() => expect(states).toContain('reconnecting'), soon);
    const seen = trades().length;
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen), soon);
  });

  it('moves to the next socket before an announced end, without a missing trade', async () => {
    await using collecting = await startCollecting(exchange);
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT' });
    const states: string[] = [];
    collector.onStateChange(({ state }) => states.push(state));
    await collector.start();
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(0), soon);
    const [before] = collecting.simulator.state().sockets;
    collecting.simulator.faults.add({ kind: 'notice', closeAfterMs: 3_000 });
    await vi.waitFor(() => {
      const [now, ...others] = collecting.simulator.state().sockets;
      expect(others).toEqual([]);
      expect(now?.id).not.toBe(before?.id);
    }, soon);
    const seen = trades().length;
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen + 50), soon);
    expect(missingIds(trades())).toEqual([]);
    expect(states).not.toContain('reconnecting');
  });

  it('lives through garbage, which is counted by reason with a sample, and loses nothing good', async () => {
    await using collecting = await startCollecting(exchange);
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT', dataTypes: PUBLIC_DATA_TYPES });
    await collector.start();
    collecting.simulator.faults.add({ kind: 'garbage', count: 20, text: '<html>busy</html>' });
    await vi.waitFor(() => expect(collector.getRejections()[0]?.count).toBe(20), soon);
    const seen = trades().length;
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen), soon);
    expect(collector.getRejections()[0]).toMatchObject({
      reason: 'malformed',
      count: 20,
      sample: expect.stringContaining('in "'),
    });
    expect(collector.state).toBe('running');
    expect(missingIds(trades())).toEqual([]);
  });

  it('closes a socket that sends too much at once, and reconnects', async () => {
    await using collecting = await startCollecting(exchange);
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT' });
    await collector.start();
    collecting.simulator.faults.add({ kind: 'oversize', count: 1, bytes: 32 * 1024 * 1024 });
    await vi.waitFor(() => expect(collecting.simulator.state().counters.connections).toBeGreaterThan(1), soon);
    await vi.waitFor(() => expect(collector.state).toBe('running'), soon);
    const seen = trades().length;
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen), soon);
  });

  it('stops reading while the gate is closed and takes up where it stopped', async () => {
    await using collecting = await startCollecting(exchange);
    const { collector, trades } = collecting.collector({ symbol: 'BTC-USDT' });
    await collector.start();
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(0), soon);
    collecting.gate.set('test', false);
    const emitted = () => collecting.simulator.state().instruments[0]?.count ?? 0;
    const [seen, at] = [trades().length, emitted()];
    await vi.waitFor(() => expect(emitted()).toBeGreaterThan(at + 50), soon);
    expect(trades().length - seen).toBeLessThan(20);
    collecting.gate.set('test', true);
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(seen + 50), soon);
    expect(missingIds(trades())).toEqual([]);
  });

  it('is in error when its attempts are used up, and says why', async () => {
    await using collecting = await startCollecting(exchange, {
      connection: { max_reconnect_attempts: 2, reconnect_delay: 0.01 },
    });
    const { collector } = collecting.collector({ symbol: 'BTC-USDT' });
    collecting.simulator.faults.add({ kind: 'refuse' });
    expect(await collector.start()).toBe(false);
    await vi.waitFor(() => expect(collector.state).toBe('error'), soon);
    expect(collector.getHealthStatus().issues.join()).toContain('gave up after 2 attempts');
    collecting.simulator.faults.clear();
    expect(await collector.start()).toBe(true);
  });
});

describe('on OKX', () => {
  it('one bad symbol does not stop the others on its socket', async () => {
    await using collecting = await startCollecting('okx');
    const good = collecting.collector({ symbol: 'BTC-USDT' });
    const bad = collecting.collector({ symbol: 'NOPE-USDT' });
    expect(await Promise.all([good.collector.start(), bad.collector.start()])).toEqual([true, false]);
    expect(bad.collector.getHealthStatus().issues.join()).toContain('60018');
    await vi.waitFor(() => expect(good.trades().length).toBeGreaterThan(20), soon);
    expect(good.collector.getStatus().statistics.errors).toBe(0);
  });

  it('counts a packed trade as the fills it stands for', async () => {
    await using collecting = await startCollecting('okx');
    const { collector, trades } = collecting.collector({
      symbol: 'BTC-USDT',
      customParams: { channels: { trade: 'trades' } },
    });
    await collector.start();
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(50), soon);
    expect(Math.max(...trades().map((trade) => trade.fillCount))).toBeGreaterThan(1);
    expect(missingIds(trades())).toEqual([]);
  });

  it('follows the full order book, and makes a broken one whole again', async () => {
    await using collecting = await startCollecting('okx');
    const { collector, events } = collecting.collector({
      symbol: 'BTC-USDT',
      dataTypes: [DataType.ORDERBOOK],
      customParams: { channels: { orderbook: 'books' } },
    });
    await collector.start();
    const last = () => events.at(-1) as OrderBook | undefined;
    await vi.waitFor(() => expect(events.length).toBeGreaterThan(5), soon);
    expect(last()).toMatchObject({ validity: 'VALID' });
    expect(last()?.bids).toHaveLength(400);
    collecting.simulator.faults.add({ kind: 'mute', channel: 'books', count: 1 });
    await vi.waitFor(
      () => expect(events.some((event) => (event as OrderBook).validity === 'RESYNCING')).toBe(true),
      soon,
    );
    await vi.waitFor(() => expect(last()).toMatchObject({ validity: 'VALID' }), soon);
  });

  it('lets two collectors share the one account channel', async () => {
    await using collecting = await startCollecting('okx', { credentials: TEST_CREDENTIALS });
    const dataTypes: DataType[] = ['trade', 'balance'];
    const one = collecting.collector({ symbol: 'BTC-USDT', dataTypes });
    const other = collecting.collector({ symbol: 'ETH-USDT', dataTypes });
    expect(await one.collector.start()).toBe(true);
    expect(await other.collector.start()).toBe(true);
    await one.collector.stop();
    expect(other.collector.state).toBe('running');
    expect(collecting.simulator.state().sockets.map(({ endpoint }) => endpoint)).toContain('private');
  });

  it('collects balances after a login, and goes on with public data when the keys are wrong', async () => {
    await using collecting = await startCollecting('okx', { credentials: TEST_CREDENTIALS });
    const good = collecting.collector({ symbol: 'BTC-USDT', dataTypes: ['trade', 'balance'] });
    expect(await good.collector.start()).toBe(true);
    await vi.waitFor(() => expect(good.events.some((event) => event.kind === 'balance')).toBe(true), soon);

    await using wrong = await startCollecting('okx', {
      credentials: { ...TEST_CREDENTIALS, secret: 'not the secret' },
    });
    const { collector, trades } = wrong.collector({ symbol: 'BTC-USDT', dataTypes: ['trade', 'balance'] });
    expect(await collector.start()).toBe(true);
    await vi.waitFor(() => expect(trades().length).toBeGreaterThan(0), soon);
    expect(collector.getHealthStatus().issues.join()).toMatch(/No balance: login refused, 60007/);
    expect(collector.getHealthStatus().issues.join()).not.toContain('not the secret');
  });
});

describe('on Binance', () => {
  it('completes a ticker from its two channels', async () => {
    await using collecting = await startCollecting('binance');
    const { collector, events } = collecting.collector({ symbol: 'BTC-USDT', dataTypes: ['ticker'] });
    await collector.start();
    await vi.waitFor(() => {
      const ticker = events.at(-1);
      expect(ticker).toMatchObject({
        kind: 'ticker',
        last: expect.any(String),
        bid: expect.any(String),
        volume24h: expect.any(String),
      });
    }, soon);
  });

  it('bridges its order book onto the REST snapshot and follows it', async () => {
    await using collecting = await startCollecting('binance');
    const { collector, events } = collecting.collector({ symbol: 'BTC-USDT', dataTypes: ['orderbook'] });
    await collector.start();
    await vi.waitFor(
      () => expect(events.filter((event) => (event as OrderBook).validity === 'VALID').length).toBeGreaterThan(10),
      soon,
    );
    expect(collector.getRejections().filter(({ reason }) => reason === 'book-sequence-gap')).toEqual([]);
  });

  it('says that a symbol is not listed', async () => {
    await using collecting = await startCollecting('binance');
    const { collector } = collecting.collector({ symbol: 'NOPE-USDT' });
    expect(await collector.start()).toBe(false);
    expect(collector.getHealthStatus().issues.join()).toContain('does not list NOPE-USDT');
  });
});
