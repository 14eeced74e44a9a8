import { closeSync, fsyncSync, openSync } from 'node:fs';

/** Returns when the names in a directory are on the disk: a power cut may take back a rename otherwise. */
export function syncDirectory(path: string): void {
  if (process.platform === 'win32') return; // its directories cannot be opened
  const directory = openSync(path, 'r');
  try {
    fsyncSync(directory);
  } finally {
    closeSync(directory);
  }
}
