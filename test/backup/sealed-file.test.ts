import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { BackupKeys } from '../../src/backup/keys.ts';
import { readSealed, writeSealed } from '../../src/backup/sealed-file.ts';
import type { Entry } from '../../src/backup/tar.ts';
import { Secret } from '../../src/runtime/secret.ts';
import { temporary } from '../support/temporary.ts';
import { newKeys } from './keys.ts';

const folder = temporary();
let keys: BackupKeys;
let files = 0;

beforeAll(async () => {
  keys = await newKeys();
});

async function* of(...entries: readonly Entry[]): AsyncGenerator<Entry> {
  yield* entries;
}
const noise = (bytes: number): Entry => ({ name: 'noise', bytes: randomBytes(bytes) });
const written = async (...entries: readonly Entry[]): Promise<string> => {
  files += 1;
  const path = join(folder, `file-${files}`);
  await writeSealed(path, of(...entries), keys, 0);
  return path;
};
const read = (path: string, own = keys) => Array.fromAsync(readSealed(path, own));
const changed = (path: string, change: (bytes: Buffer) => Buffer): string => {
  writeFileSync(`${path}.changed`, change(readFileSync(path)));
  return `${path}.changed`;
};

describe('a sealed file', () => {
  it('gives back what went in, also beyond one piece of its seal', async () => {
    const entries = [noise(200_000), { name: 'empty', bytes: Buffer.alloc(0) }, noise(70_000)];
    const path = await written(...entries);
    expect(await read(path)).toEqual(entries);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('refuses any byte that is changed and any end that is missing', async () => {
    const path = await written(noise(150_000));
    const { size } = statSync(path);
    await fc.assert(
      fc.asyncProperty(fc.nat(size - 1), fc.boolean(), async (at, isCut) => {
        const broken = changed(path, (bytes) => {
          if (isCut) return bytes.subarray(0, at);
          bytes[at] = (bytes[at] ?? 0) ^ 1;
          return bytes;
        });
        await expect(read(broken)).rejects.toMatchObject({
          code: expect.stringMatching(/^BACKUP_(DAMAGED|KEY_WRONG)$/),
        });
      }),
      { numRuns: 60 },
    );
  });

  it('refuses one that lacks only what comes behind the last entry', async () => {
    // The last piece of the seal holds a few bytes of a checksum and nothing else: how long the rest is compressed to is found by trying.
    const [piece, seal] = [65_536, 16];
    for (let more = 0, tries = 0; ; tries += 1) {
      expect(tries).toBeLessThan(50);
      const tail = Buffer.concat([randomBytes(more), Buffer.alloc(4_096 - more)]);
      const path = await written(noise(63_000), { name: 'tail', bytes: tail });
      const sealed = readFileSync(path);
      const head = sealed.indexOf('\n', sealed.indexOf('\n---') + 1) + 1 + seal;
      const beyond = sealed.length - head - (piece + seal) - seal;
      if (beyond < 1 || beyond > 4) {
        more += 2 - beyond;
        continue;
      }
      const cut = changed(path, (whole) => whole.subarray(0, head + piece + seal));
      await expect(read(cut)).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
      return;
    }
  });

  it('opens with the passphrase it was made with, and no other', async () => {
    const passphrase = (text: string): BackupKeys => ({ recipients: [], passphrase: new Secret(text), identity: null });
    const path = join(folder, 'passphrase');
    await writeSealed(path, of(noise(10)), passphrase('the right one'), 0);
    expect(await read(path, passphrase('the right one'))).toHaveLength(1);
    await expect(read(path, passphrase('a wrong one'))).rejects.toMatchObject({ code: 'BACKUP_KEY_WRONG' });
    await expect(read(path)).rejects.toMatchObject({ code: 'BACKUP_KEY_WRONG' });
  });

  it('takes a key file as age-keygen writes it, and says where a wrong one came from without showing it', async () => {
    const path = await written(noise(10));
    const identity = (text: string) => ({ ...keys, identity: new Secret(text) });
    expect(await read(path, identity(`# created: now\n# public key: age1\n${keys.identity?.reveal()}\n`))).toHaveLength(
      1,
    );
    const refusal = read(path, identity('AGE-SECRET-KEY-1CANARY'));
    await expect(refusal).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
    await expect(refusal).rejects.toThrow(/BACKUP_IDENTITY(?!.*CANARY)/);
  });

  it('leaves nothing of what did not become whole', async () => {
    const path = join(folder, 'failing');
    async function* failing(): AsyncGenerator<Entry> {
      yield noise(100_000);
      throw new Error('the database is gone');
    }
    await expect(writeSealed(path, failing(), keys, 0)).rejects.toThrow('the database is gone');
    expect(existsSync(path)).toBe(false);
    expect(readdirSync(folder).filter((name) => name.startsWith('failing'))).toEqual([]);
  });
});
