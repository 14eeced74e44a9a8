import { existsSync, lchownSync, mkdirSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { ownerFor } from './left-to-owner.ts';

/**
 * Makes a directory and those above it, for their owner only; one that is there stays as it is. What root makes belongs to the
 * owner of the directory above. Step by step, because Node's own `recursive` never comes back where a directory exists and takes no
 * others, as /proc.
 */
export function makePrivateDirectory(path: string): void {
  const directory = resolve(path);
  if (existsSync(directory)) return;
  makePrivateDirectory(dirname(directory));
  try {
    mkdirSync(directory, { mode: 0o700 });
  } catch (error) {
    if (!existsSync(directory)) throw error;
    return; // another server that starts was faster
  }
  const owner = ownerFor(dirname(directory));
  if (owner !== null) lchownSync(directory, owner.uid, owner.gid);
}
