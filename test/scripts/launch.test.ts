import { type ChildProcess, spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import packageJson from '../../package.json' with { type: 'json' };

const scripts = fileURLToPath(new URL('../../scripts', import.meta.url));
const own = packageJson as { readonly scripts: Readonly<Record<string, string>> };
const parentWatch = new URL('../../src/runtime/parent-watch.ts', import.meta.url).href;

/** Stands in for the demo: tells what reaches it, ends as its first argument says. */
const CHILD = `
import { watchParent } from '${parentWatch}';
const [mode, ...rest] = process.argv.slice(2);
const alive = setInterval(() => {}, 1_000);
if (mode === 'watch') {
  watchParent((reason) => { console.log('asked to stop:', reason); process.exitCode = 5; clearInterval(alive); });
  process.on('SIGINT', () => console.log('signalled'));
  // Started only once the launcher can know that it is watched.
  await new Promise((sent) => process.send({}, sent));
}
console.log('started', process.pid, JSON.stringify(rest));
console.log('compiled code is kept in', process.env.NODE_COMPILE_CACHE);
if (mode === 'exit') process.exit(7);
if (mode === 'crash') process.kill(process.pid, 'SIGKILL');
`;

const PROJECT = { name: 'empty', version: '1.0.0', dependencies: { one: 'file:one' } };
const LOCK = {
  name: 'empty',
  version: '1.0.0',
  lockfileVersion: 3,
  packages: { '': PROJECT, one: { version: '1.0.0' }, 'node_modules/one': { resolved: 'one', link: true } },
};

/** A checkout with nothing but the launcher and one command. */
let checkout: string;
const started: ChildProcess[] = [];

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'launch-test-'));
  await cp(scripts, join(checkout, 'scripts'), { recursive: true });
  await mkdir(join(checkout, 'src/cli'), { recursive: true });
  await writeFile(join(checkout, 'src/cli/demo.ts'), CHILD);
  await mkdir(join(checkout, 'one'));
  await writeFile(join(checkout, 'one/package.json'), JSON.stringify({ name: 'one', version: '1.0.0' }));
  await writeFile(
    join(checkout, 'package.json'),
    JSON.stringify({ type: 'module', scripts: { demo: own.scripts.demo }, ...PROJECT }),
  );
  await writeFile(join(checkout, 'package-lock.json'), JSON.stringify(LOCK));
});

afterAll(async () => {
  for (const child of started) child.kill('SIGKILL');
  await rm(checkout, { recursive: true, force: true });
});

const launch = (...args: readonly string[]) => start(process.execPath, [join(checkout, 'scripts/launch.mjs'), ...args]);

function start(command: string, args: readonly string[]) {
  const PATH = [dirname(process.execPath), process.env.PATH].join(delimiter); // the checkout brings no Node of its own
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  const child = spawn(command, args, {
    cwd: checkout,
    env: { ...env, PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  started.push(child);
  const said = { out: '', err: '' };
  child.stdout.on('data', (text: Buffer) => {
    said.out += text;
  });
  child.stderr.on('data', (text: Buffer) => {
    said.err += text;
  });
  const exited = new Promise<number | null>((resolve) => child.on('close', (code) => resolve(code)));
  return {
    child,
    said,
    exited,
    says: (text: string) => vi.waitFor(() => expect(said.out).toContain(text), { timeout: 20_000 }),
  };
}

describe('the launcher', () => {
  it('installs what is missing once, saying so, and passes arguments and the exit code on', async () => {
    const first = launch('demo', 'exit', '--port', '0');
    expect(await first.exited).toBe(7);
    expect(first.said.err).toMatch(/node_modules is missing: installing with `npm ci .*--ignore-scripts.*--omit=dev`/);
    expect(first.said.out).toMatch(/started \d+ \["--port","0"\]/);

    const second = launch('demo', 'exit');
    expect(await second.exited).toBe(7);
    expect(second.said.err).toBe('');
  });

  it('installs again when another version is there than the lock file names', async () => {
    const installed = { packages: { 'node_modules/one': { version: '0.9.0' } } };
    await mkdir(join(checkout, 'node_modules'), { recursive: true });
    await writeFile(join(checkout, 'node_modules/.package-lock.json'), JSON.stringify(installed));
    const stale = launch('demo', 'exit');
    expect(await stale.exited).toBe(7);
    expect(stale.said.err).toContain('node_modules/one is 0.9.0, package-lock.json wants another: installing');
  });

  it('keeps what Node compiles for the next start', async () => {
    const { said, exited } = launch('demo', 'exit');
    await exited;
    expect(said.out).toMatch(/compiled code is kept in .*launch-test-.*\/\.cache\/compiled/);
  });

  it('ends with 128 + n when a signal ended the command', async () => {
    expect(await launch('demo', 'crash').exited).toBe(137);
  });

  it('asks a command that watches to stop, once a signal, and waits for its end', async () => {
    const { child, said, says, exited } = launch('demo', 'watch');
    await says('started');
    child.kill('SIGINT');
    expect(await exited).toBe(5);
    expect(said.out).toContain('asked to stop: SIGINT');
    expect(said.out).not.toContain('signalled');
  });

  it('passes the signal itself on to a command that does not watch', async () => {
    const { child, says, exited } = launch('demo', 'wait');
    await says('started');
    child.kill('SIGTERM');
    expect(await exited).toBe(143);
  });

  it('takes the command with it when it is killed', async () => {
    const { child, said, says } = launch('demo', 'watch');
    await says('started');
    child.kill('SIGKILL');
    await says('asked to stop: the launcher is gone');
    const pid = Number(/started (\d+)/.exec(said.out)?.[1]);
    await vi.waitFor(() => expect(() => process.kill(pid, 0)).toThrow('ESRCH'), { timeout: 10_000 });
  });

  it('started by npm, stops when npm is told to, and npm ends with its code', async () => {
    const { child, said, says, exited } = start('npm', ['run', 'demo', '--', 'watch']);
    await says('started');
    child.kill('SIGTERM');
    expect(await exited).toBe(5);
    expect(said.out).toContain('asked to stop: SIGTERM');
  });

  it('started by npm, stops when npm is killed', async () => {
    const { child, says } = start('npm', ['run', 'demo', '--', 'watch']);
    await says('started');
    child.kill('SIGKILL');
    await says('asked to stop: SIGTERM');
  });

  it('runs every script of package.json in the place of its shell, so that npm signals it', () => {
    expect(own.scripts).toEqual(
      Object.fromEntries(Object.keys(own.scripts).map((name) => [name, `exec node scripts/launch.mjs ${name}`])),
    );
  });

  it('names the tasks when it knows none of that name', async () => {
    const { said, exited } = launch('dmeo');
    expect(await exited).toBe(2);
    expect(said.err).toMatch(/Tasks: demo, start, backfill, export, backup, doctor, restore, token, simulator, test/);
  });
});
