import { randomBytes } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { type Cluster, findPostgres, startCluster } from '../support/postgres-cluster.ts';
import type { Place } from './direct.ts';
import { freshDatabaseOf } from './own-database.ts';
import type { Result } from './result.ts';
import type { Row, Setting } from './scenario.ts';
import { seeded } from './seeded.ts';

/** A suite of scenarios that is run by `npm run NAME`. */
export interface Suite {
  readonly name: string;
  readonly scenarios: Readonly<Record<string, Row>>;
}

const usageOf = ({ name, scenarios }: Suite): string =>
  `Usage: npm run ${name} -- [NAME ...] [--count N] [--only FAULTS] [--short] [--embedded] [--seed TEXT] [--out FILE]

  NAME        ${Object.keys(scenarios).join(', ')}; all of them without one
  --count     how many kills, cuts, frames or questions, instead of the scenario's own number
  --only      these kinds of faults (storm, liveness) or markets (candles), separated by commas: to find out which it takes
  --short     the size that npm test runs
  --embedded  on the embedded database instead of a Postgres of its own
  --seed      repeats the chance of an earlier run
  --out       where the results go, default .cache/${name}/<time>.json`;

let running: Cluster | null = null;

/** Plays the scenarios the command line asks for, one after the other, shows what they found, and ends the process: 0 when all passed. */
export async function runSuite(suite: Suite): Promise<never> {
  const options = read(suite);
  const results: Result[] = [];
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void Promise.resolve(running?.stop()).finally(() => process.exit(1))); // servers end with us
  for (const [name, scenario] of Object.entries(suite.scenarios)) {
    if (options.names.length > 0 && !options.names.includes(name)) continue;
    if (options.embedded && scenario.needs !== 'any') {
      console.log(`${name}: SKIPPED, it needs a Postgres`);
      continue;
    }
    console.log(`${name}: ${scenario.does}`);
    await using surroundings = await surround(name, options);
    const size = options.short ? scenario.short : scenario.full;
    const result = await scenario.play(surroundings.setting, {
      ...size,
      ...(options.count === undefined ? {} : scenario.counted(options.count)),
      ...(options.only === undefined ? {} : { only: options.only.split(',') }),
    });
    results.push(result);
    show(result);
    save(results, options.out);
  }
  table(results, options.out);
  process.exit(results.length > 0 && results.every(({ passed }) => passed) ? 0 : 1);
}

function read(suite: Suite) {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: {
        count: { type: 'string' },
        only: { type: 'string' },
        short: { type: 'boolean', default: false },
        embedded: { type: 'boolean', default: false },
        seed: { type: 'string', default: randomBytes(4).toString('hex') },
        out: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const unknown = positionals.filter((name) => !Object.hasOwn(suite.scenarios, name));
    if (unknown.length > 0) throw new Error(`There is no scenario ${unknown.join(', ')}`);
    const count = values.count === undefined ? undefined : Number(values.count);
    if (count !== undefined && !(Number.isInteger(count) && count >= 1 && count <= 1_000_000))
      throw new Error(`--count is a whole number from 1 to 1000000, was ${values.count}`);
    if (values.help) {
      console.log(usageOf(suite));
      process.exit(0);
    }
    const time = new Date().toISOString().slice(0, 19).replaceAll(':', '-');
    const out = values.out ?? fileURLToPath(new URL(`../../.cache/${suite.name}/${time}.json`, import.meta.url));
    return { ...values, names: positionals, count, out };
  } catch (error) {
    console.error(`${error instanceof Error ? error.message : error}\n${usageOf(suite)}`);
    process.exit(2);
  }
}

/** A Postgres and a directory of its own for each scenario, gone afterwards. */
async function surround(
  name: string,
  { seed, embedded }: { readonly seed: string; readonly embedded: boolean },
): Promise<{ readonly setting: Setting } & AsyncDisposable> {
  await using opening = new AsyncDisposableStack();
  const directory = opening.adopt(mkdtempSync(join(tmpdir(), 'tcp-chaos-')), (path) =>
    rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  );
  const cluster = embedded ? null : opening.adopt(await ownCluster(), (own) => own.stop());
  let places = 0;
  const place = async (): Promise<Place> => {
    places += 1;
    const dataDir = join(directory, String(places));
    mkdirSync(dataDir);
    return { url: cluster === null ? null : await freshDatabaseOf(cluster, `chaos_${places}`), dataDir };
  };
  const setting: Setting = {
    seed,
    random: seeded(`${seed} ${name}`),
    place,
    cluster,
    say: (line) => console.log(`  ${line}`),
  };
  const owned = opening.move();
  return { setting, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function ownCluster(): Promise<Cluster> {
  const binaries = findPostgres();
  if (binaries !== null) {
    running = await startCluster(binaries);
    return running;
  }
  console.error('There is no Postgres on this machine (initdb on PATH or in /usr/lib/postgresql); try --embedded');
  process.exit(2);
}

function show({ name, seed, passed, goals, findings, examples, broken, seconds }: Result): void {
  for (const { what, measured, atMost, atLeast, met } of goals)
    console.log(
      `  ${met ? 'ok    ' : 'MISSED'} ${what}: ${measured} (${atMost === undefined ? `at least ${atLeast}` : `at most ${atMost}`})`,
    );
  for (const [finding, times] of Object.entries(findings))
    console.log(`  ${finding === 'DECLARED' ? 'ok    ' : 'MISSED'} ${finding}: ${times}`);
  for (const { finding, where, what } of examples) console.log(`         ${finding} ${where}: ${what}`);
  if (broken !== undefined) console.log(`  BROKEN ${broken}`);
  console.log(`${name}: ${passed ? 'passed' : 'FAILED'} after ${seconds} s, seed ${seed}\n`);
}

function save(results: readonly Result[], out: string): void {
  mkdirSync(dirname(out), { recursive: true });
  writeFileSync(out, `${JSON.stringify(results, null, 2)}\n`);
}

function table(results: readonly Result[], out: string): void {
  console.log('scenario      result   seconds  what was measured');
  for (const { name, passed, seconds, figures } of results)
    console.log(
      `${name.padEnd(13)} ${passed ? 'passed' : 'FAILED'} ${String(seconds).padStart(9)}  ${Object.entries(figures)
        .map(([what, value]) => `${what} ${value}`)
        .join(', ')}`,
    );
  console.log(`Results: ${out}`);
}
