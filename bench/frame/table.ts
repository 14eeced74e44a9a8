import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import type { Metric } from './bench.ts';
import { type ContenderResult, type RowResult, type Spread, short } from './measure.ts';
import { type BenchResult, readResult } from './results.ts';

const README = new URL('../README.md', import.meta.url);
const [BEGIN, END] = ['<!-- results: written by npm run bench -->', '<!-- end of results -->'];

/** Writes what is known of the benchmarks, in their order, between the markers of the README. */
export function writeTable(names: readonly string[]): void {
  const text = readFileSync(README, 'utf8');
  const [before, rest = ''] = text.split(BEGIN);
  const after = rest.split(END)[1] ?? '\n';
  const results = names.flatMap((name) => readResult(name) ?? []);
  const body = [summary(results), ...results.map(section)].join('\n');
  writeFileSync(README, `${before}${BEGIN}\n\n${body}\n${END}${after}`);
}

function summary(results: readonly BenchResult[]): string {
  const lines = results.flatMap(({ bench, rows }) =>
    rows.flatMap(({ what, goals }) =>
      goals.map(
        ({ goal, result, met }) => `| ${bench} | ${what} | ${goal} | ${spread(result)} | ${met ? 'yes' : '**no**'} |`,
      ),
    ),
  );
  const missed = results.flatMap(missedOf);
  return [
    '| benchmark | row | goal | result (least – most) | reached |\n|---|---|---|---|---|',
    ...lines,
    '',
    missed.length === 0
      ? 'Every goal is reached.'
      : `Goals that are missed, and where the time goes:\n\n${missed.join('\n')}`,
    '',
  ].join('\n');
}

function missedOf({ bench, rows }: BenchResult): readonly string[] {
  const missed = rows.filter(({ goals }) => goals.some(({ met }) => !met));
  if (missed.length === 0) return [];
  const profile = missed.find((row) => row.profile !== null)?.profile;
  const cause = existsSync(new URL(`../causes/${bench}.md`, import.meta.url));
  const where = [
    ...(cause ? [`[causes](causes/${bench}.md)`] : []),
    ...(profile ? [`[profile](results/${profile})`] : []),
    ...(cause || profile ? [] : [`\`npm run bench -- ${bench} --profile\` shows it`]),
  ];
  return [`- ${bench}: ${missed.map(({ what }) => what).join('; ')}: ${where.join(', ')}`];
}

function section({ bench, title, date, commit, machine, node, command, load, rows }: BenchResult): string {
  return [
    `### ${bench}\n`,
    `${title}\n`,
    `\`${command}\`, ${date}, commit ${commit}, ${machine}, Node ${node}, load ${load.join(' to ')}. Medians of the rounds (least – most).\n`,
    ...rows.map(rowTable),
    ...growthTables(rows),
  ].join('\n');
}

/** How the first metric of ours and of the limit changes with the size; where three or more sizes of one kind were measured. */
function growthTables(rows: readonly RowResult[]): readonly string[] {
  const kinds = Map.groupBy(rows, ({ growth }) => growth?.by ?? null);
  return [...kinds].flatMap(([by, sizes]) => (by === null || sizes.length < 3 ? [] : [growthTable(by, sizes)]));
}

function growthTable(by: string, rows: readonly RowResult[]): string {
  const sorted = rows.toSorted((a, b) => (a.growth?.size ?? 0) - (b.growth?.size ?? 0));
  const metric = rows[0]?.metrics[0];
  if (!metric) return '';
  const roles = (['ours', 'limit'] as const).filter((role) => sorted.some((row) => cost(row, role) !== null));
  const head = [by, ...roles, 'ours, times the first'];
  const first = sorted[0] ? cost(sorted[0], 'ours') : null;
  const lines = sorted.map((row) => {
    const own = cost(row, 'ours');
    const times = own && first ? short(own.median / first.median) : '';
    return [(row.growth?.size ?? 0).toLocaleString('en-US'), ...roles.map((role) => spread(cost(row, role))), times];
  });
  return [
    `**Growth by ${by}**: ${metric.name}${metric.unit ? `, ${metric.unit}` : ''}.\n`,
    ...[head, head.map(() => '---'), ...lines].map((cells) => `| ${cells.join(' | ')} |`),
    '',
  ].join('\n');
}

function cost({ contenders, metrics }: RowResult, wanted: ContenderResult['role']): Spread | null {
  const name = metrics[0]?.name ?? '';
  return contenders.find(({ role }) => role === wanted)?.figures[name] ?? null;
}

function rowTable({ what, work, rounds, metrics, contenders }: RowResult): string {
  const head = ['', ...metrics.map(({ name, unit }) => `${name}${unit ? `, ${unit}` : ''}`)];
  return [
    `**${what}**: ${work}; ${rounds} ${rounds === 1 ? 'round' : 'rounds'}.\n`,
    `| ${head.join(' | ')} |`,
    `|${head.map(() => '---').join('|')}|`,
    ...contenders.map((one) => `| ${cells(one, metrics).join(' | ')} |`),
    '',
  ].join('\n');
}

const cells = ({ name, role, figures, failure }: ContenderResult, metrics: readonly Metric[]): readonly string[] => [
  `${role === 'peer' ? name : `**${role}**: ${name}`}${failure ? ` (${failure.slice(0, 80)})` : ''}`,
  ...metrics.map((metric) => spread(figures[metric.name] ?? null)),
];

const spread = (value: Spread | null): string =>
  value === null ? '' : `${short(value.median)} (${short(value.min)} – ${short(value.max)})`;
