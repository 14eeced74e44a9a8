import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { npm } from './npm.mjs';

/**
 * Brings node_modules in line with package-lock.json; does nothing where it already is.
 * Development dependencies that are there stay, whatever the task needs. Two callers at once install once.
 */
export async function installMissing(root, { dev }) {
  if (!missing(root, dev)) return;
  const release = await onlyInstaller(root);
  try {
    const reason = missing(root, dev);
    if (reason) await install(root, { reason, dev: dev || hasDevDependencies(root) });
  } finally {
    release();
  }
}

/** Why an installation is due, in words; null when none is. npm's own record in node_modules is the stamp: it is written last. */
function missing(root, dev) {
  const installed = readPackages(join(root, 'node_modules', '.package-lock.json'));
  if (!installed)
    return existsSync(join(root, 'node_modules')) ? 'node_modules is incomplete' : 'node_modules is missing';
  const locked = readPackages(join(root, 'package-lock.json'));
  if (!locked)
    throw new Error('package-lock.json is missing or unreadable; get it back with `git checkout package-lock.json`.');
  for (const [path, wanted] of Object.entries(locked)) {
    if (!path.startsWith('node_modules/') || wanted.optional || wanted.devOptional) continue;
    const found = installed[path];
    if (!found && wanted.dev && !dev) continue;
    if (!found) return wanted.dev ? 'the development dependencies are missing' : `${path} is missing`;
    if (found.version !== wanted.version)
      return `${path} is ${found.version}, package-lock.json wants ${wanted.version ?? 'another'}`;
  }
  return null;
}

const hasDevDependencies = (root) =>
  Object.values(readPackages(join(root, 'node_modules', '.package-lock.json')) ?? {}).some((found) => found.dev);

function readPackages(lockFile) {
  try {
    return JSON.parse(readFileSync(lockFile, 'utf8')).packages;
  } catch {
    return undefined;
  }
}

async function install(root, { reason, dev }) {
  const command = [
    'ci',
    '--ignore-scripts',
    '--min-release-age=0', // for who chooses versions; what the lock file names has its hash
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
    dev ? '--include=dev' : '--omit=dev',
  ];
  console.error(`tcp-dashboard: ${reason}: installing with \`npm ${command.join(' ')}\``);
  const startedAt = performance.now();
  const seconds = () => Math.round((performance.now() - startedAt) / 1000);
  const progress = setInterval(() => console.error(`tcp-dashboard: installing, ${seconds()} s so far`), 5_000);
  try {
    const code = await npm(command, { cwd: root });
    if (code !== 0) throw new Error(`npm ended with code ${code}; the lines above say why. Nothing was started.`);
  } finally {
    clearInterval(progress);
  }
  console.error(`tcp-dashboard: installed in ${seconds()} s`);
}

/** Waits until no other process installs here, then holds the place; the returned function gives it up. */
async function onlyInstaller(root) {
  const lock = join(root, '.cache', 'installing');
  mkdirSync(join(root, '.cache'), { recursive: true });
  for (let last = ''; ; ) {
    try {
      writeFileSync(lock, String(process.pid), { flag: 'wx' });
      return () => rmSync(lock, { force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    const owner = readText(lock); // empty for a moment, between its creation and its first byte
    if (owner === last && !isAlive(Number(owner))) rmSync(lock, { force: true });
    else if (owner !== last)
      console.error(`tcp-dashboard: process ${owner} is installing here already, waiting for it`);
    last = owner;
    await sleep(500);
  }
}

function readText(file) {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

function isAlive(pid) {
  try {
    return pid > 0 && process.kill(pid, 0);
  } catch (error) {
    return error.code === 'EPERM';
  }
}
