import { DataType } from '../../src/market/data-type.ts';
import { Ground, SYMBOLS } from '../chaos/ground.ts';
import { atLeast, atMost, inTime } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { until } from '../chaos/wait.ts';
import { SAMPLES } from '../exchanges/samples.ts';
import { mutated } from './mutations.ts';
import { Probe } from './probe.ts';
import { residentMb } from './resident.ts';

export interface FramesSize {
  readonly frames: number;
  /** Trades a second of each market. */
  readonly rate: number;
}

interface Rejection {
  readonly reason: string;
  readonly count: number;
}

/** What the frames that are hurt are about; what it stores is not judged, as nobody can tell a lie that is well-formed. */
const HURT = 'DOGE-USDT';
const OTHERS = SYMBOLS.filter((symbol) => symbol !== HURT);
/** Faults wait in a list that is gone through for each frame. */
const AT_ONCE = 200;
/** As long and as deep as any exchange's frame could be, and not what a server grows by. */
const MORE_MEMORY_MB = 150;
/** The part of the frames after which buffers are full and code is compiled; what is lost for each frame grows on. */
const WARM = 1 / 3;

/** Frames that no documentation promises come between good ones, on the same socket. */
export const frames: Scenario<FramesSize> = async (setting, protocol, { frames: count, rate }) => {
  const { seed, random, say } = setting;
  await using ground = await Ground.open({
    ...{ place: await setting.place(), seed, rate, judged: OTHERS },
    pairs: { [HURT]: { data_types: ['trade', 'ticker', 'orderbook'] } },
  });
  const { server, simulator } = ground;
  await server.start();
  await ground.begun();
  const { pid } = server;
  let warmMb = 0;
  const bases = SAMPLES.okx.frames
    .filter(({ dataType }) => dataType !== DataType.BALANCE)
    .map(({ frame }) => frame.replaceAll('BTC-USDT', HURT).replace('"trades"', '"trades-all"'));
  await using probe = new Probe(`${server.url}/livez`);
  let sent = 0;
  while (sent < count) {
    for (let left = AT_ONCE; left > 0 && sent < count; left -= 1, sent += 1) {
      const base = bases[sent % bases.length] ?? '';
      simulator.faults.add({ kind: 'garbage', symbol: HURT, text: mutated(base, random), count: 1 });
    }
    await until('the frames are sent', 60_000, () => simulator.faults.active.length === 0, 10);
    if (warmMb === 0 && sent >= count * WARM) warmMb = residentMb(pid);
    if (sent % 2_000 < AT_ONCE) say(`${sent} of ${count} frames`);
  }
  const { data } = await server.ask('{ collectors { rejections { reason count } } }');
  const collectors = (data?.collectors ?? []) as readonly { rejections: readonly Rejection[] }[];
  for (const { reason, count: times } of collectors.flatMap(({ rejections }) => rejections))
    protocol.count(reason, times);
  const refused = Object.values(protocol.counts).reduce((sum, times) => sum + times, 0);
  const times = await probe.end();
  const grown = residentMb(server.pid) - warmMb;
  Object.assign(protocol.counts, { frames: sent, refused, connections: simulator.state().counters.connections });
  Object.assign(protocol.figures, { answerMaxMs: Math.round(Math.max(...times)), grownMb: Math.round(grown) });
  protocol.goals.push(
    atMost('times the server ended', server.pid === pid && server.alive ? 0 : 1, 0),
    atLeast('frames refused with a reason', refused, Math.floor(count / 3)),
    inTime('an answer beside them', Math.max(...times), 500),
    atMost('MB it has grown by since it was warm', Math.round(grown), MORE_MEMORY_MB),
  );
  await ground.judge(protocol.findings);
};
