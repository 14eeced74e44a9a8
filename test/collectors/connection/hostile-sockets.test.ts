import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { ExchangeFactory } from '../../../src/collectors/exchange-factory.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';
import { REST_BOMBS, SOCKET_BOMBS } from '../../security/bombs.ts';
import { HostileExchange } from '../../security/hostile-exchange.ts';

let simulator: Simulator;
let hostile: HostileExchange;
beforeAll(async () => {
  simulator = await startSimulator({ exchange: 'binance', rate: 100 });
  hostile = await HostileExchange.start({ upstream: simulator });
});
afterAll(async () => {
  await hostile[Symbol.asyncDispose]();
  await simulator[Symbol.asyncDispose]();
});

function collect() {
  const connection = { ...hostile.connectionThrough(simulator.connection), max_reconnect_attempts: 1_000 };
  const factory = new ExchangeFactory({ connections: { binance: connection }, random: () => 0.1 });
  const collector = factory.createCollector({ exchange: 'binance', symbol: 'BTC-USDT', dataTypes: ['trade'] });
  return {
    collector,
    [Symbol.asyncDispose]: async () => {
      await collector.stop({ force: true });
      factory[Symbol.dispose]();
    },
  };
}

describe('on a socket', () => {
  it.each(SOCKET_BOMBS)('$name: is cut off with a reason, and the next socket is good', async ({ attack, said }) => {
    await using collecting = collect();
    const { collector } = collecting;
    expect(await collector.start()).toBe(true);
    const over = Promise.withResolvers<void>();
    const bomb = attack(1_000);
    hostile.socketAttack = (...how) => bomb(...how).then(over.resolve);
    const issues: string[] = [];
    collector.onStateChange(() => void issues.push(...collector.getHealthStatus().issues));
    hostile.cut();
    await over.promise;
    hostile.socketAttack = null;
    await vi.waitFor(() => {
      const samples = collector.getRejections().map(({ sample }) => sample);
      expect([...issues, ...samples].join('\n')).toMatch(said);
    }, 10_000);
    await vi.waitFor(() => expect(collector.getHealthStatus()).toMatchObject({ isHealthy: true }), 20_000);
  });
});

describe('to a request', () => {
  it.each(REST_BOMBS)('$name: is refused with a reason', async ({ attack, said }) => {
    hostile.restAttack = { path: '/api/v3/exchangeInfo', attack: attack(1_024) };
    await using collecting = collect();
    const { collector } = collecting;
    expect(await collector.start()).toBe(false);
    hostile.restAttack = null;
    expect(collector.getHealthStatus().issues.join()).toMatch(said);
    expect(await collector.start()).toBe(true);
  });
});
