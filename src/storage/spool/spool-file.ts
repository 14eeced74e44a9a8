import { DatabaseSync } from 'node:sqlite';
import { isDamaged, openSqliteFile, setAside } from '../sqlite-file.ts';

const SCHEMA = `pragma cache_size = -4096;
  create table if not exists batch (number integer primary key, last integer not null, at integer not null, crc integer not null, body text not null);
  create table if not exists note (name text primary key, value text not null)`;

/**
 * Opens a spool, alone: whoever else has it open makes this throw "database is locked". A damaged file is set aside, not deleted,
 * and what can still be read of it is taken over.
 */
export function openSpoolFile(file: string): DatabaseSync {
  const aside = isDamaged(file) ? setAside(file) : null;
  const db = openSqliteFile(file, SCHEMA);
  if (aside !== null) salvage(aside, db);
  return db;
}

/** Small facts that outlive the process, by name. */
export const readNotes = (db: DatabaseSync): Readonly<Record<string, string>> =>
  Object.fromEntries(
    db
      .prepare('select name, value from note')
      .all()
      .map(({ name, value }) => [String(name), String(value)]),
  );

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
