import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Cluster } from '../../test/support/postgres-cluster.ts';
import { openCluster } from '../frame/postgres.ts';
import { Subject } from '../frame/subject.ts';
import type { Filling } from './fill.ts';

export interface Started {
  readonly tradeSeconds: number;
  readonly answerSeconds: number;
  /** Of the server and who started it, until the trade was seen; null where the system does not tell. */
  readonly cpuSeconds: number | null;
}

type Kind = 'embedded' | 'postgres';

const SYMBOL = 'BTC-USDT';
const TRADES_A_SECOND = 50;
const LOOK_MS = 10;
const START_MS = 60_000;
const LAUNCH = fileURLToPath(new URL('../../scripts/launch.mjs', import.meta.url));
const QUERY = `{ trades(exchange: "okx", symbol: "${SYMBOL}", first: 1) { edges { node { recordedAt } } } }`;

/** What stays between the turns: a simulated exchange, data directories, a Postgres. */
export class Place implements AsyncDisposable {
  readonly #directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
  readonly #owned = new AsyncDisposableStack();
  readonly #made = new Set<Kind>();
  #connection: Promise<object> | null = null;
  #cluster: Promise<Cluster> | null = null;
  #filled = 0;

  /** An earlier run of the server has made the database; so many trades are in it besides. */
  async prepare(kind: Kind, trades: number): Promise<void> {
    if (!this.#made.has(kind)) await this.start(kind, null);
    this.#made.add(kind);
    if (trades <= this.#filled) return;
    await using filler = new Subject(new URL('./fill.ts', import.meta.url));
    await filler.ask('fill', { dataDir: this.#dataDir(kind), from: this.#filled, to: trades } satisfies Filling);
    this.#filled = trades;
    await this.start(kind, null);
  }

  /** Starts the server, looks until a trade is stored that was recorded after the start, and ends it. */
  async start(kind: Kind, profile: string | null): Promise<Started> {
    const env = kind === 'postgres' ? { DATABASE_URL: (await this.#postgres()).url } : {};
    const dataDir = this.#dataDir(kind);
    mkdirSync(dataDir, { recursive: true, mode: 0o700 });
    const config = join(this.#directory, 'config.json');
    writeFileSync(config, JSON.stringify(settings(await this.#exchange())));
    const wallAt = Date.now();
    const startedAt = performance.now();
    const passed = () => (performance.now() - startedAt) / 1e3;
    await using server = new Running(
      [LAUNCH, 'start', '--config', config, '--port', '0', '--data-dir', dataDir],
      profile === null ? env : { ...env, NODE_OPTIONS: `--cpu-prof --cpu-prof-dir=${profile}` },
    );
    const url = (await server.said(/listening on (http:\S+)/))[1] ?? '';
    let answerSeconds: number | null = null;
    while (passed() * 1e3 < START_MS) {
      const recordedAt = await newestTrade(url);
      answerSeconds ??= recordedAt === null ? null : passed();
      if (answerSeconds !== null && recordedAt !== null && recordedAt >= wallAt)
        return { tradeSeconds: passed(), answerSeconds, cpuSeconds: server.cpuSeconds() };
      await sleep(LOOK_MS);
    }
    throw new Error(`No trade was stored within ${START_MS / 1e3} s: ${server.output}`);
  }

  #dataDir(kind: Kind): string {
    return join(this.#directory, kind);
  }

  #exchange(): Promise<object> {
    const cli = fileURLToPath(new URL('../../src/simulator/cli.ts', import.meta.url));
    this.#connection ??= this.#owned
      .use(new Running([cli, '--exchange', 'okx', '--symbols', SYMBOL, '--rate', String(TRADES_A_SECOND)]))
      .said(/"connection": (.*)\n/)
      .then(([, connection = '']) => JSON.parse(connection) as object);
    return this.#connection;
  }

  #postgres(): Promise<Cluster> {
    this.#cluster ??= openCluster({ durable: true }).then((own) => this.#owned.adopt(own, () => own.stop()));
    return this.#cluster;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
    rmSync(this.#directory, { recursive: true, force: true });
  }
}

/** A process of the project, and what it says. */
class Running implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  output = '';

  constructor(argv: readonly string[], env: Readonly<Record<string, string>> = {}) {
    const { PATH = '', HOME = '' } = process.env;
    this.#child = spawn(process.execPath, argv, { env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] });
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()));
    for (const stream of [this.#child.stdout, this.#child.stderr])
      stream?.on('data', (chunk: Buffer) => {
        this.output = (this.output + chunk.toString()).slice(-16_384);
      });
  }

  async said(wanted: RegExp): Promise<RegExpExecArray> {
    for (;;) {
      const found = wanted.exec(this.output);
      if (found) return found;
      if (this.#child.exitCode !== null) throw new Error(`It ended with ${this.#child.exitCode}: ${this.output}`);
      const more = new Promise((resolve) => this.#child.stdout?.once('data', resolve));
      await Promise.race([more, this.#ended]);
    }
  }

  /** Its own, of its children, and of those that have ended. */
  cpuSeconds(): number | null {
    const pid = this.#child.pid ?? 0;
    const children = `/proc/${pid}/task/${pid}/children`;
    if (!existsSync(children)) return null;
    const pids = [String(pid), ...readFileSync(children, 'utf8').trim().split(' ')].filter(Boolean);
    const ticks = pids.flatMap((one) => {
      const fields = readFileSync(`/proc/${one}/stat`, 'utf8')
        .replace(/^.*\) /, '')
        .split(' ');
      return fields.slice(11, 15).map(Number);
    });
    return ticks.reduce((sum, one) => sum + one, 0) / 100;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGTERM');
    await this.#ended;
  }
}

const settings = (connection: object) => ({
  logging: { level: 'WARN', file_output: false },
  exchanges: [{ ...{ exchange: 'okx', connection }, trading_pairs: [{ symbol: SYMBOL, data_types: ['trade'] }] }],
});

/** When the newest trade was recorded, 0 for none; null while nobody answers. */
async function newestTrade(url: string): Promise<number | null> {
  try {
    const response = await fetch(`${url}/graphql`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ query: QUERY }),
    });
    const { data } = (await response.json()) as {
      readonly data?: {
        readonly trades: { readonly edges: readonly { readonly node: { readonly recordedAt: string } }[] };
      };
    };
    if (!data) return null;
    return Date.parse(data.trades.edges[0]?.node.recordedAt ?? new Date(0).toISOString());
  } catch {
    return null;
  }
}
