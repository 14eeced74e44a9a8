import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../src/collectors/pacing/rate-limit.ts';
import { binance } from '../../../src/exchanges/binance/adapter.ts';
import { okx } from '../../../src/exchanges/okx/adapter.ts';
import { connect, listen, route, tickers } from '../../support/hand-connection.ts';
import { handExchange } from '../../support/hand-exchange.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const ticker = {
  arg: { channel: 'tickers', instId: 'BTC-USDT' },
  data: [{ instId: 'BTC-USDT', last: '1', ts: '1767225600000' }],
};

describe('an exchange that is away', () => {
  it('cryptofeed #124: is never given up, and is tried less and less often', async () => {
    const { manager, collector, sockets, run, refuse, accept, open } = handExchange(['ticker']);
    refuse('public');
    void manager.start();
    const attempts: number[] = [];
    for (let fiveMinutes = 0; fiveMinutes < 24; fiveMinutes++) {
      const before = sockets.length;
      await run(300);
      attempts.push(sockets.length - before);
    }
    expect(attempts[0]).toBeLessThanOrEqual(70);
    expect(Math.max(...attempts.slice(2))).toBeLessThanOrEqual(15);
    expect(Math.min(...attempts)).toBeGreaterThanOrEqual(3);
    accept();
    await run(65, () => open()[0]?.say(ticker));
    expect(collector.getHealthStatus()).toMatchObject({ isHealthy: true, isRunning: true });
    open()[0]?.cut();
    await run(3, () => open()[0]?.say(ticker));
    expect(collector.state).toBe('running');
  });

  it('is in error once the attempts are used up; the collector says why and when it is tried again', async () => {
    const { manager, collector, run, refuse } = handExchange(['ticker']);
    refuse('public');
    const messages: string[] = [];
    collector.onStateChange(({ state }, message) => messages.push(`${state}: ${message}`));
    void manager.start();
    await run(3_600);
    const told = (pattern: RegExp) => expect(messages).toContainEqual(expect.stringMatching(pattern));
    told(/^reconnecting: closed with 1006; next attempt in \d\.\d s$/);
    told(/^error: gave up after 5 attempts: closed with 1006; a restart makes the next attempt in \d\.\d s$/);
    told(/^error: gave up after 5 attempts: closed with 1006; a restart makes the next attempt at 00:\d\d:\d\d UTC$/);
    told(/^reconnecting: trying again after: closed with 1006; next attempt at 00:\d\d:\d\d UTC$/);
    expect(collector.getHealthStatus().issues.join()).toContain('Should be running but is');
    expect(collector.getStreams()[0]?.reason).not.toBe('');
  });
});

describe('an exchange that turns us away by name', () => {
  it.each([429, 418, 403])(
    'with HTTP %i is left alone for half a minute at least between two attempts',
    async (status) => {
      const { connection, clock, sockets, newest } = connect();
      const { listener } = listen();
      connection.want(tickers, listener);
      for (let second = 0; second < 300; second++) {
        await clock.advance(1_000);
        if (newest()?.state === 'connecting') newest().refuse(status);
      }
      expect(sockets.length).toBeGreaterThanOrEqual(5);
      expect(sockets.length).toBeLessThanOrEqual(11);
    },
  );

  it('is left alone for as long as it says', async () => {
    const { connection, clock, sockets, newest } = connect();
    const messages: string[] = [];
    connection.want(tickers, { ...listen().listener, connection: (_keys, _state, message) => messages.push(message) });
    await clock.advance(1);
    newest().refuse(429, 180_000);
    expect(messages.at(-1)).toContain('HTTP 429; next attempt at 00:03:00 UTC');
    await clock.advance(179_000);
    expect(sockets).toHaveLength(1);
    await clock.advance(2_000);
    expect(sockets).toHaveLength(2);
  });
});

it.each([
  [okx, 3],
  [binance, 1],
])('twenty sockets that are cut at once do not come back at once', async (adapter, perSecond) => {
  const clock = new ManualClock();
  const connects = new RateLimit(clock, { amount: 1, perMs: 1_000 / perSecond });
  let state = 1;
  const random = () => {
    state = (state * 16_807) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  const all = Array.from({ length: 20 }, () => connect(adapter, 'public', { clock, connects, random }));
  const wanted = route(adapter === okx ? 'BTC-USDT' : 'BTCUSDT', 'trade', undefined, adapter);
  for (const { connection } of all) connection.want(wanted, listen().listener);
  await clock.advance(30_000);
  for (const { newest } of all) newest().open();
  const opened = () => all.reduce((sum, { sockets }) => sum + sockets.length, 0);
  expect(opened()).toBe(20);
  for (const { newest } of all) newest().cut();
  const buckets: number[] = [];
  for (let bucket = 0; bucket < 250; bucket++) {
    const before = opened();
    await clock.advance(100);
    buckets.push(opened() - before);
  }
  expect(opened()).toBe(40);
  expect(Math.max(...buckets)).toBeLessThanOrEqual(4);
});
