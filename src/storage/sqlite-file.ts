import { chmodSync, existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A file up to this size is read through at its start; a larger one only where it is used. */
const CHECKED_BYTES = 256 * 1024 * 1024;

/**
 * Opens a file alone, for its owner only, with every commit on the disk when it is made; `schema` makes what is not there yet.
 * @throws "database is locked" when somebody else has it open.
 */
export function openSqliteFile(file: string, schema: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    chmodSync(file, 0o600); // SQLite gives its write-ahead log the same
    db.exec('pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full');
    db.exec(schema);
    return db;
  } catch (error) {
    db.close();
    throw error;
  }
}

/** 11 SQLITE_CORRUPT, 26 SQLITE_NOTADB; a file somebody else holds is not damaged. */
export function isDamaged(file: string): boolean {
  if (!existsSync(file)) return false;
  const db = new DatabaseSync(file);
  try {
    const check = statSync(file).size > CHECKED_BYTES ? 'pragma schema_version' : 'pragma quick_check(1)';
    const answer = db.prepare(check).get();
    return answer?.quick_check !== undefined && answer.quick_check !== 'ok';
  } catch (error) {
    const code = error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : 0;
    if (code === 11 || code === 26) return true;
    throw error;
  } finally {
    db.close();
  }
}

/** Returns its new name. */
export function setAside(file: string): string {
  let number = 1;
  while (existsSync(`${file}.damaged-${number}`)) number += 1;
  const aside = `${file}.damaged-${number}`;
  renameSync(file, aside);
  for (const suffix of ['-wal', '-shm']) if (existsSync(file + suffix)) renameSync(file + suffix, aside + suffix);
  return aside;
}
