import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '../../src/runtime/log.ts';
import { Spool } from '../../src/storage/spool/spool.ts';

const LIMIT = 64 * 1024 * 1024;
const directories: string[] = [];
afterEach(() => {
  for (const directory of directories.splice(0)) rmSync(directory, { recursive: true, force: true });
});

function directory(): string {
  const made = mkdtempSync(join(tmpdir(), 'tcp-spool-'));
  directories.push(made);
  return made;
}

const open = (where: string, limit = LIMIT) => Spool.open(where, limit, silentLog);
const row = (number: number, body = `batch ${number}`) => ({ number, last: number * 10, at: 1_000 + number, body });
const numbersIn = async (spool: Spool) => (await spool.read(0, 100_000)).map(({ number }) => number);

describe('the spool', () => {
  it('gives back what was appended, in order, and lets go of what was discarded', async () => {
    const where = directory();
    await using spool = await open(where);
    await spool.append([row(1), row(2)]);
    await spool.append([row(3, '\u00e9'.repeat(100_000))]);
    expect(await spool.read(1, 1)).toEqual([row(2)]);
    expect((await spool.read(2, 10))[0]?.body).toHaveLength(100_000);
    await spool.discard(2);
    expect(await numbersIn(spool)).toEqual([3]);
    expect(statSync(join(where, 'spool-0.sqlite')).mode & 0o777).toBe(0o600);
  });

  it('remembers over processes who it is and whose numbers it carries', async () => {
    const where = directory();
    let owner = '';
    {
      await using spool = await open(where);
      owner = spool.owner;
      expect(spool.writer).toBeNull();
      await spool.setWriter(7);
    }
    {
      await using spool = await open(where);
      expect([spool.owner, spool.writer]).toEqual([owner, 7]);
      await spool.setWriter(null);
    }
    await using spool = await open(where);
    expect([spool.owner, spool.writer]).toEqual([owner, null]);
  });

  it('belongs to one opener; a second one gets another spool', async () => {
    const where = directory();
    await using first = await open(where);
    await using second = await open(where);
    expect(second.owner).not.toBe(first.owner);
    expect(readdirSync(where).filter((name) => name.endsWith('.sqlite'))).toEqual(['spool-0.sqlite', 'spool-1.sqlite']);
  });

  it('has everything it confirmed after kill -9, at any moment', async () => {
    const where = directory();
    for (let round = 0; round < 5; round += 1) {
      const child = spawn(process.execPath, [fileURLToPath(new URL('./spool-child.ts', import.meta.url)), where]);
      const confirmed: number[] = [];
      for await (const line of createInterface({ input: child.stdout })) {
        confirmed.push(Number(line));
        if (confirmed.length === 40 + round * 17) child.kill('SIGKILL');
      }
      if (child.signalCode === null && child.exitCode === null) await once(child, 'exit');
      await using spool = await open(where);
      const found = new Set(await numbersIn(spool));
      expect(confirmed.filter((number) => !found.has(number))).toEqual([]);
      expect(confirmed.length).toBeGreaterThan(30);
    }
  }, 60_000);

  it('says that it is full, keeps what it has, and goes on once there is room', async () => {
    await using spool = await open(directory(), 1024 * 1024);
    let number = 0;
    const fill = async () => {
      for (;;) await spool.append([row(++number, 'x'.repeat(50_000))]);
    };
    await expect(fill()).rejects.toMatchObject({ code: 'SPOOL_FULL' });
    const kept = await numbersIn(spool);
    expect(kept).toEqual(Array.from({ length: number - 1 }, (_, at) => at + 1));
    await spool.discard(10);
    await spool.append([row(number)]);
    expect(await numbersIn(spool)).toEqual([...kept.slice(10), number]);
  });

  it('is found again by whoever comes next, also when an earlier one is free and empty', async () => {
    const where = directory();
    const first = await open(where);
    const second = await open(where);
    await second.append([row(7)]);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    await using next = await open(where);
    expect([next.owner, await numbersIn(next)]).toEqual([second.owner, [7]]);
  });

  it('survives any flipped bit: it opens, gives back only whole batches, and keeps the damaged file', async () => {
    const where = directory();
    const file = join(where, 'spool-0.sqlite');
    {
      await using spool = await open(where);
      await spool.append(Array.from({ length: 60 }, (_, at) => row(at + 1, `${'payload '.repeat(60)}${at}`)));
    }
    const sound = readFileSync(file);
    const expected = new Map(Array.from({ length: 60 }, (_, at) => [at + 1, `${'payload '.repeat(60)}${at}`]));
    let [damaged, whole] = [0, 0];
    for (let flip = 0; flip < 60; flip += 1) {
      const bytes = Buffer.from(sound);
      const at = (flip * 7919 + (flip < 20 ? flip * 3 : 100)) % bytes.length;
      bytes[at] = (bytes[at] ?? 0) ^ (1 << (flip % 8));
      for (const name of readdirSync(where)) rmSync(join(where, name));
      writeFileSync(file, bytes);
      await using spool = await open(where);
      const found = await spool.read(0, 1_000);
      for (const { number, body } of found) if (body !== '') expect(body).toBe(expected.get(number));
      if (found.filter(({ body }) => body !== '').length === 60) whole += 1;
      if (readdirSync(where).some((name) => name.includes('damaged'))) damaged += 1;
      await spool.append([row(1_000)]);
    }
    expect(damaged).toBeGreaterThan(0);
    expect(whole).toBeGreaterThan(10);
  }, 60_000);
});
