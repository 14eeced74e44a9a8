import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../../src/simulator/fault.ts';
import { runCommand } from '../backup/command.ts';
import { FaultProxy } from '../chaos/fault-proxy.ts';
import { Ground } from '../chaos/ground.ts';
import { atLeast, atMost } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { sleep, until } from '../chaos/wait.ts';
import { CanarySearch, canary } from './canaries.ts';

export interface CanarySize {
  /** Of everything, ms. */
  readonly runMs: number;
}

/** A place that shows what it was given in its refusal. */
const BAD_URLS = (password: string): readonly string[] => [
  `postgres://tcp:${password}@host with spaces:5432/tcp`,
  `postgres://tcp:${password}@127.0.0.1:1/tcp`,
  `postgres://tcp:${password}@127.0.0.1:99999/tcp`,
  `mysql://tcp:${password}@127.0.0.1/tcp`,
  `tcp:${password}@127.0.0.1/tcp`,
];

const QUESTIONS = [
  '{ health { status openGaps } }',
  '{ collectors { name state rejections { reason sample } events(first: 50) { edges { node { __typename } } } } }',
  '{ balances(exchange: "okx") { currency total } }',
  '{ __schema { types { name description } } }',
  '{ nothing }',
  '{ trades(exchange: "okx", symbol: "NO-SUCH") { edges { node { price } } } }',
  'mutation { restartCollector(input: { name: "okx:BTC-USDT" }) { collector { state } userErrors { code message } } }',
];

/** Every secret is a canary; whatever the server prints, answers, keeps or is called with is searched for them. */
export const canarySweep: Scenario<CanarySize> = async (setting, protocol, { runMs }) => {
  const { cluster, seed } = setting;
  const place = await setting.place();
  if (cluster === null || place.url === null) throw new Error('This scenario takes a Postgres of its own away');
  const secrets = {
    key: canary('key'),
    secret: canary('secret'),
    passphrase: canary('passphrase'),
    database: canary('database'),
    backup: canary('backup'),
    collector: canary('collector'),
  };
  const search = new CanarySearch(secrets);
  await using between = await FaultProxy.start({ target: () => ({ host: '127.0.0.1', port: cluster.port }) });
  const url = new URL(between.through(place.url));
  url.password = encodeURIComponent(secrets.database);
  const env = {
    OKX_API_KEY: secrets.key,
    OKX_API_SECRET: secrets.secret,
    OKX_API_PASSPHRASE: secrets.passphrase,
    BACKUP_PASSPHRASE: secrets.backup,
    // A collector of traces that is away.
    OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:1',
    OTEL_EXPORTER_OTLP_HEADERS: `authorization=Bearer%20${encodeURIComponent(secrets.collector)}`,
  };
  const logs = join(place.dataDir, 'logs');
  await using ground = await Ground.open({
    ...{ place, seed, rate: 20, databaseUrl: url.href, env },
    simulator: { credentials: { key: secrets.key, secret: secrets.secret, passphrase: secrets.passphrase } },
    pairs: { 'BTC-USDT': { data_types: ['trade', 'balance'] } },
    logging: { level: 'DEBUG', file_output: true, log_directory: logs },
  });
  const { server, simulator, proxy } = ground;
  await server.start();
  await ground.begun();
  const live = ground.subscribe('everything');
  await until('balances', 20_000, async () => {
    const { data } = await server.ask('{ balances(exchange: "okx") { currency } }');
    return ((data?.balances ?? []) as readonly unknown[]).length > 0;
  });
  search.text('arguments', readFileSync(`/proc/${server.pid}/cmdline`, 'latin1'));
  let answers = 0;
  const ask = async () => {
    for (const query of QUESTIONS) {
      const answer = await server.ask(query, {}, 20_000).catch((error: unknown) => String(error));
      search.text(query, JSON.stringify(answer));
      answers += 1;
    }
    for (const path of ['/', '/metrics', '/readyz', '/livez', '/graphql', '/export', '/nothing']) {
      const response = await fetch(server.url + path, { signal: AbortSignal.timeout(10_000) });
      search.text(path, JSON.stringify([...response.headers]) + (await response.text()));
      answers += 1;
    }
  };
  await ask();

  // An exchange that repeats what it was told, in every way it can say something.
  const echo = Object.values(secrets).join(' ');
  const echoing: readonly Fault[] = [
    { kind: 'refuse-login', code: '60009', message: `login ${echo}`, count: 2 },
    { kind: 'error-frame', code: '60012', message: `request ${echo}` },
    { kind: 'refuse-subscribe', code: '60018', message: `subscribe ${echo}`, count: 1 },
    { kind: 'garbage', text: `{"arg":{"channel":"trades-all","instId":"BTC-USDT"},"data":["${echo}"]}`, count: 3 },
    { kind: 'garbage', text: `not JSON ${echo}`, count: 3 },
    { kind: 'rest-garbage', text: `<html>${echo}`, count: 3 },
  ];
  for (const fault of echoing) {
    simulator.faults.add(fault);
    proxy.cut('rst');
    await sleep(runMs / echoing.length);
    await ask();
  }
  simulator.faults.clear();

  // The database refuses, is away and is back.
  await cluster.kill();
  between.cut();
  await ask();
  await cluster.start();
  await until('ready again', 60_000, async () => (await fetch(`${server.url}/readyz`)).status === 200);
  await until('trades again', 60_000, () => live.entries.length > 0);

  // Commands that fail, and one that does not.
  const output = join(place.dataDir, 'output.txt');
  const said: string[] = [];
  const backup = async (databaseUrl: string) => {
    const own = { DATABASE_URL: databaseUrl, BACKUP_DIRECTORY: join(place.dataDir, 'backups') };
    const { code, output: text } = await runCommand('backup', [], { ...env, ...own });
    said.push(text);
    return code;
  };
  const refused: boolean[] = [];
  for (const bad of BAD_URLS(encodeURIComponent(secrets.database))) refused.push((await backup(bad)) !== 0);
  const made = await backup(url.href);
  writeFileSync(output, said.join('\n'));

  await ground.judge(protocol.findings, 60_000);
  search.text('output of the server', server.output);
  const places = [output, logs, join(place.dataDir, 'data'), join(place.dataDir, 'backups')].filter(existsSync);
  const files = places.reduce((sum, path) => sum + search.files(path), 0);
  for (const { secret, place: where, around } of search.hits.slice(0, 10))
    setting.say(`the ${secret} secret in ${where}: ${JSON.stringify(around)}`);
  Object.assign(protocol.counts, { answers, files, bytes: search.bytes, hidden: search.hidden });
  protocol.goals.push(
    atMost('secrets found', search.hits.length, 0),
    atLeast('files searched', files, 4),
    atLeast('times a secret was hidden', search.hidden, 10),
    atLeast('commands refused that could not work', refused.filter(Boolean).length, refused.length),
    atMost('exit code of the backup', made, 0),
  );
};
