import { statSync } from 'node:fs';
import { lchown, readdir } from 'node:fs/promises';
import { join } from 'node:path';

/** As the system numbers them. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Whom files are to be given that root makes in a directory: they have to be the service's, too. Null for anybody else but root. */
export function ownerFor(directory: string): Owner | null {
  if (process.getuid?.() !== 0) return null;
  const { uid, gid } = statSync(directory);
  return { uid, gid };
}

/** Gives away a directory and all that is in it. */
export async function giveTree(directory: string, { uid, gid }: Owner): Promise<void> {
  for (const name of await readdir(directory, { recursive: true })) await lchown(join(directory, name), uid, gid);
  await lchown(directory, uid, gid);
}
