import { sql } from 'drizzle-orm';
import type { Clock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import type { Connection } from './connections.ts';
import type { Database } from './database.ts';
import { LOCK_SPACE } from './migrate.ts';

/** A writer's place in the database, held through its connection. */
export interface WriterSlot {
  readonly id: number;
  /** Rises with every claim: whoever held the slot before is fenced off. */
  readonly epoch: bigint;
  /** Last committed sequence at the time of the claim. */
  readonly position: bigint;
  readonly connection: Connection;
}

/** Two bytes hold the slot. */
const LAST_SLOT = 32_767;

/**
 * Claims the slot whose numbers a spool carries already, or else the lowest one nobody owns, for that spool. Whoever owns a slot
 * has numbers out that nobody else may give again, so it stays theirs until `disownSlot`. Release it with `releaseSlot`.
 * @throws {AppError} WRITER_FENCED when the slot is somebody else's, or none is free.
 */
export async function claimSlot(
  db: Database,
  clock: Clock,
  { owner, writer, position }: { readonly owner: string; readonly writer: number | null; readonly position: bigint },
): Promise<WriterSlot> {
  const connection = await db.connect('trade writer');
  try {
    // Compiling a plan takes longer than a batch; a merge join would sort one twice over to find the few trades that begin and end a candle.
    await connection.query({ text: 'set jit = off; set enable_mergejoin = off' });
    await connection.plan('anew');
    if (writer !== null) await endHolder(connection, writer);
    const candidates = writer === null ? LAST_SLOT + 1 : 1;
    for (let id = writer ?? 0, tried = 0; tried < candidates; id += 1, tried += 1) {
      if (db.heldSlots.has(id)) continue;
      db.heldSlots.add(id); // before the lock is taken: who looks at the locks meanwhile shall not see another server
      let claimed: Awaited<ReturnType<typeof claim>> = null;
      try {
        if (!(await lock(connection, id))) continue;
        claimed = await claim(connection, id, clock.now(), owner, position);
        if (claimed !== null) return { id, connection, ...claimed };
        await unlock(connection, id);
      } finally {
        if (claimed === null) db.heldSlots.delete(id);
      }
    }
    throw new AppError(
      'WRITER_FENCED',
      writer === null
        ? `All ${LAST_SLOT + 1} writer slots are taken`
        : `Writer slot ${writer} is held by somebody else`,
    );
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Frees the slot for its owner's next claim. Repeating changes nothing. */
export async function releaseSlot(db: Database, { id, connection }: WriterSlot): Promise<void> {
  try {
    await connection.close();
  } finally {
    db.heldSlots.delete(id); // not before: its lock would pass for another server's
  }
}

/** Nothing with the slot's numbers is out any more: whoever comes next may have it. */
export async function disownSlot({ id, epoch, connection }: WriterSlot): Promise<void> {
  await connection.query({
    text: 'update tcp_dashboard.writer set owner = null where id = $1 and epoch = $2',
    values: [id, String(epoch)],
  });
}

/**
 * The slot is its owner's alone, and the owner is this process: whatever still holds its lock is a connection that died for us and
 * lives on in the server. On the embedded database all share one connection, and `heldSlots` counts.
 */
async function endHolder(connection: Connection, id: number): Promise<void> {
  await connection.query({
    text: `select pg_terminate_backend(pid, 2000) from pg_locks
      where locktype = 'advisory' and classid = $1 and objid = $2 and objsubid = 2 and pid <> pg_backend_pid()
        and database = (select oid from pg_database where datname = current_database())`,
    values: [LOCK_SPACE, id],
  });
}

async function lock(connection: Connection, id: number): Promise<boolean> {
  const [row] = await connection.query<{ held: boolean }>({
    text: 'select pg_try_advisory_lock($1, $2) as held',
    values: [LOCK_SPACE, id],
  });
  return row?.held ?? false;
}

async function unlock(connection: Connection, id: number): Promise<void> {
  await connection.query({ text: 'select pg_advisory_unlock($1, $2)', values: [LOCK_SPACE, id] });
}

/**
 * Where the numbers of a new writer begin: above all that were given before the database was last restored, also by writers the backup does
 * not know. They rise by less than 64 a millisecond.
 */
const FIRST_POSITION = `greatest($4::int8, coalesce((select floor(extract(epoch from ran_at) * 1000)::int8 * 64
  from tcp_dashboard.maintenance where job = 'restore'), 0))`;

/** After a restore, in its transaction: no writer of before may go on with its numbers, as it may have given some that the backup has not. */
export async function retireWriters(connection: Connection, now: number, takenAt: number): Promise<void> {
  await connection.query({
    text: `update tcp_dashboard.writer set owner = 'retired by a restore'`,
  });
  await connection.query({
    text: `insert into tcp_dashboard.maintenance as m (job, ran_at, reached) values ('restore', $1, $2)
      on conflict (job) do update set ran_at = greatest(m.ran_at, $1), reached = $2`,
    values: [new Date(now).toISOString(), new Date(takenAt).toISOString()],
  });
}

/** Whether anybody holds a slot of this database, this process included. */
export async function isWrittenTo(connection: Connection): Promise<boolean> {
  const [row] = await connection.query<{ written: boolean }>({
    text: `select exists (select from pg_locks where locktype = 'advisory' and classid = $1 and objsubid = 2 and granted and objid <= $2
      and database = (select oid from pg_database where datname = current_database())) as written`,
    values: [LOCK_SPACE, LAST_SLOT],
  });
  return row?.written ?? false;
}

/** Waits for a commit of the former holder that is under way, so the position it returns is settled. Null: it is somebody else's. */
async function claim(connection: Connection, id: number, now: number, owner: string, position: bigint) {
  const [row] = await connection.query<{ epoch: string; position: string }>({
    text: `insert into tcp_dashboard.writer as w (id, epoch, position, claimed_at, owner) values ($1, 1, ${FIRST_POSITION}, $2, $3)
      on conflict (id) do update set epoch = w.epoch + 1, claimed_at = $2, owner = $3
        where w.owner is null or w.owner = $3
      returning epoch, position`,
    values: [id, new Date(now).toISOString(), owner, String(position)],
  });
  return row === undefined ? null : { epoch: BigInt(row.epoch), position: BigInt(row.position) };
}

/** Whether another server holds a writer slot of this database now. */
export async function othersWrite(db: Database): Promise<boolean> {
  if (db.kind === 'embedded') return false;
  const rows = await db.readers.run((handle) =>
    handle.execute<{ id: number }>(
      sql`
      select objid::int as id from pg_locks
      where locktype = 'advisory' and classid = ${LOCK_SPACE} and objsubid = 2 and granted and objid <= ${LAST_SLOT}
        and database = (select oid from pg_database where datname = current_database())`,
      'objects',
    ),
  );
  return rows.some(({ id }) => !db.heldSlots.has(id));
}

/** Whether another server has committed anything since a time (ms): it may live, and claim its slot again in a moment. */
export async function othersWroteSince(db: Database, time: number): Promise<boolean> {
  const rows = await db.readers.run((handle) =>
    handle.execute<{ wrote: boolean }>(
      sql`select exists (select from tcp_dashboard.coverage where writer <> all(${sql.param([...db.heldSlots])}::int[])
        and updated_at > ${new Date(time).toISOString()}::timestamptz) as wrote`,
      'objects',
    ),
  );
  return rows[0]?.wrote ?? false;
}
