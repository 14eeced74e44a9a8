import { Ground } from './ground.ts';
import { atLeast, greatest } from './result.ts';
import type { Scenario } from './scenario.ts';
import { sleep } from './wait.ts';

export interface DisconnectsSize {
  readonly disconnects: number;
  readonly kills: number;
  /** Of each of four symbols. */
  readonly rate: number;
  /** Writing to one database; two show that nothing falls between two writers. */
  readonly servers: 1 | 2;
}

/** Clients lose their connection, servers are killed; whoever comes back with its cursor has lost nothing and gets nothing twice. */
export const disconnects: Scenario<DisconnectsSize> = async (setting, protocol, size) => {
  const { random, say, seed } = setting;
  const place = await setting.place();
  await using ground = await Ground.open({ place, seed, rate: size.rate, servers: size.servers });
  await Promise.all(ground.servers.map((server) => server.start()));
  await ground.begun();
  for (const [i, server] of ground.servers.entries()) {
    ground.subscribe(`everything ${i}`, { server });
    ground.subscribe(`two symbols ${i}`, { server, filter: { symbols: ['BTC-USDT', 'DOGE-USDT'] } });
    ground.subscribe(`one side ${i}`, { server, filter: { side: 'SELL' } });
    ground.subscribe(`large ones ${i}`, { server, filter: { minSize: '0.1', symbols: ['ETH-USDT'] } });
    ground.subscribe(`events ${i}`, { server, kind: 'sse' });
    ground.subscribe(`events of one symbol ${i}`, { server, kind: 'sse', filter: { symbols: ['SOL-USDT'] } });
  }
  let [cut, killed] = [0, 0];
  const killEvery = Math.floor(size.disconnects / (size.kills + 1));
  const enough = () => cut >= size.disconnects && ground.subscribers.every(({ sessions }) => sessions > 1);
  for (let attempt = 0; !enough() && attempt < size.disconnects * 20; attempt += 1) {
    await sleep(random() * 120);
    const subscriber = ground.subscribers[attempt % ground.subscribers.length];
    if (!subscriber?.cut()) continue;
    cut += 1;
    if (cut % killEvery !== 0 || killed === size.kills) continue;
    const server = ground.servers[killed % ground.servers.length];
    await server?.end('SIGKILL');
    killed += 1;
    await server?.start();
    if (killed % 5 === 0) say(`${cut} of ${size.disconnects} disconnects, ${killed} of ${size.kills} kills`);
  }
  await ground.judge(protocol.findings);
  const sessions = ground.subscribers.map((subscriber) => subscriber.sessions);
  const errors = ground.subscribers.flatMap((subscriber) => subscriber.errors);
  for (const code of errors) protocol.count(`answered ${code}`);
  Object.assign(protocol.counts, {
    disconnects: cut,
    kills: killed,
    sessions: sessions.reduce((sum, times) => sum + times, 0),
    delivered: ground.subscribers.reduce((sum, { entries }) => sum + entries.length, 0),
  });
  Object.assign(protocol.figures, { mostSessionsOfOne: greatest(sessions) });
  protocol.goals.push(
    atLeast('subscribers disconnected', cut, size.disconnects),
    atLeast('servers killed', killed, size.kills),
    atLeast('sessions of the subscriber with the fewest', Math.min(...sessions), 2),
  );
};
