import { performance } from 'node:perf_hooks';

/** Of what is left, the slowest: the machine did something else meanwhile. */
const LEFT_OUT = 0.1;

/**
 * Welch's t of the times a function takes for inputs of the one and of the other kind, `calls` of them in all, in pairs whose order
 * is changed by chance. Far from 0: the times differ. Many inputs of a kind, each in turn, as where one lies in memory makes a difference, too.
 */
export function welchOf<T>(
  run: (input: T) => unknown,
  kinds: readonly [readonly T[], readonly T[]],
  calls: number,
): number {
  const times: readonly [number[], number[]] = [[], []];
  const time = (which: 0 | 1, pair: number) => {
    const input = kinds[which][pair % kinds[which].length] as T;
    const begun = performance.now();
    run(input);
    times[which].push(performance.now() - begun);
  };
  for (let warm = 0; warm < calls / 20; warm += 1) for (const inputs of kinds) run(inputs[warm % inputs.length] as T);
  for (let pair = 0; pair < calls / 2; pair += 1) {
    const first = Math.random() < 0.5 ? 0 : 1;
    time(first, pair);
    time(first === 0 ? 1 : 0, pair);
  }
  const limit = times.flat().toSorted((a, b) => a - b)[Math.floor(calls * (1 - LEFT_OUT))] ?? 0;
  const [a, b] = times.map((all) => momentsOf(all.filter((each) => each <= limit)));
  if (!a || !b) return 0;
  return (a.mean - b.mean) / Math.sqrt(a.variance / a.count + b.variance / b.count);
}

function momentsOf(values: readonly number[]) {
  const count = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / count;
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  return { count, mean, variance };
}
