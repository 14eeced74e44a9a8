import { spawn } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import { afterAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { Connection } from '../../src/storage/connections.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { readSocketDirectory } from '../../src/storage/embedded/data-dir.ts';
import { addressOf, EmbeddedServer } from '../../src/storage/embedded/embedded-server.ts';
import { databaseOptions, freshOptions, testDatabaseKind } from '../support/database.ts';
import { listTrades, pageOf } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const CHILD = fileURLToPath(new URL('embedded-child.ts', import.meta.url));
const scratch: string[] = [];

afterAll(async () => {
  for (const directory of scratch) await rm(directory, { recursive: true, force: true });
});

async function emptyDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tcp-embedded-'));
  scratch.push(directory);
  return directory;
}

/** A process that opens the directory and records trades, telling each acknowledged id on a line of its own. */
function startChild(dataDir: string) {
  const child = spawn(process.execPath, [CHILD, dataDir], { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const lines: string[] = [];
  let rest = '';
  child.stdout.on('data', (bytes: Buffer) => {
    const parts = (rest + bytes.toString()).split('\n');
    rest = parts.pop() ?? '';
    lines.push(...parts);
  });
  const kill = async () => {
    child.kill('SIGKILL');
    await ended;
  };
  return { child, lines, kill };
}

describe.skipIf(testDatabaseKind() !== 'embedded')('the embedded database', () => {
  it('refuses a second opener within a second, naming the owner, who is not disturbed', async () => {
    const options = await freshOptions();
    await using owner = await openDatabase(options);
    const started = performance.now();
    await expect(openDatabase(options)).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${process.pid}.`),
    });
    expect(performance.now() - started).toBeLessThan(1_000);
    await owner.ping();
  });

  it('keeps what was acknowledged through kill -9, and opens again without a hand', async () => {
    const { dataDir } = await databaseOptions();
    const { child, lines, kill } = startChild(dataDir);
    await vi.waitFor(() => expect(lines.length).toBeGreaterThan(20), { timeout: 50_000 });
    await expect(openDatabase(await freshOptions({ url: null, dataDir }))).rejects.toMatchObject({
      code: 'DATA_DIR_IN_USE',
      message: expect.stringContaining(`process ${child.pid}.`),
    });
    await kill();
    await using db = await openDatabase(await freshOptions({ url: null, dataDir }));
    const { trades } = await listTrades(db, pageOf('KILL-ME', { limit: 1_000_000 }));
    const stored = new Set(trades.map(({ trade }) => trade.tradeId));
    expect(lines.filter((id) => !stored.has(id))).toEqual([]);
    await using writer = await openTestWriter(db, { owner: 'the spool of who is killed', writer: 0 });
    expect(writer.writer).toBe(0);
    expect(writer.position).toBe(BigInt(trades.length));
  });

  it('sets aside what a start killed in the middle left, and starts afresh', async () => {
    const dataDir = join(await emptyDir(), 'home', 'data');
    const { kill } = startChild(dataDir);
    await vi.waitFor(() => stat(join(dataDir, 'postgres.unfinished', 'base')), { timeout: 50_000, interval: 5 });
    await kill();
    expect(await readdir(dataDir)).not.toContain('postgres');
    await using db = await openDatabase(await freshOptions({ url: null, dataDir }));
    await db.ping();
    expect((await readdir(dataDir)).filter((name) => name.startsWith('postgres.unfinished-'))).toHaveLength(1);
    expect((await stat(dataDir)).mode & 0o777).toBe(0o700);
  });

  it('opens where the path is too long for a socket', async () => {
    const dataDir = join(await emptyDir(), 'long'.repeat(20), 'longer'.repeat(10));
    await mkdir(dataDir, { recursive: true });
    const options = await databaseOptions();
    await cp(options.dataDir, dataDir, { recursive: true });
    await using db = await openDatabase(await freshOptions({ url: null, dataDir }));
    await db.ping();
  });

  it('starts again by itself when its thread dies, and says so meanwhile', async () => {
    const { dataDir } = await databaseOptions();
    const errors: string[] = [];
    const log = { ...silentLog, error: (message: string) => void errors.push(message) };
    await using server = await EmbeddedServer.start(dataDir, systemClock, log);
    const { host = '', port = 0 } = server.address;
    const ask = async () => {
      const client = new pg.Client({ host, port, user: 'postgres', database: 'postgres' });
      client.on('error', () => {});
      await client.connect();
      const { rows } = await client.query('select 1 as one');
      await client.end();
      return rows;
    };
    expect(await ask()).toEqual([{ one: 1 }]);
    await server.thread?.terminate();
    await expect(ask()).rejects.toThrow();
    await vi.waitFor(async () => expect(await ask()).toEqual([{ one: 1 }]), { timeout: 30_000, interval: 200 });
    expect(errors).toEqual(['The embedded database stopped; it is started again']);
  });

  it('keeps the statements and transactions of its clients apart', async () => {
    const { dataDir } = await databaseOptions();
    await using server = await EmbeddedServer.start(dataDir, systemClock, silentLog);
    const { host = '', port = 0 } = server.address;
    const pool = new pg.Pool({ host, port, user: 'postgres', database: 'postgres', max: 5 });
    await pool.query('create table kept (x int)');
    const answers = await Promise.all(
      Array.from({ length: 60 }, async (_, at) => {
        const columns = Array.from({ length: (at % 5) + 1 }, (_ignored, n) => `$1::int + ${n} as c${n}`).join(', ');
        const named = { name: 'same', text: 'select $1::int as c0', values: [at] };
        const { rows } = await pool.query(at % 2 === 0 ? named : { text: `select ${columns}`, values: [at] });
        return rows[0].c0;
      }),
    );
    expect(answers).toEqual(Array.from({ length: 60 }, (_, at) => at));

    const holder = await pool.connect();
    await holder.query('begin');
    await holder.query('insert into kept values (1)');
    const seen = pool.query('select count(*)::int as n from kept');
    await holder.query('commit');
    holder.release();
    expect((await seen).rows).toEqual([{ n: 1 }]);

    const leaver = new pg.Client({ host, port, user: 'postgres', database: 'postgres' });
    leaver.on('error', () => {});
    await leaver.connect();
    await leaver.query('begin');
    await leaver.query('insert into kept values (2)');
    (leaver as unknown as { connection: { stream: { destroy(): void } } }).connection.stream.destroy();
    expect((await pool.query('select count(*)::int as n from kept')).rows).toEqual([{ n: 1 }]);
    await expect(pool.query('select 1 / 0')).rejects.toMatchObject({ code: '22012' });
    expect((await pool.query('select 2 as two')).rows).toEqual([{ two: 2 }]);
    await pool.end();
  });

  it('takes and gives rows by COPY, beside others, and says what is wrong with them', async () => {
    const { dataDir } = await databaseOptions();
    await using server = await EmbeddedServer.start(dataDir, systemClock, silentLog);
    const open = () => Connection.open(server.address, { name: 'copy', statementMs: null, answerMs: null });
    const [one, other] = [await open(), await open()];
    await one.query({ text: 'create table copied (x int, y text)' });
    const rows = Buffer.from(Array.from({ length: 20_000 }, (_, n) => `${n}\tsome text, ${n}\n`).join(''));
    const [, , counted] = await Promise.all([
      one.copyIn('copy copied (x, y) from stdin', rows),
      other.copyIn('COPY copied\n(x, y)\nFROM  STDIN', Buffer.from('-1\t\\N\n')),
      other.query({ text: 'select 1 as one' }),
    ]);
    expect(counted).toEqual([{ one: 1 }]);
    const out = await other.copyOut('copy (select * from copied where x >= 0 order by x) to stdout');
    expect(out.equals(rows)).toBe(true);
    await expect(one.copyIn('copy copied (x, y) from stdin', Buffer.from('no number\ty\n'))).rejects.toMatchObject({
      code: '22P02',
    });
    await expect(one.copyIn('copy nowhere (x) from stdin', rows)).rejects.toMatchObject({ code: '42P01' });
    await expect(one.copyOut('copy nowhere to stdout')).rejects.toMatchObject({ code: '42P01' });
    expect(await one.query({ text: 'select count(*)::int as n from copied' })).toEqual([{ n: 20_001 }]);
    await one.query({ text: 'begin' });
    await one.copyIn('copy copied (x, y) from stdin', Buffer.from('7\ty\n'));
    await one.query({ text: 'rollback' });
    expect(await other.query({ text: 'select count(*)::int as n from copied' })).toEqual([{ n: 20_001 }]);
    await one.close();
    await other.close();
  });

  it('notes where its socket is, for programs beside it', async () => {
    const { dataDir } = await databaseOptions();
    {
      await using server = await EmbeddedServer.start(dataDir, systemClock, silentLog);
      expect(addressOf(await readSocketDirectory(dataDir))).toEqual(server.address);
    }
    await expect(readSocketDirectory(dataDir)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});
