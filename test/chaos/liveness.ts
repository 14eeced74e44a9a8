import type { Fault } from '../../src/simulator/fault.ts';
import { Ground, SYMBOLS } from './ground.ts';
import { atLeast, atMost, greatest, inTime, quantile } from './result.ts';
import type { Scenario } from './scenario.ts';
import type { Subscriber } from './subscriber.ts';
import { sleep, until, within } from './wait.ts';

export interface LivenessSize {
  readonly repetitions: number;
  readonly rate: number;
  /** Of a market in which hardly anything happens. */
  readonly quietMs: number;
  /** Only these; all without it. */
  readonly only?: readonly string[];
}

/** Longer than any goal; what takes so long is not coming. */
const GIVE_UP_MS = 45_000;
/** Of good data between two faults, so that each meets a healthy connection. */
const REST_MS = 2_000;

/** What breaks, and within how many ms there must be live data again. */
const BREAKS = {
  reset: { goalMs: 5_000, of: SYMBOLS, strike: async ({ proxy }: Ground) => void proxy.cut('rst') },
  closed: { goalMs: 5_000, of: SYMBOLS, strike: async ({ proxy }: Ground) => void proxy.cut('fin') },
  halfOpen: { goalMs: 15_000, of: SYMBOLS, strike: async ({ proxy }: Ground) => proxy.set({ kind: 'drop' }, 'open') },
  muteOne: {
    goalMs: 11_000,
    of: ['ETH-USDT'],
    strike: (ground: Ground) => muteUntilAsked(ground, { kind: 'mute', symbol: 'ETH-USDT' }),
  },
  ackThenMute: {
    goalMs: 11_000,
    of: SYMBOLS,
    strike: async (ground: Ground) => {
      const { simulator, proxy } = ground;
      const id = simulator.faults.add({ kind: 'mute' });
      const before = simulator.state().counters.connections;
      proxy.cut('rst');
      await until('a new connection', GIVE_UP_MS, () => simulator.state().counters.connections > before, 5);
      await until(
        'subscribed',
        GIVE_UP_MS,
        () => simulator.state().sockets.some(({ subscriptions }) => subscriptions.length > 0),
        5,
      );
      await endWhenAsked(ground, id);
    },
  },
} as const;

/** Connections break in the ways that are seen, and in those that are not. */
export const liveness: Scenario<LivenessSize> = async (setting, protocol, { repetitions, rate, quietMs, only }) => {
  const { say, seed } = setting;
  {
    await using ground = await Ground.open({ place: await setting.place(), seed, rate });
    await ground.server.start();
    await ground.begun();
    const live = ground.subscribe('everything');
    await until('first delivery', 10_000, () => live.entries.length > 0);
    const breaks = Object.entries(BREAKS).filter(([name]) => only?.includes(name) ?? true);
    for (const [name, { goalMs, of, strike }] of breaks) {
      const tookMs: number[] = [];
      for (let time = 0; time < repetitions; time += 1) {
        await sleep(REST_MS);
        const startedAt = performance.now();
        await strike(ground);
        tookMs.push(await dataAgain(live, of, startedAt));
        ground.proxy.set({ kind: 'pass' });
        ground.simulator.faults.clear();
        protocol.count(name);
      }
      say(`${name}: data again after ${quantile(tookMs, 0.5)} ms, at most ${greatest(tookMs)} ms`);
      Object.assign(protocol.figures, { [`${name}P50Ms`]: quantile(tookMs, 0.5), [`${name}MaxMs`]: greatest(tookMs) });
      protocol.goals.push(inTime(`${name}: live data again`, greatest(tookMs), goalMs));
    }
    const { cut, bytesDropped } = ground.proxy.counts;
    Object.assign(protocol.counts, { cut, bytesDropped });
    protocol.goals.push(atLeast('connections cut', cut, 1));
    if (only === undefined) protocol.goals.push(atLeast('bytes dropped', bytesDropped, 1));
    await ground.judge(protocol.findings);
  }
  await quiet(setting, protocol, quietMs);
};

/** A market in which nothing happens is no reason to do anything. */
const quiet = async (...[setting, protocol, quietMs]: [...Parameters<Scenario<number>>]): Promise<void> => {
  const { seed, say } = setting;
  const rates = { 'BTC-USDT': 0.05, 'ETH-USDT': 0.01, 'SOL-USDT': 0.01, 'DOGE-USDT': 0 };
  await using ground = await Ground.open({ place: await setting.place(), seed, rate: 0.01, simulator: { rates } });
  const { server, simulator } = ground;
  await server.start();
  const before = simulator.state().counters.connections;
  const asked = requests(ground);
  say(`quiet for ${quietMs} ms`);
  await sleep(quietMs);
  const { data } = await server.ask('{ collectors { name state statistics { restarts } } }');
  const collectors = (data?.collectors ?? []) as readonly { state: string; statistics: { restarts: number } }[];
  protocol.counts.quietMs = quietMs;
  protocol.goals.push(
    atMost(
      'restarts while the market was quiet',
      collectors.reduce((sum, { statistics }) => sum + statistics.restarts, 0),
      0,
    ),
    atMost('connections made while the market was quiet', simulator.state().counters.connections - before, 0),
    atMost('subscriptions made while the market was quiet', requests(ground) - asked, 0),
    atLeast(
      'collectors running after it',
      collectors.filter(({ state }) => state === 'RUNNING').length,
      SYMBOLS.length,
    ),
  );
};

/** After how many ms there was a live trade again of every one of these symbols. */
async function dataAgain(live: Subscriber, symbols: readonly string[], since: number): Promise<number> {
  const seen = live.entries.length;
  const first = new Map<string, number>();
  await within(
    GIVE_UP_MS,
    () => {
      for (const { symbol, provenance, at } of live.entries.slice(seen))
        if (provenance === 'LIVE' && !first.has(symbol)) first.set(symbol, at);
      return symbols.every((symbol) => first.has(symbol));
    },
    10,
  );
  return Math.max(...symbols.map((symbol) => (first.get(symbol) ?? since + GIVE_UP_MS) - since));
}

const requests = ({ simulator }: Ground): number =>
  simulator.state().sockets.reduce((sum, socket) => sum + socket.requests, 0);

async function muteUntilAsked(ground: Ground, fault: Fault): Promise<void> {
  await endWhenAsked(ground, ground.simulator.faults.add(fault));
}

/** As with the real ones, whose forgotten subscriptions come back when somebody subscribes again: on this socket or on another. */
async function endWhenAsked(ground: Ground, fault: number): Promise<void> {
  const { simulator } = ground;
  const [asked, connections] = [requests(ground), simulator.state().counters.connections];
  await within(GIVE_UP_MS, () => requests(ground) > asked || simulator.state().counters.connections > connections, 5);
  simulator.faults.clear(fault);
}
