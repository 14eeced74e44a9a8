import type { Contender, Figures, Goal, Growth, Metric, Row } from './bench.ts';

/** Of the rounds. */
export interface Spread {
  readonly median: number;
  readonly min: number;
  readonly max: number;
}

export interface ContenderResult {
  readonly name: string;
  readonly role: Contender['role'];
  readonly figures: Readonly<Record<string, Spread>>;
  /** Why it has no figures. */
  readonly failure: string | null;
}

export interface GoalResult {
  readonly goal: string;
  /** The median of the rounds' ratios, or of the figure. Null: not measured. */
  readonly result: Spread | null;
  readonly met: boolean;
}

export interface RowResult {
  readonly what: string;
  readonly work: string;
  readonly rounds: number;
  readonly metrics: readonly Metric[];
  readonly contenders: readonly ContenderResult[];
  readonly goals: readonly GoalResult[];
  readonly growth?: Growth;
  /** The heaviest functions of ours, where a profile was taken; a file beside the results. */
  readonly profile: string | null;
}

/** Figures of one round by contender. */
type Round = ReadonlyMap<string, Figures>;

/** Every contender in turn, round after round; in every second round backwards, so that none is always first. */
export async function measure(row: Row, say: (line: string) => void): Promise<RowResult> {
  const startedAt = performance.now();
  const rounds: Round[] = [];
  const failures = new Map<string, string>();
  const spent = () => (performance.now() - startedAt) / 1_000;
  while (rounds.length < row.rounds && (rounds.length === 0 || spent() < row.boundSeconds)) {
    const round = new Map<string, Figures>();
    for (const contender of rounds.length % 2 === 0 ? row.contenders : row.contenders.toReversed()) {
      if (failures.has(contender.name)) continue;
      try {
        const figures = await contender.run({ profile: null });
        round.set(contender.name, figures);
        say(`${row.what}, round ${rounds.length + 1}, ${contender.name}: ${inWords(row.metrics, figures)}`);
      } catch (error) {
        failures.set(contender.name, error instanceof Error ? error.message : String(error));
        say(`${row.what}, ${contender.name} failed: ${failures.get(contender.name)}`);
      }
    }
    rounds.push(round);
  }
  const contenders = row.contenders.map(({ name, role }) => ({
    ...{ name, role, failure: failures.get(name)?.split('\n')[0] ?? null },
    figures: Object.fromEntries(
      row.metrics.flatMap((metric) => {
        const values = rounds.flatMap((round) => round.get(name)?.[metric.name] ?? []);
        return values.length === 0 ? [] : [[metric.name, spreadOf(values)]];
      }),
    ),
  }));
  const goals = row.goals.map((goal) => judge(goal, row, rounds));
  const { what, work, metrics, growth } = row;
  const told = { what, work, metrics, rounds: rounds.length, contenders, goals, profile: null };
  return growth ? { ...told, growth } : told;
}

const inWords = (metrics: readonly Metric[], figures: Figures): string =>
  metrics
    .flatMap(({ name, unit }) => {
      const value = figures[name];
      return value === undefined ? [] : [`${name} ${short(value)} ${unit}`];
    })
    .join(', ');

function judge(goal: Goal, row: Row, rounds: readonly Round[]): GoalResult {
  const metric = row.metrics.find(({ name }) => name === goal.metric);
  const ours = row.contenders.find(({ role }) => role === 'ours')?.name;
  if (!metric || ours === undefined) throw new Error(`The goal of ${row.what} names nothing that is measured`);
  if (!('against' in goal)) {
    const values = rounds.flatMap((round) => round.get(ours)?.[metric.name] ?? []);
    const [sign, wanted] = 'atMost' in goal ? ['<=', goal.atMost] : ['>=', goal.atLeast];
    const text = `${metric.name} ${sign} ${short(wanted)} ${metric.unit}`.trimEnd();
    return judged(text, values, (value) => (sign === '<=' ? value <= wanted : value >= wanted));
  }
  const others = row.contenders.filter(({ name, role }) =>
    goal.against === 'limit'
      ? role === 'limit'
      : goal.against === 'best peer'
        ? role === 'peer'
        : name === goal.against,
  );
  const ratios = rounds.flatMap((round) => {
    const own = round.get(ours)?.[metric.name];
    const found = others.flatMap(({ name }) => round.get(name)?.[metric.name] ?? []);
    if (own === undefined || found.length === 0) return [];
    return metric.better === 'more' ? own / Math.max(...found) : Math.min(...found) / own;
  });
  return judged(`${metric.name}: >= ${goal.atLeast} x ${goal.against}`, ratios, (value) => value >= goal.atLeast);
}

const judged = (goal: string, values: readonly number[], isMet: (value: number) => boolean): GoalResult => {
  const result = values.length === 0 ? null : spreadOf(values);
  return { goal, result, met: result !== null && isMet(result.median) };
};

function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const [low = Number.NaN, high = Number.NaN] = [sorted[Math.ceil(sorted.length / 2) - 1], sorted[middle]];
  return { median: kept((low + high) / 2), min: kept(sorted[0] ?? 0), max: kept(sorted.at(-1) ?? 0) };
}

/** Four digits say more than any run repeats. */
const kept = (value: number): number => Number(value.toPrecision(4));

export const short = (value: number): string =>
  Math.abs(value) >= 1_000 ? Math.round(value).toLocaleString('en-US') : String(Number(value.toPrecision(3)));
