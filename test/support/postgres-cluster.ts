import { execFile, type SpawnOptions, spawn } from 'node:child_process';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { portToComeBackTo } from './port.ts';

const run = promisify(execFile);
const DEBIAN = '/usr/lib/postgresql';

/** The folder of Postgres' own programs; null when there is none. */
export function findPostgres(): string | null {
  const versions = existsSync(DEBIAN) ? readdirSync(DEBIAN).toSorted((a, b) => Number(b) - Number(a)) : [];
  const folders = [
    ...(process.env.PATH ?? '').split(delimiter),
    ...versions.map((version) => join(DEBIAN, version, 'bin')),
  ];
  const initdb = folders.map((folder) => join(folder, 'initdb')).find((path) => existsSync(path));
  return initdb === undefined ? null : dirname(realpathSync(initdb));
}

/** Postgres refuses to run as root, so root hands over to somebody without rights. */
function unprivileged(): { readonly uid: number; readonly gid: number } | null {
  if (process.getuid?.() !== 0) return null;
  const users = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .map((line) => line.split(':'));
  const user = users.find(([name]) => name === 'postgres') ?? users.find(([name]) => name === 'nobody');
  return { uid: Number(user?.[2] ?? 65_534), gid: Number(user?.[3] ?? 65_534) };
}

export interface Cluster {
  readonly url: string;
  readonly port: number;
  /** Kills the server and every process of it at once, as the kernel does when memory runs out; Linux only. */
  kill(): Promise<void>;
  /** Starts it again, after `kill`. */
  start(): Promise<void>;
  /** Ends it for good and removes its directory, unless that is kept. */
  stop(): Promise<void>;
}

export interface ClusterOptions {
  /** It waits for the disk as servers do, which tests need not. */
  readonly durable?: boolean;
  /** Holds what was left there; null: a temporary directory that is gone after `stop`. */
  readonly kept?: string | null;
  /** Of its configuration, such as "log_statement=all". */
  readonly settings?: readonly string[];
  /** Takes what it logs, a piece at a time. */
  readonly log?: (text: string) => void;
}

/** A Postgres server on a free loopback port. */
export async function startCluster(
  binaries: string,
  { durable = false, kept = null, settings: own = [], log = () => {} }: ClusterOptions = {},
): Promise<Cluster> {
  const directory = kept ?? mkdtempSync(join(tmpdir(), 'tcp-postgres-'));
  if (kept !== null) mkdirSync(kept, { recursive: true });
  const user = unprivileged();
  chmodSync(directory, 0o700);
  if (user !== null) chownSync(directory, user.uid, user.gid);
  const options = { cwd: directory, ...(user ?? {}) };
  const data = join(directory, 'data');
  const initialise = ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--no-sync'];
  if (!existsSync(join(data, 'PG_VERSION'))) await run(join(binaries, 'initdb'), initialise, options);
  const port = await portToComeBackTo();
  const settings = [`port=${port}`, 'listen_addresses=127.0.0.1', `unix_socket_directories=${directory}`, ...own];
  if (!durable) settings.push('fsync=off');
  const args = ['-D', data, ...settings.flatMap((setting) => ['-c', setting])];
  const launch = () => launchServer(join(binaries, 'postgres'), args, options, log);
  let server = await launch();
  return {
    url: `postgres://postgres@127.0.0.1:${port}/postgres`,
    port,
    kill: async () => {
      for (const pid of [server.pid, ...childrenOf(server.pid)]) killed(pid);
      await server.ended;
    },
    start: async () => {
      // Its memory is still taken for as long as the last of the killed processes takes to go.
      for (let attempt = 1; !server.running(); attempt += 1)
        server = await launch().catch(async (error: unknown) => {
          if (attempt === 20) throw error;
          await new Promise((resolve) => setTimeout(resolve, 100));
          return server;
        });
    },
    stop: async () => {
      if (server.running()) process.kill(server.pid, 'SIGINT'); // disconnects everybody, then ends cleanly
      await server.ended;
      if (kept === null) rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Resolves when it accepts connections. */
async function launchServer(
  program: string,
  args: readonly string[],
  options: SpawnOptions,
  log: (text: string) => void,
) {
  const server = spawn(program, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] });
  const ended = new Promise<void>((resolve) => server.once('exit', () => resolve()));
  await new Promise<void>((resolve, reject) => {
    let said = '';
    server.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log(text);
      said = (said + text).slice(-4_000);
      if (said.includes('ready to accept connections')) resolve();
    });
    server.once('error', reject);
    server.once('exit', () => reject(new Error(`Postgres did not start: ${said}`)));
  });
  return { pid: server.pid ?? 0, ended, running: () => server.exitCode === null && server.signalCode === null };
}

function killed(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // gone already
  }
}

const childrenOf = (pid: number): readonly number[] =>
  readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ').filter(Boolean).map(Number);
