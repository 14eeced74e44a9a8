import { Ground } from './ground.ts';
import { atLeast, greatest, inTime, quantile } from './result.ts';
import type { Scenario } from './scenario.ts';

/**
 * Where the server kills itself on demand, between two steps of which the first must not be lost without the second; and up to
 * how many times it passes there before it does so: places that are rarely passed would else not be reached.
 */
const CRASH_POINTS = [
  ['before-append', 60],
  ['after-fsync', 60],
  ['after-publish', 60],
  ['before-commit', 10],
  ['mid-ledger', 2],
  ['after-commit', 10],
] as const;
/** What is committed stays in the spool for half a minute, so this one takes its time; met by every fiftieth kill. */
const SLOW_POINT = ['before-discard', 1] as const;
const SLOW_EVERY = 50;

/** Longer than it takes to come past any of them. */
const NAMED_MS = 5_000;
const SLOW_MS = 45_000;

export interface Kill9Size {
  readonly kills: number;
  /** Trades per second of each of four symbols. */
  readonly rate: number;
}

/** The server is killed again and again, at its named crash points and at random moments, while two clients resume. */
export const kill9: Scenario<Kill9Size> = async (setting, protocol, { kills, rate }) => {
  const { random, say } = setting;
  await using ground = await Ground.open({ place: await setting.place(), seed: setting.seed, rate });
  const { server } = ground;
  await server.start();
  await ground.begun();
  ground.subscribe('everything');
  ground.subscribe('one side of two', { filter: { symbols: ['ETH-USDT', 'SOL-USDT'], side: 'BUY' } });
  await server.end('SIGKILL');

  const readyMs: number[] = [];
  const struck: Record<string, number> = {};
  for (let kill = 1; kill < kills; kill += 1) {
    const slow = kill % SLOW_EVERY === 0;
    const [point, most] = slow ? SLOW_POINT : (CRASH_POINTS[kill % CRASH_POINTS.length] ?? CRASH_POINTS[0]);
    const named = slow || kill % 8 !== 0;
    const ready = await server.start(named ? `${point}:${1 + Math.floor(random() * most)}` : null);
    if (ready !== null) readyMs.push(ready);
    const byItself = (await server.diesWithin(slow ? SLOW_MS : named ? NAMED_MS : 200 + random() * 1_300)) && named;
    if (!byItself) await server.end('SIGKILL');
    const where = byItself ? point : 'anywhere';
    struck[where] = (struck[where] ?? 0) + 1;
    if (kill % 10 === 0)
      say(`${kill} of ${kills} kills, ready again after ${quantile(readyMs, 0.5)} ms (half of them)`);
  }
  readyMs.push((await server.start()) ?? Number.POSITIVE_INFINITY);
  await ground.judge(protocol.findings);

  Object.assign(protocol.counts, struck, {
    kills,
    resumed: ground.subscribers.reduce((sum, { sessions }) => sum + sessions, 0),
  });
  Object.assign(protocol.figures, { readyP50Ms: quantile(readyMs, 0.5), readyMaxMs: greatest(readyMs) });
  const points = Object.keys(struck).filter((where) => where !== 'anywhere').length;
  const possible = CRASH_POINTS.length + (kills > SLOW_EVERY ? 1 : 0);
  protocol.goals.push(
    inTime('ready again, half of the times', quantile(readyMs, 0.5), 3_000),
    inTime('ready again, at the latest', greatest(readyMs), 10_000),
    atLeast('crash points at which it died', points, Math.min(possible, Math.floor((kills - 1) / 2))),
  );
};
