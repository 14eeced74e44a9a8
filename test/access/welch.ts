import { performance } from 'node:perf_hooks';

/** Of what is left, the slowest: the machine did something else meanwhile. */
const LEFT_OUT = 0.1;

/**
 * Welch's t of the times a function takes for the one and for the other of two inputs, `calls` of them in all, in pairs whose order
 * is changed by chance. Far from 0: the times differ.
 */
export function welchOf<T>(run: (input: T) => unknown, [one, other]: readonly [T, T], calls: number): number {
  const times: readonly [number[], number[]] = [[], []];
  const time = (which: 0 | 1, input: T) => {
    const begun = performance.now();
    run(input);
    times[which].push(performance.now() - begun);
  };
  for (let warm = 0; warm < calls / 10; warm += 1) run(warm % 2 === 0 ? one : other);
  for (let pair = 0; pair < calls / 2; pair += 1)
    if (Math.random() < 0.5) {
      time(0, one);
      time(1, other);
    } else {
      time(1, other);
      time(0, one);
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
