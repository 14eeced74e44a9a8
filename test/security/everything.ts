import { join } from 'node:path';
import { runCommand } from '../backup/command.ts';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { Ground, SYMBOLS } from '../chaos/ground.ts';
import { atLeast, atMost, inTime } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { sleep } from '../chaos/wait.ts';
import { deafSubscribers, largeBody, silentSockets, slowHeaders, subscribeFlood } from './attacks.ts';
import { residentMb } from './resident.ts';

export interface EverythingSize {
  /** Trades a second of each of four markets. */
  readonly rate: number;
  readonly ms: number;
  /** The share of the time after which memory is looked at first. */
  readonly warmUp: number;
}

const BOMB = `{ ${Array.from({ length: 200 }, (_, k) => `a${k}: trades(exchange: "okx", symbol: "BTC-USDT", first: 1000) { edges { node { price } } }`).join(' ')} }`;
const PAGE =
  '{ trades(exchange: "okx", symbol: "BTC-USDT", first: 1000) { edges { node { tradeId price size side } } } }';
const CANDLES =
  '{ candles(exchange: "okx", symbol: "ETH-USDT", interval: S1, from: "2026-01-01T00:00:00Z", last: 1000, emptyIntervals: OMIT) { edges { node { close volume } } } }';
const EXIT_MS = 10_000;
const GROWTH_MB = 150;

/** All at once, again and again: an exchange and a database that break, hostile clients, heavy questions, restarts and backups. */
export const everything: Scenario<EverythingSize> = async (setting, protocol, { rate, ms, warmUp }) => {
  const { cluster, random, seed, say } = setting;
  const place = await setting.place();
  if (cluster === null || place.url === null) throw new Error('This scenario kills a Postgres of its own');
  await using between = await FaultProxy.start({ target: () => ({ host: '127.0.0.1', port: cluster.port }) });
  await using ground = await Ground.open({ place, seed, rate, databaseUrl: between.through(place.url) });
  const { server, proxy, simulator } = ground;
  await server.start();
  await ground.begun();
  ground.subscribe('everything');
  ground.subscribe('over server-sent events', { kind: 'sse', filter: { symbols: ['ETH-USDT'] } });
  const pid = server.pid;
  const endsAt = performance.now() + ms;
  const left = () => endsAt - performance.now();
  const symbol = () => SYMBOLS[Math.floor(random() * SYMBOLS.length)] ?? 'BTC-USDT';
  /** Does it every so often until the time is over. A client's failure is the client's: what is judged is the server. */
  const every = async (what: string, pauseMs: number, act: () => Promise<unknown>): Promise<void> => {
    while (left() > pauseMs) {
      await sleep(pauseMs * (0.5 + random()));
      await act().then(
        () => protocol.count(what),
        () => protocol.count(`${what}, in vain`),
      );
    }
  };
  const backupEnv = {
    ...{ DATABASE_URL: place.url, BACKUP_PASSPHRASE: 'a passphrase for this run' },
    BACKUP_DIRECTORY: join(place.dataDir, 'backups'),
  };
  let memory = 0;
  await Promise.all([
    sleep(ms * warmUp).then(() => {
      memory = residentMb(pid);
    }),
    every('exchange cut', ms / 40, async () => proxy.cut(random() < 0.5 ? 'rst' : 'fin')),
    every('frames hurt', ms / 60, async () =>
      simulator.faults.add({ kind: 'garbage', symbol: symbol(), count: 20, text: '{"arg":' }),
    ),
    every('trades withheld', ms / 30, async () => simulator.faults.add({ kind: 'gap', symbol: symbol(), trades: 5 })),
    every('database killed', ms / 6, async () => {
      await cluster.kill();
      between.cut();
      await sleep(500);
      await cluster.start();
    }),
    every('restarts', ms / 30, () =>
      server.ask(`mutation { restartCollector(input: { name: "okx:${symbol()}" }) { collector { state } } }`),
    ),
    every('pages', ms / 400, () => server.ask(PAGE)),
    every('candles', ms / 400, () => server.ask(CANDLES)),
    every('bombs', ms / 100, () => server.ask(BOMB)),
    every('subscribe floods', ms / 30, () => subscribeFlood(server.url, 5_000)),
    every('silent sockets', ms / 20, () => silentSockets(server.url, 100)),
    every('slow headers', ms / 10, () => slowHeaders(server.url, 20)),
    every('large bodies', ms / 20, () => largeBody(server.url, 4_000_000)),
    every('deaf subscribers', ms / 10, () => deafSubscribers(server.url, 5, ms / 20)),
    every('backups', ms / 4, async () => {
      const { code, output } = await runCommand('backup', ['--no-verify'], backupEnv);
      if (code !== 0) throw new Error(output);
    }),
    every('metrics', ms / 100, async () => (await fetch(`${server.url}/metrics`)).text()),
  ]);
  simulator.faults.clear();
  say(`over after ${Math.round(ms / 1_000)} s`);
  const grown = Math.round(residentMb(pid) - memory);
  const judged = await ground.judge(protocol.findings, 120_000);
  protocol.figures.grownMb = grown;
  protocol.goals.push(
    atMost('times the server ended before it was told to', server.pid === pid ? 0 : 1, 0),
    atMost('MB it has grown by since it was warm', grown, GROWTH_MB),
    atMost('promises nobody took care of', count(server.output, 'unhandled'), 0),
    inTime('until it had ended', judged.exitMs, EXIT_MS),
    atLeast('kinds of trouble', Object.keys(protocol.counts).length, 12),
  );
};

const count = (text: string, word: string): number => text.toLowerCase().split(word).length - 1;
