import { COUNTED, simulate } from '../simulation/simulate.ts';
import { atLeast, atMost } from './result.ts';
import type { Scenario } from './scenario.ts';

export interface SimulationSize {
  /** Each is a run of the pipeline under faults of its own. */
  readonly schedules: number;
}

/** The pipeline in virtual time: no sockets, no processes, so many schedules in a minute that rare meetings of faults happen. */
export const simulation: Scenario<SimulationSize> = async ({ random, say }, protocol, { schedules }) => {
  const first = Math.floor(random() * 1_000_000_000);
  const wrong: string[] = [];
  for (let seed = first; seed < first + schedules; seed += 1) {
    const outcome = await simulate(seed);
    if (outcome.wrong.length > 0) wrong.push(`schedule ${seed}: ${outcome.wrong.slice(0, 5).join('; ')}`);
    for (const [name, count] of Object.entries(outcome.counts)) protocol.count(name, count);
    if ((seed - first + 1) % 100 === 0) say(`${seed - first + 1} of ${schedules} schedules, ${wrong.length} wrong`);
  }
  for (const line of wrong.slice(0, 5)) say(line);
  protocol.figures.firstSchedule = first;
  protocol.goals.push(
    atMost('schedules with a loss nobody told of, a duplicate, a corrupt row or a false PROVEN', wrong.length, 0),
    ...COUNTED.map((name) => atLeast(`met: ${name}`, protocol.counts[name] ?? 0, 1)),
  );
};
