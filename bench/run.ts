/**
 * `npm run bench`: every benchmark of the table, in its order; it is written anew. `npm run bench -- NAME`: one of them.
 *
 * `npm run bench -- table` only writes the table, of the results that are there.
 *
 * `npm run bench -- --help` tells of the rest.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { Bench, Row } from './frame/bench.ts';
import { measure, type RowResult, short } from './frame/measure.ts';
import { heaviest } from './frame/profile.ts';
import { loadNow, profileFile, surroundings, writeResult } from './frame/results.ts';
import { writeTable } from './frame/table.ts';

/** In the order of the table. */
const BENCHES: Readonly<Record<string, () => Promise<Bench>>> = {
  ingest: async () => (await import('./ingest/ingest.ts')).ingest,
  store: async () => (await import('./store/store.ts')).store,
  'fan-out': async () => (await import('./fan-out/fan-out.ts')).fanOut,
  'end-to-end': async () => (await import('./end-to-end/end-to-end.ts')).endToEnd,
  history: async () => (await import('./history/history.ts')).history,
  export: async () => (await import('./export/export.ts')).exporting,
  memory: async () => (await import('./memory/memory.ts')).memory,
  start: async () => (await import('./start/start.ts')).start,
};

/** Only when it is asked for, as it takes 40 minutes; in the table all the same. */
const LONG: typeof BENCHES = {
  soak: async () => (await import('./memory/soak.ts')).soak,
};
const KNOWN = { ...BENCHES, ...LONG };

/** With an output and an end of their own. */
const OTHERS: Readonly<Record<string, () => Promise<unknown>>> = {
  ccxt: () => import('./ccxt-against-simulator.ts'),
  table: async () => writeTable(Object.keys(KNOWN)),
};

const SCRATCH = fileURLToPath(new URL('../.cache/bench/', import.meta.url));

interface Options {
  readonly rounds: number | null;
  readonly profile: boolean;
  readonly tiny: boolean;
}

async function runBench(bench: Bench, options: Options, command: string): Promise<readonly RowResult[]> {
  const before = loadNow();
  const around = surroundings();
  const rows: RowResult[] = [];
  const profiles: string[] = [];
  for (const row of bench.rows(options.tiny ? 'tiny' : 'real')) {
    const result = await measure({ ...row, rounds: options.rounds ?? row.rounds }, console.log);
    const missed = result.goals.some(({ met }) => !met);
    if (options.profile && missed) profiles.push(`${row.what}\n\n${await profileOf(bench, row)}`);
    const profile = options.profile && missed ? basename(profileFile(bench.name).pathname) : null;
    rows.push({ ...result, profile });
    for (const { goal, result: found, met } of result.goals)
      console.log(
        `  ${met ? 'reached' : 'MISSED '}  ${row.what}: ${goal}: ${found ? short(found.median) : 'not measured'}`,
      );
    if (options.tiny) continue;
    if (profiles.length > 0) writeFileSync(profileFile(bench.name), profiles.join('\n\n'));
    const { name, title } = bench;
    writeResult({ bench: name, title, command, ...around, load: [before, loadNow()], rows });
  }
  return rows;
}

async function profileOf(bench: Bench, row: Row): Promise<string> {
  const directory = `${SCRATCH}${bench.name}-${row.what.replaceAll(/\W+/g, '-')}`;
  rmSync(directory, { recursive: true, force: true });
  mkdirSync(directory, { recursive: true });
  await row.contenders.find(({ role }) => role === 'ours')?.run({ profile: directory });
  return heaviest(directory);
}

const args = process.argv.slice(2);
const USAGE = `Usage: npm run bench -- [NAME] [--rounds N] [--profile] [--tiny]

  NAME       ${[...Object.keys(KNOWN), ...Object.keys(OTHERS)].join(', ')}; without one,
             all but ${[...Object.keys(LONG), ...Object.keys(OTHERS)].join(', ')}
  --rounds   instead of each row's own number
  --profile  after measuring, one more turn of ours under a profiler, for every row that misses a goal
  --tiny     seconds in all, to see that everything runs; nothing is written`;

/** Of the command line; ends the process for one nobody understands, before anything is measured. */
function readArguments() {
  const options = {
    rounds: { type: 'string' },
    profile: { type: 'boolean' },
    tiny: { type: 'boolean' },
    help: { type: 'boolean' },
  } as const;
  try {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [name, second] = positionals;
    const unknown = second ?? (name === undefined || Object.hasOwn({ ...KNOWN, ...OTHERS }, name) ? undefined : name);
    if (unknown !== undefined) throw new Error(`There is no "${unknown}" here`);
    if (values.rounds !== undefined && !/^[1-9]\d*$/.test(values.rounds)) throw new Error('--rounds takes a number');
    return { name, values };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

const { name, values } = readArguments();
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}
const other = name === undefined ? undefined : OTHERS[name];
if (other) await other();
else {
  const { rounds, profile = false, tiny = false } = values;
  const options: Options = { rounds: rounds === undefined ? null : Number(rounds), profile, tiny };
  const command = ['npm run bench', ...(args.length > 0 ? ['--', ...args] : [])].join(' ');
  const chosen = name === undefined ? Object.values(BENCHES) : [KNOWN[name]];
  let missed = 0;
  for (const open of chosen) {
    if (!open) continue;
    const bench = await open();
    let rows: readonly RowResult[];
    try {
      rows = await runBench(bench, options, command);
    } finally {
      await bench.close?.();
    }
    missed += rows.flatMap(({ goals }) => goals).filter(({ met }) => !met).length;
    if (!options.tiny) writeTable(Object.keys(KNOWN));
  }
  console.log(missed === 0 ? 'Every goal is reached' : `${missed} goals are missed`);
  process.exitCode = missed === 0 || options.tiny ? 0 : 1;
}
