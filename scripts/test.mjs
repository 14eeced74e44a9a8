// Runs the test suite: `npm test`, or `npm test -- path-or-part-of-it -t 'name'`. Ends with "N passed, N failed" on a line of its own.
import { spawn } from 'node:child_process';
import { readFileSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const totalsFile = `${root}.cache/test-totals-${process.pid}.json`;

const exitCode = await vitest(process.argv.slice(2));
const projects = readTotals();
for (const [project, { passed, failed, skipped }] of Object.entries(projects)) {
  console.log(`${project}: ${passed} passed, ${failed} failed, ${skipped} skipped`);
}

const total = (state) => Object.values(projects).reduce((sum, project) => sum + project[state], 0);
const ran = total('passed') + total('failed') > 0;
if (!ran) console.log('No test ran: is the file filter right?');
// Vitest can fail without a failed test, for example when a database does not start.
const failed = total('failed') || (exitCode === 0 && ran ? 0 : 1);
const skipped = total('skipped');
console.log(`${total('passed')} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 ? 1 : 0;

function vitest(args) {
  const reporters = ['--reporter=default', `--reporter=${root}scripts/totals-reporter.mjs`];
  const child = spawn(process.execPath, [`${root}node_modules/vitest/vitest.mjs`, 'run', ...reporters, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, TEST_TOTALS: totalsFile },
  });
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
  process.on('disconnect', () => child.kill('SIGTERM')); // the launcher was killed
  process.channel?.unref();
  return new Promise((resolve) => child.on('exit', (code) => resolve(code ?? 1)));
}

function readTotals() {
  try {
    return JSON.parse(readFileSync(totalsFile, 'utf8'));
  } catch {
    return {};
  } finally {
    rmSync(totalsFile, { force: true });
  }
}
