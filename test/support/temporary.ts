import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';

const folders: string[] = [];

afterAll(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
});

/** A folder of its own, gone when the test file ends. */
export function temporary(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tcp-test-'));
  folders.push(folder);
  return folder;
}
