import { describe, expect, it } from 'vitest';
import { DataType } from '../../src/market/data-type.ts';
import type { MarketDataPoint } from '../../src/market/market-data-point.ts';
import { HandCollector } from '../support/hand-collector.ts';
import { ManualClock } from '../support/manual-clock.ts';

const make = () => new HandCollector(new ManualClock());

describe('life', () => {
  it('starts once however often it is asked, also by two at once', async () => {
    const collector = make();
    expect(await Promise.all([collector.start(), collector.start()])).toEqual([true, true]);
    expect(await collector.start()).toBe(true);
    expect(collector.opened).toBe(1);
  });

  it('stops once, and stays stopped on purpose', async () => {
    const collector = make();
    await collector.start();
    await Promise.all([collector.stop(), collector.stop()]);
    await collector.stop({ force: true });
    expect(collector.closed).toBe(1);
    expect(collector.getStatus()).toMatchObject({ status: 'stopped', shouldBeRunning: false });
  });

  it('does what was asked last when start and stop race', async () => {
    const collector = make();
    await Promise.all([collector.start(), collector.stop(), collector.start()]);
    expect(collector.getStatus()).toMatchObject({ status: 'running', shouldBeRunning: true });
  });

  it('counts restarts and says when', async () => {
    const collector = make();
    await collector.start();
    expect(await collector.restart()).toBe(true);
    expect(collector.getStatus().statistics).toMatchObject({
      restarts: 1,
      lastRestartTime: new Date(collector.clock.now()).toISOString(),
    });
    expect(collector.opened).toBe(2);
  });

  it('is in error with the reason when it cannot start, and starts when asked again', async () => {
    const collector = make();
    collector.failure = new Error('the other side is away');
    expect(await collector.start()).toBe(false);
    expect(collector.getHealthStatus()).toMatchObject({ isHealthy: false, status: 'error', isRunning: false });
    expect(collector.getHealthStatus().issues.join()).toContain('the other side is away');
    collector.failure = null;
    expect(await collector.start()).toBe(true);
    expect(collector.getHealthStatus().isHealthy).toBe(true);
  });
});

describe('a collector whose close fails', () => {
  it('is stopped all the same, and counts it', async () => {
    const collector = make();
    await collector.start();
    collector.closeFailure = new Error('the other side is gone');
    await collector.stop();
    expect(collector.getStatus()).toMatchObject({ status: 'stopped', statistics: { errors: 1 } });
  });

  it('is in error, not starting for ever, when it could not open either', async () => {
    const collector = make();
    collector.failure = new Error('away');
    collector.closeFailure = new Error('not open');
    expect(await collector.start()).toBe(false);
    expect(collector.state).toBe('error');
  });
});

describe('data', () => {
  it('reaches the callbacks of its type as data points, and no longer after their removal', async () => {
    const collector = make();
    const points: MarketDataPoint[] = [];
    const callback = (point: MarketDataPoint) => points.push(point);
    collector.addDataCallback(DataType.TRADE, callback);
    collector.addDataCallback(DataType.TICKER, () => expect.unreachable());
    await collector.start();
    collector.trade('1');
    collector.removeDataCallback(DataType.TRADE, callback);
    collector.trade('2');
    expect(points).toEqual([
      {
        exchange: 'third',
        symbol: 'BTC-USDT',
        dataType: 'trade',
        timestamp: new Date(collector.clock.now() - 5),
        data: { tradeId: '1' },
      },
    ]);
  });

  it('reaches the other callbacks when one throws, which is counted', async () => {
    const collector = make();
    let reached = 0;
    collector.addDataCallback(DataType.TRADE, () => {
      throw new Error('a user bug');
    });
    collector.addDataCallback(DataType.TRADE, () => {
      reached += 1;
    });
    await collector.start();
    collector.trade('1');
    expect(reached).toBe(1);
    expect(collector.getStatus().statistics.errors).toBe(1);
    expect(collector.getRejections()).toEqual([
      { reason: 'callback', count: 1, sample: 'a data callback threw: a user bug' },
    ]);
  });
});

describe('health', () => {
  it('follows the rhythm: LIVE, QUIET, then STALLED with an issue in words', async () => {
    const collector = make();
    await collector.start();
    collector.trade('1');
    const health = () => collector.getStreams()[0]?.health;
    expect(health()).toBe('LIVE');
    await collector.clock.advance(10_000);
    expect(health()).toBe('QUIET');
    expect(collector.getHealthStatus().isHealthy).toBe(true);
    await collector.clock.advance(11_000);
    expect(health()).toBe('STALLED');
    expect(collector.getHealthStatus().issues.join()).toContain('trade');
    expect(collector.stalledStreams()).toEqual(['trade']);
  });

  it('gives a slow market the time its own gaps take', async () => {
    const collector = make();
    await collector.start();
    for (let trade = 0; trade < 5; trade++) {
      collector.trade(String(trade));
      await collector.clock.advance(15_000);
    }
    await collector.clock.advance(60_000);
    expect(collector.getStreams()[0]?.health).toBe('LIVE');
    expect(collector.stalledStreams()).toEqual([]);
    await collector.clock.advance(240_000);
    expect(collector.stalledStreams()).toEqual(['trade']);
  });

  it('notices a stream whose first message never comes', async () => {
    const collector = make();
    await collector.start();
    await collector.clock.advance(21_000);
    expect(collector.stalledStreams()).toEqual(['trade']);
  });

  it('measures silence, uptime and rate', async () => {
    const collector = make();
    await collector.start();
    for (let trade = 0; trade < 20; trade++) collector.trade(String(trade));
    await collector.clock.advance(4_000);
    expect(collector.getStatus()).toMatchObject({
      health: { timeSinceData: 4, maxSilenceDuration: 20 },
      statistics: { messagesReceived: 20, messagesProcessed: 20, uptimeSeconds: 4 },
    });
    expect(collector.getStreams()[0]).toMatchObject({ messagesPerSecond: 2, lagMs: 5 });
  });
});
