// Everything `npm run check` asks of the tree besides its tests. Runs every step, shows what failed, ends with a table.
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const SDL = 'schema/schema.graphql';

const STEPS = [
  { name: 'format and lint', run: () => tool('@biomejs/biome/bin/biome', 'check'), mend: 'npx biome check --write' },
  {
    name: 'lint with types',
    run: () => tool('oxlint/bin/oxlint', '--type-aware', '--deny-warnings'),
    mend: 'npx oxlint --type-aware --fix, then correct the lines above',
  },
  { name: 'types', run: () => tool('typescript/bin/tsc', '--project', '.'), mend: 'correct the lines above' },
  {
    name: 'dead code',
    run: () => tool('knip/bin/knip.js'),
    mend: 'remove what nothing uses, or name its user in knip.json',
  },
  { name: 'printed schema', run: printedSchema, mend: `npm run schema, then commit ${SDL}` },
  {
    name: 'typed operations',
    run: () => tool('@graphql-codegen/cli/cjs/bin.js', '--check'),
    mend: 'npm run codegen, then commit what it wrote',
  },
  { name: 'migrations', run: migrations, mend: 'npm run db:generate, then read and commit the migration' },
];

const results = [];
for (const { name, run, mend } of STEPS) {
  const startedAt = performance.now();
  const { ok, output } = await run();
  if (!ok) console.log(`\n== ${name} ==\n${output.trimEnd()}\n`);
  results.push({ name, ok, mend, seconds: (performance.now() - startedAt) / 1000 });
}
for (const { name, ok, mend, seconds } of results) {
  console.log(
    `${ok ? 'ok    ' : 'FAILED'} ${name.padEnd(18)} ${seconds.toFixed(1).padStart(6)} s${ok ? '' : `   mend: ${mend}`}`,
  );
}
process.exitCode = results.every(({ ok }) => ok) ? 0 : 1;

/** Runs a command-line tool of node_modules: its output, and whether it was content. */
function tool(script, ...args) {
  return execute(`${root}node_modules/${script}`, args);
}

function execute(script, args) {
  const child = spawn(process.execPath, [script, ...args], { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => (output += text));
  return new Promise((resolve) => child.on('close', (code) => resolve({ ok: code === 0, output })));
}

/** Prints the schema into its file and puts the committed text back: a check changes nothing. */
async function printedSchema() {
  const committed = readText(SDL);
  const { ok, output } = await execute(`${root}src/cli/print-schema.ts`, []);
  const printed = readText(SDL);
  if (printed === committed) return { ok, output };
  writeFileSync(`${root}${SDL}`, committed);
  return { ok: false, output: `${SDL} is not what the code prints.\n${output}` };
}

/** A dry run: what drizzle-kit would put into a new migration. */
async function migrations() {
  const { output } = await tool('drizzle-kit/bin.cjs', 'generate', '--explain', '--output', 'json');
  if (output.includes('"status":"no_changes"')) return { ok: true, output };
  return { ok: false, output: `The tables are not what drizzle/ makes.\n${output}` };
}

function readText(path) {
  try {
    return readFileSync(`${root}${path}`, 'utf8');
  } catch {
    return '';
  }
}
