import { Ground, SYMBOLS } from './ground.ts';
import { atLeast, atMost, greatest, quantile } from './result.ts';
import type { Scenario } from './scenario.ts';
import { sleep } from './wait.ts';

export interface RestartOneSize {
  readonly restarts: number;
  readonly rate: number;
}

const RESTARTED = 'BTC-USDT';
const RESTART = `mutation { restartCollector(input: { name: "okx:${RESTARTED}" }) { collector { state } userErrors { code } } }`;

/** One collector is restarted again and again under load; its neighbours on the same socket must not notice. */
export const restartOne: Scenario<RestartOneSize> = async (setting, protocol, { restarts, rate }) => {
  const { seed, say, random } = setting;
  const place = await setting.place();
  await using ground = await Ground.open({ place, seed, rate });
  const { server, simulator } = ground;
  await server.start();
  await ground.begun();
  ground.subscribe('everything');
  const tookMs: number[] = [];
  let failed = 0;
  for (let restart = 1; restart <= restarts; restart += 1) {
    const askedAt = performance.now();
    const { data } = await server.ask(RESTART);
    tookMs.push(performance.now() - askedAt);
    const answer = data?.restartCollector as { readonly collector: { readonly state: string } | null } | undefined;
    if (answer?.collector?.state !== 'RUNNING') failed += 1;
    await sleep(random() * 300);
    if (restart % 25 === 0) say(`${restart} of ${restarts} restarts, ${quantile(tookMs, 0.5)} ms each`);
  }
  const { connections } = simulator.state().counters;
  await ground.judge(protocol.findings);
  const { stretches, trades } = await ground.stored();
  const neighbours = SYMBOLS.filter((symbol) => symbol !== RESTARTED);
  const whole = neighbours.filter((symbol) => {
    const own = stretches.filter((stretch) => stretch.symbol === symbol);
    return own.length === 1 && own[0]?.status === 'PROVEN';
  });
  const gaps = stretches.filter(({ symbol, status }) => symbol === RESTARTED && status !== 'PROVEN').length;
  Object.assign(protocol.counts, { restarts, connections, trades: trades.length, healedGaps: gaps });
  Object.assign(protocol.figures, { restartP50Ms: quantile(tookMs, 0.5), restartMaxMs: greatest(tookMs) });
  protocol.goals.push(
    atMost('restarts that failed', failed, 0),
    atLeast('gaps of the restarted one', gaps, Math.floor(restarts / 25)),
    atLeast('neighbours with one unbroken PROVEN stretch', whole.length, neighbours.length),
    atMost('connections to the exchange', connections, 1),
  );
};
