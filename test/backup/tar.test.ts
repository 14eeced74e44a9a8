import { execFileSync, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { ARCHIVE_END, packed, unpacked } from '../../src/backup/tar.ts';
import { temporary } from '../support/temporary.ts';

const all = async (chunks: readonly Uint8Array[]) =>
  Array.fromAsync(
    unpacked(
      (async function* () {
        yield* chunks;
      })(),
    ),
  );

it('gives back what was packed, however the bytes come in', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.uint8Array({ maxLength: 1_600 }), { maxLength: 5 }),
      fc.integer({ min: 1, max: 900 }),
      async (files, size) => {
        const entries = files.map((bytes, k) => ({ name: `tables/t/${k}.copy`, bytes: Buffer.from(bytes) }));
        const archive = Buffer.concat([...entries.map((entry) => packed(entry, 0)), ARCHIVE_END]);
        const chunks = Array.from({ length: Math.ceil(archive.length / size) }, (_, k) =>
          archive.subarray(k * size, (k + 1) * size),
        );
        expect(await all(chunks)).toEqual(entries);
      },
    ),
  );
});

it('is what tar unpacks', () => {
  if (spawnSync('tar', ['--version']).status !== 0) return console.warn('SKIPPED: there is no tar');
  const folder = temporary();
  const bytes = randomBytes(1_000);
  writeFileSync(
    join(folder, 'a.tar'),
    Buffer.concat([packed({ name: 'tables/x.copy', bytes }, 1_700_000_000_000), ARCHIVE_END]),
  );
  execFileSync('tar', ['-xf', 'a.tar'], { cwd: folder });
  expect(readFileSync(join(folder, 'tables/x.copy'))).toEqual(bytes);
});

it.each([
  ['nothing', Buffer.alloc(0)],
  ['no end', packed({ name: 'a', bytes: Buffer.from('b') }, 0)],
  ['an end too early', packed({ name: 'a', bytes: Buffer.alloc(2_000) }, 0).subarray(0, 1_000)],
  ['something else', Buffer.alloc(2_048, 'x')],
])('refuses %s', async (_what, bytes) => {
  await expect(all([bytes])).rejects.toMatchObject({ code: 'BACKUP_DAMAGED' });
});
