import { Findings } from './findings.ts';
import { Ground } from './ground.ts';
import { judgeStored } from './oracle.ts';
import { atLeast, inTime } from './result.ts';
import type { Scenario } from './scenario.ts';
import { sleep } from './wait.ts';

export interface OutageSize {
  /** Trades per second of each of four symbols. */
  readonly rate: number;
  readonly outageMs: number;
}

/** The ledger never says anything else while it heals. */
const NEVER = [
  'MISSING',
  'DUPLICATE',
  'SPURIOUS',
  'CORRUPT',
  'FALSE_PROVEN',
  'OVERDECLARED',
  'UNCOVERED',
  'OVERLAP',
  'WRONG_COUNT',
] as const;

/** The exchange is out of reach, sockets and REST, and has its limits when it is back. */
export const outage: Scenario<OutageSize> = async (setting, protocol, { rate, outageMs }) => {
  const { seed, say } = setting;
  const place = await setting.place();
  await using ground = await Ground.open({ place, seed, rate, simulator: { enforceLimits: true } });
  const { proxy, server, simulator } = ground;
  await server.start();
  await ground.begun();
  ground.subscribe('everything');
  await sleep(2_000);

  await proxy.door('refuse');
  protocol.count('cut', proxy.cut('rst'));
  const gone = ground.expected();
  await sleep(outageMs);
  const { connections } = simulator.state().counters;
  await proxy.door('open');
  const openedAt = performance.now();
  while (simulator.state().counters.connections === connections && performance.now() - openedAt < 60_000)
    await sleep(10);
  const reconnectedAt = performance.now();
  say(`reconnected ${Math.round(reconnectedAt - openedAt)} ms after the exchange was back`);

  const missed = ground.expected();
  const made = missed.reduce((sum, { made }, i) => sum + made.last - (gone[i]?.window.last ?? 0), 0);
  const window = missed.map((each) => ({ ...each, window: { first: each.window.first, last: each.made.last } }));
  let [healedMs, declared, steps] = [Number.POSITIVE_INFINITY, 0, 0];
  while (performance.now() - reconnectedAt < Math.max(60_000, outageMs)) {
    steps += 1;
    const step = new Findings();
    // Compared with what was stored then: what is newer than the last stored one is on its way, not missing.
    const stored = await ground.stored();
    judgeStored(
      ground.expected().map((each) => {
        const newest = stored.stretches
          .filter(({ symbol }) => symbol === each.tape.instrument.symbol)
          .map(({ last }) => Number(last - each.tape.firstId));
        return {
          ...each,
          window: { first: each.window.first, last: Math.min(each.window.last, Math.max(-1, ...newest)) },
        };
      }),
      stored,
      step,
    );
    for (const finding of NEVER)
      protocol.findings.add(
        finding,
        `step ${steps}`,
        step.examples.find((example) => example.finding === finding)?.what ?? '',
        step.count(finding),
      );
    declared = Math.max(declared, step.count('DECLARED'));
    const whole = new Findings();
    judgeStored(window, stored, whole);
    if (whole.count('MISSING') + whole.count('DECLARED') === 0) {
      healedMs = performance.now() - reconnectedAt;
      break;
    }
    if (steps % 10 === 0) say(`${step.count('DECLARED')} of ${made} still missing, as the ledger says`);
    await sleep(500);
  }
  const fetched = (await ground.stored()).trades.filter((trade) => trade.fetched).length;
  await ground.judge(protocol.findings);

  Object.assign(protocol.counts, {
    tradesMissed: made,
    fetched,
    declared,
    steps,
    restRequests: simulator.state().counters.restRequests,
  });
  Object.assign(protocol.figures, {
    healedMs: Math.round(healedMs),
    reconnectMs: Math.round(reconnectedAt - openedAt),
  });
  protocol.goals.push(
    atLeast('sockets cut', protocol.counts.cut ?? 0, 1),
    atLeast('trades made during the outage', made, Math.floor((outageMs / 1_000) * rate * 4 * 0.9)),
    atLeast('trades fetched by REST', fetched, Math.floor(made / 2)),
    inTime('complete after reconnecting', Math.round(healedMs), 30_000),
  );
};
