import { startSimulator } from '../../src/simulator/simulator.ts';
import { Ground } from '../chaos/ground.ts';
import { atLeast, atMost, inTime } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { sleep, until } from '../chaos/wait.ts';
import { REST_BOMBS, SOCKET_BOMBS } from './bombs.ts';
import { HostileExchange } from './hostile-exchange.ts';
import { Probe } from './probe.ts';
import { residentMb } from './resident.ts';

export interface ExchangeSize {
  readonly rounds: number;
  /** Trades a second of each market of the other exchange. */
  readonly rate: number;
}

/** Of a bomb at most: a thousand times what is refused. */
const AMOUNT = 1_024;
/** A few frames and answers of the greatest length that is taken, until they are collected. */
const MORE_MEMORY_MB = 150;
const SYMBOL = 'BTC-USDT';
const REJECTIONS = '{ collectors { name rejections { reason count sample } } }';

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
    ...{ place: await setting.place(), seed, rate },
    beside: [
      { exchange: 'binance', connection, trading_pairs: [{ symbol: SYMBOL, data_types: ['trade', 'orderbook'] }] },
    ],
  });
  const { server } = ground;
  await server.start();
  await ground.begun();
  const [pid, memory] = [server.pid, residentMb(server.pid)];
  const onSockets = SOCKET_BOMBS.map(({ attack, ...bomb }) => ({ ...bomb, attack: attack(AMOUNT) }));
  const onRequests = REST_BOMBS.map(({ attack, ...bomb }) => ({ ...bomb, attack: attack(AMOUNT) }));
  await using probe = new Probe(`${server.url}/livez`);
  let greatest = memory;
  const told = new Set<string>();
  const listen = async (name: string, said: RegExp) => {
    const { data } = await server.ask(REJECTIONS);
    if (said.test(JSON.stringify(data) + server.output)) told.add(name);
    greatest = Math.max(greatest, residentMb(pid));
  };
  for (let round = 0; round < rounds; round += 1) {
    for (const { name, said, attack } of onSockets) {
      const over = Promise.withResolvers<void>();
      hostile.socketAttack = (...how) => attack(...how).then(over.resolve);
      hostile.cut();
      await over.promise;
      hostile.socketAttack = null;
      protocol.count('sockets attacked');
      await listen(name, said);
    }
    for (const { name, said, attack } of onRequests) {
      const before = hostile.attacks;
      hostile.restAttack = { path: '/api/v3/depth', attack };
      hostile.cut(); // the order book on the next socket begins with a request
      await until('a request is attacked', 60_000, () => hostile.attacks > before, 10);
      await sleep(500);
      hostile.restAttack = null;
      protocol.count('requests attacked');
      await listen(`answer: ${name}`, said);
    }
    say(`round ${round + 1} of ${rounds}`);
  }
  const times = await probe.end();
  const grown = Math.round(greatest - memory);
  Object.assign(protocol.figures, { answerMaxMs: Math.round(Math.max(...times)), grownMb: grown });
  protocol.goals.push(
    atMost('times the server ended', server.pid === pid && server.alive ? 0 : 1, 0),
    atLeast('attacks it told of, with the reason', told.size, SOCKET_BOMBS.length + REST_BOMBS.length),
    inTime('an answer beside them', Math.max(...times), 500),
    atMost('MB it has grown by at most', grown, MORE_MEMORY_MB),
  );
  await until('the exchange is collected again', 60_000, async () => {
    const { data } = await server.ask('{ collectors(state: [RUNNING]) { name } }');
    return JSON.stringify(data).includes('binance:');
  });
  await ground.judge(protocol.findings);
};
