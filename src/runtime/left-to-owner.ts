import { statSync } from 'node:fs';

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
