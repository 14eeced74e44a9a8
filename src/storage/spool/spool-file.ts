import { chmodSync, existsSync, renameSync, statSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';

/** A file up to this size is read through at its start; a larger one only where it is used. */
const CHECKED_BYTES = 256 * 1024 * 1024;

/**
 * Opens a spool, alone: whoever else has it open makes this throw "database is locked". A damaged file is set aside, not deleted,
 * and what can still be read of it is taken over.
 */
export function openSpoolFile(file: string): DatabaseSync {
  if (isDamaged(file)) {
    const aside = setAside(file);
    const fresh = create(file);
    salvage(aside, fresh);
    return fresh;
  }
  return create(file);
}

/** Small facts that outlive the process, by name. */
export const readNotes = (db: DatabaseSync): Readonly<Record<string, string>> =>
  Object.fromEntries(
    db
      .prepare('select name, value from note')
      .all()
      .map(({ name, value }) => [String(name), String(value)]),
  );

function create(file: string): DatabaseSync {
  const db = new DatabaseSync(file);
  try {
    db.exec(`pragma locking_mode = exclusive; pragma journal_mode = wal; pragma synchronous = full; pragma cache_size = -4096;
      create table if not exists batch (number integer primary key, last integer not null, at integer not null, crc integer not null, body text not null);
      create table if not exists note (name text primary key, value text not null)`);
    chmodSync(file, 0o600); // SQLite gives its write-ahead log the same
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

function salvage(aside: string, into: DatabaseSync): void {
  for (const table of ['note', 'batch']) {
    try {
      const db = new DatabaseSync(aside);
      try {
        for (const row of db.prepare(`select * from ${table}`).iterate()) {
          const names = Object.keys(row);
          into
            .prepare(`insert or ignore into ${table} (${names.join(', ')}) values (${names.map(() => '?').join(', ')})`)
            .run(...Object.values(row));
        }
      } finally {
        db.close();
      }
    } catch {
      // Read as far as it went; what is gone is missing by its ids, and the file is kept.
    }
  }
}
