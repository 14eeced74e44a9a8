import { Ground } from '../chaos/ground.ts';
import { atLeast, atMost, greatest, inTime, quantile } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { until } from '../chaos/wait.ts';
import {
  bombsByPost,
  bombsBySocket,
  deafSubscribers,
  largeBody,
  silentSockets,
  slowHeaders,
  subscribeFlood,
} from './attacks.ts';
import { Probe } from './probe.ts';
import { QUERY_BOMBS } from './query-bombs.ts';
import { residentMb } from './resident.ts';

export interface ClientsSize {
  /** Trades a second of each of four markets. */
  readonly rate: number;
  readonly subscribes: number;
  readonly silent: number;
  readonly slow: number;
  readonly deaf: number;
  readonly deafMs: number;
}

/** Longer than any goal. */
const PATIENCE_MS = 60_000;
/** They have three seconds, and are closed one after the other. */
const SILENT_GOAL_MS = 5_000;
const BOMB_GOAL_MS = 50;
const BODY_BYTES = 24_000_000;

/** Clients that want to stop others from being served: each is refused, or survived, while one that behaves gets its answers. */
export const clients: Scenario<ClientsSize> = async (setting, protocol, size) => {
  await using ground = await Ground.open({ place: await setting.place(), seed: setting.seed, rate: size.rate });
  const { server } = ground;
  await server.start();
  await ground.begun();
  ground.subscribe('who behaves');
  /** What it gives, and what it costs others: how long answers took, ms, and memory, MB. */
  const costOf = async <T>(what: string, attack: () => Promise<T>) => {
    const memory = residentMb(server.pid);
    await using probe = new Probe(`${server.url}/livez`);
    const result = await attack();
    const times = await probe.end();
    const cost = {
      p99: quantile(times, 0.99),
      most: greatest(times),
      grown: Math.round(residentMb(server.pid) - memory),
    };
    protocol.figures[`${what}: answer max ms`] = cost.most;
    protocol.figures[`${what}: MB more`] = cost.grown;
    setting.say(`${what}: an answer took ${cost.most} ms at most (p99 ${cost.p99}), ${cost.grown} MB more`);
    return { result, ...cost };
  };
  const flood = await costOf('subscribes', () => subscribeFlood(server.url, size.subscribes));
  const silence = await costOf('silent sockets', () => silentSockets(server.url, size.silent));
  const slow = await costOf('slow headers', () => slowHeaders(server.url, size.slow));
  const large = await costOf('a body of 24 MB', () => largeBody(server.url, BODY_BYTES));
  const bombs = await costOf('bombs by POST', () => bombsByPost(server.url));
  const socketBombs = await costOf('bombs by WebSocket', () => bombsBySocket(server.url));
  const slowest = greatest([...bombs.result.times, ...socketBombs.result.times]);
  protocol.figures['slowest refusal of a bomb ms'] = slowest;
  const deafness = await costOf('deaf subscribers', () => deafSubscribers(server.url, size.deaf, size.deafMs));
  await until('it answers afterwards', PATIENCE_MS, async () => (await fetch(`${server.url}/readyz`)).status === 200);
  Object.assign(protocol.counts, { ...size, closedWith: flood.result });
  protocol.goals.push(
    atLeast('code of its own for too many subscribes', flood.result, 4_000),
    atMost('MB more by subscribes', flood.grown, 60),
    inTime('an answer beside subscribes', flood.most, 250),
    atLeast(
      'silent sockets closed with 4408',
      silence.result.codes.filter((code) => code === 4408).length,
      size.silent,
    ),
    inTime('all silent sockets closed', silence.result.ms, SILENT_GOAL_MS),
    inTime('an answer beside silent sockets', silence.most, 500),
    atLeast('slow headers cut off', slow.result, size.slow),
    inTime('an answer beside slow headers, p99', slow.p99, 100),
    atMost('body of 24 MB that was taken', large.result === 413 ? 0 : 1, 0),
    inTime('an answer beside it', large.most, 500),
    atLeast('bombs refused', bombs.result.refused + socketBombs.result.refused, 2 * QUERY_BOMBS.length),
    inTime('each refusal of a bomb', slowest, BOMB_GOAL_MS),
    inTime('an answer beside bombs', Math.max(bombs.most, socketBombs.most), BOMB_GOAL_MS),
    atMost('MB more by deaf subscribers', deafness.grown, 100 + size.deaf),
    inTime('an answer beside deaf subscribers, p99', deafness.p99, 100),
  );
  await ground.judge(protocol.findings);
};
