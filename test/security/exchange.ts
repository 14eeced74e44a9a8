import { startSimulator } from '../../src/simulator/simulator.ts';
import { Ground } from '../chaos/ground.ts';
import { atLeast, atMost, inTime } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { sleep, until } from '../chaos/wait.ts';
import { HARMLESS_FRAME, REST_BOMBS, SOCKET_BOMBS } from './bombs.ts';
import { HostileExchange, type RestAttack, type SocketAttack } from './hostile-exchange.ts';
import { Probe } from './probe.ts';
import { forgetPeak, peakMb } from './resident.ts';

export interface ExchangeSize {
  readonly rounds: number;
  /** Trades a second of each market of the other exchange. */
  readonly rate: number;
}

/** Of a bomb at most: a thousand times what is refused. */
const AMOUNT = 1_024;
const MB = 1024 * 1024;
/** More than the same traffic takes without a bomb in it. */
const MORE_MEMORY_MB = 10;
const COLLECTING = new URL('./collecting.ts', import.meta.url).href;
const SYMBOL = 'BTC-USDT';
const REJECTIONS = '{ collectors { name rejections { reason count sample } } }';

/** MB. */
interface Taken {
  readonly peak: number;
  readonly held: number;
}

interface Attack {
  readonly name: string;
  /** What the server says of the bomb. */
  readonly said: RegExp;
  readonly harmless: () => Promise<void>;
  readonly bomb: () => Promise<void>;
}

/** Each with the same traffic without harm in it. */
function attacksOf(hostile: HostileExchange): readonly Attack[] {
  const onSocket = (attack: SocketAttack) => async () => {
    const over = Promise.withResolvers<void>();
    hostile.socketAttack = (...how) => attack(...how).then(over.resolve);
    hostile.cut();
    await over.promise;
    hostile.socketAttack = null;
  };
  const onRequest = (attack: RestAttack) => async () => {
    const before = hostile.attacks;
    hostile.restAttack = { path: '/api/v3/depth', attack };
    hostile.cut(); // the order book on the next socket begins with a request
    await until('a request is attacked', 60_000, () => hostile.attacks > before, 10);
    await sleep(500);
    hostile.restAttack = null;
  };
  return [
    ...SOCKET_BOMBS.map(({ name, said, attack }) => ({
      ...{ name, said, bomb: onSocket(attack(AMOUNT)), harmless: onSocket(HARMLESS_FRAME) },
    })),
    ...REST_BOMBS.map(({ name, said, attack, harmless }) => ({
      ...{ name: `answer: ${name}`, said, bomb: onRequest(attack(AMOUNT)), harmless: onRequest(harmless) },
    })),
  ];
}

/** Between a server and one of its two exchanges sits somebody who sends what no exchange sends. */
export const exchange: Scenario<ExchangeSize> = async (setting, protocol, { rounds, rate }) => {
  const { seed, say } = setting;
  await using simulator = await startSimulator({ exchange: 'binance', symbols: [SYMBOL], rate: 20, seed });
  await using hostile = await HostileExchange.start({ upstream: simulator });
  const connection = {
    ...hostile.connectionThrough(simulator.connection),
    ...{ max_reconnect_attempts: 1_000_000, reconnect_delay: 0.2 },
  };
  await using ground = await Ground.open({
    ...{ place: await setting.place(), seed, rate, env: { NODE_OPTIONS: `--expose-gc --import=${COLLECTING}` } },
    beside: [
      { exchange: 'binance', connection, trading_pairs: [{ symbol: SYMBOL, data_types: ['trade', 'orderbook'] }] },
    ],
  });
  const { server } = ground;
  const attacks = attacksOf(hostile);
  await server.start();
  await ground.begun();
  const { pid } = server;
  const times: number[] = [];
  const told = new Set<string>();
  /** MB it holds when all that nobody needs is gone. */
  const held = async () => (await server.tell<{ heldBytes: number }>({ collect: true })).heldBytes / MB;
  const play = async (kind: 'harmless' | 'bomb'): Promise<Taken> => {
    let peak = 0;
    for (let round = 1; round <= rounds; round += 1) {
      for (const { name, said, [kind]: attack } of attacks) {
        await held(); // or what nobody has collected yet would be taken for growth
        forgetPeak(pid);
        await using probe = new Probe(`${server.url}/livez`); // after that, which takes its time
        await attack();
        if (kind === 'bomb') times.push(...(await probe.end()));
        const { data } = await server.ask(REJECTIONS);
        peak = Math.max(peak, peakMb(pid));
        if (kind === 'bomb' && said.test(JSON.stringify(data) + server.output)) told.add(name);
      }
      say(`${kind}: round ${round} of ${rounds}`);
    }
    return { peak, held: await held() };
  };
  await play('harmless'); // buffers are full and code is compiled after it
  const harmless = await play('harmless');
  const bombed = await play('bomb');
  const [peakMore, heldMore] = [Math.round(bombed.peak - harmless.peak), Math.round(bombed.held - harmless.held)];
  protocol.count('sockets and requests met', hostile.attacks);
  Object.assign(protocol.figures, {
    answerMaxMs: Math.round(Math.max(...times)),
    ...{ harmlessPeakMb: Math.round(harmless.peak), peakMoreMb: peakMore, heldMoreMb: heldMore },
  });
  protocol.goals.push(
    atMost('times the server ended', server.pid === pid && server.alive ? 0 : 1, 0),
    atLeast('attacks it told of, with the reason', told.size, attacks.length),
    inTime('an answer beside them', Math.max(...times), 500),
    atMost('MB it takes at its peak, more than of harmless traffic', peakMore, MORE_MEMORY_MB),
    atMost('MB it holds afterwards, more than after harmless traffic', heldMore, MORE_MEMORY_MB),
  );
  await until('the exchange is collected again', 60_000, async () => {
    const { data } = await server.ask('{ collectors(state: [RUNNING]) { name } }');
    return JSON.stringify(data).includes('binance:');
  });
  await ground.judge(protocol.findings);
};
