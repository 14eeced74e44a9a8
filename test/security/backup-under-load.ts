import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '../backup/command.ts';
import { connectDirectly, type Place } from '../chaos/direct.ts';
import { Ground } from '../chaos/ground.ts';
import { atLeast, atMost, greatest, inTime, quantile } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { until } from '../chaos/wait.ts';
import { Probe } from './probe.ts';

export interface BackupSize {
  /** Trades a second of each of four markets. */
  readonly rate: number;
  /** Trades of a market that are there before. */
  readonly before: number;
}

const ROWS = `
  select count(*)::int as rows, coalesce(max(t.id), 0)::text as last,
    coalesce(md5(string_agg(concat_ws('|', i.symbol, t.id, t.trade_id, t.fill_count, t.price, t.size, t.side, t.ts), ';' order by t.id, i.symbol)), '') as hash
  from tcp_dashboard.trade t join tcp_dashboard.instrument i on i.id = t.instrument_id where t.id <= $1`;
const EVERYTHING = '9223372036854775807';

interface Rows {
  readonly rows: number;
  readonly last: string;
  readonly hash: string;
}

async function rowsOf(place: Place, through: string): Promise<Rows> {
  await using database = await connectDirectly(place);
  const [found] = await database.query<Rows>(ROWS, [through]);
  if (!found) throw new Error('The count of rows has no row');
  return found;
}

/** What damages a backup: a bit in its head, in its middle and at its end, and an end that is missing. */
const DAMAGES: readonly ((bytes: Buffer) => Buffer)[] = [
  (bytes) => flipped(bytes, 150),
  (bytes) => flipped(bytes, bytes.length >> 1),
  (bytes) => flipped(bytes, bytes.length - 10),
  (bytes) => bytes.subarray(0, bytes.length - 30),
];

function flipped(bytes: Buffer, at: number): Buffer {
  const copy = Buffer.from(bytes);
  copy[at] = (copy[at] ?? 0) ^ 1;
  return copy;
}

/** A backup while trades come in, restored elsewhere and compared row by row; damaged ones are refused, and leave what is there. */
export const backupUnderLoad: Scenario<BackupSize> = async (setting, protocol, { rate, before }) => {
  const [place, elsewhere] = [await setting.place(), await setting.place()];
  const directory = join(place.dataDir, 'backups');
  const env = { BACKUP_PASSPHRASE: 'a passphrase for this run', BACKUP_DIRECTORY: directory };
  const address = ({ url }: Place): Record<string, string> => (url === null ? {} : { DATABASE_URL: url });
  await using ground = await Ground.open({ place, seed: setting.seed, rate });
  const { server } = ground;
  await server.start();
  await ground.begun();
  const { instruments } = ground.simulator.state();
  const enough = instruments.map(({ symbol, count }) => ({
    symbol,
    id: ground.simulator.tape(symbol).firstId + BigInt(count + before),
  }));
  for (const { symbol, id } of enough)
    await until('enough trades', 600_000, async () => (await ground.newestStored(symbol)) >= id, 250);
  const quiet = new Probe(`${server.url}/readyz`);
  await until('answers without a backup', 10_000, () => quiet.count >= 50);
  const calm = await quiet.end();
  const probe = new Probe(`${server.url}/readyz`);
  const startedAt = performance.now();
  const made = await runCommand('backup', [], { ...env, ...address(place) });
  const tookMs = performance.now() - startedAt;
  const times = await probe.end();
  if (made.code !== 0) throw new Error(`The backup failed: ${made.output}`);
  const [name = ''] = readdirSync(directory).filter((file) => file.endsWith('.age'));
  const file = join(directory, name);
  const restore = (path: string, more: readonly string[] = []) =>
    runCommand('restore', [path, ...more], { ...env, ...address(elsewhere) });
  const restored = await restore(file);
  if (restored.code !== 0) throw new Error(`The restore failed: ${restored.output}`);
  const copy = await rowsOf(elsewhere, EVERYTHING);
  const original = await rowsOf(place, copy.last);
  let refused = 0;
  for (const damage of DAMAGES) {
    const damaged = join(place.dataDir, 'damaged.age');
    writeFileSync(damaged, damage(readFileSync(file)));
    const { code } = await restore(damaged, ['--replace']);
    if (code !== 0 && (await rowsOf(elsewhere, EVERYTHING)).hash === copy.hash) refused += 1;
  }
  Object.assign(protocol.counts, { rows: copy.rows, answers: times.length });
  Object.assign(protocol.figures, {
    ...{ backupMs: Math.round(tookMs), answerP99Ms: quantile(times, 0.99), answerMaxMs: greatest(times) },
    ...{ answerP99BeforeMs: quantile(calm, 0.99) },
  });
  protocol.goals.push(
    atLeast('rows restored', copy.rows, before * 4),
    atMost('rows that differ', copy.rows === original.rows && copy.hash === original.hash ? 0 : 1, 0),
    atLeast('damaged backups refused, with what was there unchanged', refused, DAMAGES.length),
    inTime('an answer beside the backup', greatest(times), 1_000),
  );
  await ground.judge(protocol.findings, 60_000);
};
