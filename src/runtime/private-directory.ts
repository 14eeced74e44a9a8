import { existsSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/**
 * Makes a directory and those above it, for their owner only; one that is there stays as it is. Step by step, because
 * Node's own `recursive` never comes back where a directory exists and takes no others, as /proc.
 */
export function makePrivateDirectory(path: string): void {
  const directory = resolve(path);
  if (existsSync(directory)) return;
  makePrivateDirectory(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(directory)) throw error; // else another server that starts was faster
  }
}
