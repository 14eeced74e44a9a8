// Runs one of the project's commands on Node 24, whatever Node started this file: installs what is missing first.
// Plain JavaScript without dependencies, because on a fresh clone there is nothing else yet.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';
import { installMissing } from './install.mjs';
import { findNode } from './node-runtime.mjs';

/**
 * `entry` runs with the caller's working directory; a `cli` of a dependency runs in the project's. `packages` is a folder with a
 * package.json of its own that the task needs as well.
 */
const TASKS = {
  demo: { entry: 'src/cli/demo.ts', dev: false },
  start: { entry: 'src/main.ts', dev: false },
  backfill: { entry: 'src/cli/backfill.ts', dev: false },
  export: { entry: 'src/cli/export.ts', dev: false },
  backup: { entry: 'src/cli/backup.ts', dev: false },
  doctor: { entry: 'src/cli/doctor.ts', dev: false },
  restore: { entry: 'src/cli/restore.ts', dev: false },
  token: { entry: 'src/cli/token.ts', dev: false },
  simulator: { entry: 'src/simulator/cli.ts', dev: false },
  test: { entry: 'scripts/test.mjs', dev: true },
  check: { entry: 'scripts/check.mjs', dev: true },
  schema: { entry: 'src/cli/print-schema.ts', dev: true },
  codegen: { entry: 'node_modules/@graphql-codegen/cli/cjs/bin.js', dev: true },
  chaos: { entry: 'test/chaos/run.ts', dev: true },
  security: { entry: 'test/security/run.ts', dev: true },
  sbom: { entry: 'scripts/sbom.mjs', dev: false },
  bench: { entry: 'bench/run.ts', dev: false, packages: 'bench' },
  'db:generate': { entry: 'node_modules/drizzle-kit/bin.cjs', args: ['generate'], dev: true },
};

const root = fileURLToPath(new URL('..', import.meta.url));

const [name = '', ...args] = process.argv.slice(2);
const task = Object.hasOwn(TASKS, name) ? TASKS[name] : undefined;
if (!task) {
  console.error(`Usage: node scripts/launch.mjs <task> [arguments]\nTasks: ${Object.keys(TASKS).join(', ')}`);
  process.exit(2);
}

try {
  await installMissing(root, { dev: task.dev });
  if (task.packages) await installMissing(`${root}/${task.packages}`, { dev: false });
  const node = findNode(root);
  if (!existsSync(`${root}/${task.entry}`)) throw new Error(`${task.entry} is missing from this checkout.`);
  run(node, [`${root}/${task.entry}`, ...(task.args ?? []), ...args], {
    cwd: task.dev ? root : process.cwd(),
    env: environment(task),
  });
} catch (error) {
  console.error(`tcp-dashboard: ${error.message}`);
  process.exit(1);
}

/** What Node compiles is kept for the next start, of which it is a third. Not for development: coverage counts on code compiled as it is. */
function environment({ dev }) {
  return dev ? process.env : { NODE_COMPILE_CACHE: `${root}/.cache/compiled`, ...process.env };
}

/** Over the IPC channel the child learns of signals to this process, and of its death (src/runtime/parent-watch.ts). */
function run(node, argv, { cwd, env }) {
  const child = spawn(node, argv, { cwd, env, stdio: ['inherit', 'inherit', 'inherit', 'ipc'] });
  let watching = false;
  child.once('message', () => {
    watching = true;
  });
  const stop = (signal) => {
    if (watching && child.connected) child.send({ stop: signal });
    else child.kill(signal);
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => stop(signal));
  if (process.env.npm_lifecycle_event) whenOrphaned(() => stop('SIGTERM'));
  child.on('error', (error) => {
    console.error(`tcp-dashboard: ${node} does not start: ${error.message}`);
    process.exit(1);
  });
  child.on('exit', (code, signal) => process.exit(signal === null ? code : 128 + constants.signals[signal]));
}

/** npm killed with -9 passes nothing on; whoever it started would hold port and data directory for ever. */
function whenOrphaned(stop) {
  const parent = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === parent) return;
    clearInterval(watch);
    stop();
  }, 500);
  watch.unref();
}
