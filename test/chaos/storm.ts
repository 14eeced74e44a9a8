import { FaultProxy } from './fault-proxy.ts';
import { Ground } from './ground.ts';
import { atLeast } from './result.ts';
import type { Scenario } from './scenario.ts';
import { sleep } from './wait.ts';

export interface StormSize {
  readonly rounds: number;
  /** Of each of four symbols. */
  readonly rate: number;
  readonly servers: 1 | 2;
  /** Only these kinds of faults; all without it. */
  readonly only?: readonly string[];
}

/** Everything at once, as chance has it: servers, their database, the exchange and the subscribers break in every way there is. */
export const storm: Scenario<StormSize> = async (setting, protocol, { rounds, rate, servers: count, only }) => {
  const { cluster, random, say, seed } = setting;
  const place = await setting.place();
  if (cluster === null || place.url === null) throw new Error('This scenario kills a Postgres of its own');
  await using between = await FaultProxy.start({ target: () => ({ host: '127.0.0.1', port: cluster.port }) });
  await using ground = await Ground.open({
    place,
    seed,
    rate,
    servers: count,
    databaseUrl: between.through(place.url),
  });
  const { proxy, servers, simulator, subscribers } = ground;
  await Promise.all(servers.map((server) => server.start()));
  await ground.begun();
  for (const [i, server] of servers.entries()) {
    ground.subscribe(`everything ${i}`, { server });
    ground.subscribe(`two symbols ${i}`, { server, filter: { symbols: ['BTC-USDT', 'DOGE-USDT'] } });
  }
  const one = <T>(all: readonly T[]): T => all[Math.floor(random() * all.length)] as T;
  const forMs = async (most: number) => sleep(random() * most);

  const breaks: Readonly<Record<string, () => Promise<void>>> = {
    serverKilled: async () => {
      const server = one(servers);
      await server.end('SIGKILL');
      await forMs(1_000);
      await server.start();
    },
    serverStopped: async () => {
      const server = one(servers);
      process.kill(server.pid, 'SIGSTOP');
      await forMs(8_000);
      process.kill(server.pid, 'SIGCONT');
    },
    postgresKilled: async () => {
      await cluster.kill();
      between.cut();
      await forMs(3_000);
      await cluster.start();
    },
    postgresUnheard: async () => {
      between.set({ kind: 'drop' }, 'open');
      await forMs(8_000);
      between.set({ kind: 'pass' });
    },
    postgresFrozen: async () => {
      between.set({ kind: 'freeze' });
      await forMs(8_000);
      between.set({ kind: 'pass' });
    },
    postgresSlow: async () => {
      between.set({ kind: 'slow', latencyMs: 200 });
      await forMs(4_000);
      between.set({ kind: 'pass' });
    },
    exchangeCut: async () => void proxy.cut(one(['rst', 'fin'] as const)),
    exchangeUnheard: async () => {
      proxy.set({ kind: 'drop' }, 'open');
      await forMs(8_000);
      proxy.set({ kind: 'pass' });
    },
    exchangeGone: async () => {
      await proxy.door('refuse');
      proxy.cut();
      await forMs(4_000);
      await proxy.door('open');
    },
    exchangeCutMidFrame: async () => {
      proxy.cutAfter(1 + Math.floor(random() * 5_000), 'down', one(['rst', 'fin'] as const));
      await sleep(500);
    },
    gap: async () =>
      void simulator.faults.add({ kind: 'gap', symbol: 'ETH-USDT', trades: 1 + Math.floor(random() * 300) }),
    reordered: async () => void simulator.faults.add({ kind: 'reorder', count: 50, window: 10 }),
    repeated: async () => void simulator.faults.add({ kind: 'duplicate', count: 50 }),
    restLimited: async () => void simulator.faults.add({ kind: 'rest-limit', durationMs: 3_000 }),
    subscribersCut: async () => {
      for (const subscriber of subscribers) subscriber.cut();
    },
  };
  for (let round = 1; round <= rounds; round += 1) {
    const chosen = one(only ?? Object.keys(breaks));
    await breaks[chosen]?.();
    protocol.count(chosen);
    await forMs(1_500);
    if (round % 10 === 0) say(`${round} of ${rounds} rounds, the last one ${chosen}`);
  }
  simulator.faults.clear();
  await ground.judge(protocol.findings, 60_000);
  protocol.goals.push(
    atLeast(
      'kinds of faults that struck',
      Object.keys(protocol.counts).length,
      Math.min(only?.length ?? 10, Math.ceil(rounds / 6)),
    ),
  );
};
