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

/** What a writer remembers of the slot it lost. */
export interface LostSlot {
  readonly id: number;
  readonly position: bigint;
  /** The server's number of the lost connection, which may still hold the slot. */
  readonly backend: number | null;
}

/** Two bytes hold the slot. */
const LAST_SLOT = 32_767;

/** Claims the slot that was lost, if it is free, else the lowest free one. Release it with `releaseSlot`. */
export async function claimSlot(db: Database, clock: Clock, lost: LostSlot | null): Promise<WriterSlot> {
  const connection = await db.connect('trade writer');
  try {
    // A plan made while a month was empty would be kept while it grows.
    await connection.query({ text: 'set plan_cache_mode = force_custom_plan' });
    if (lost !== null) await endBackend(connection, lost);
    for (const id of candidates(lost)) {
      if (db.heldSlots.has(id) || !(await lock(connection, id))) continue;
      db.heldSlots.add(id);
      return { id, connection, ...(await claim(connection, id, clock.now(), id === lost?.id ? lost.position : 0n)) };
    }
    throw new AppError('WRITER_FENCED', `All ${LAST_SLOT + 1} writer slots are taken`);
  } catch (error) {
    await connection.close();
    throw error;
  }
}

/** Frees the slot for the next server. Repeating changes nothing. */
export async function releaseSlot(db: Database, { id, connection }: WriterSlot): Promise<void> {
  db.heldSlots.delete(id);
  await connection.close();
}

function* candidates(lost: LostSlot | null): Generator<number> {
  if (lost !== null) yield lost.id;
  for (let id = 0; id <= LAST_SLOT; id++) if (id !== lost?.id) yield id;
}

/** A connection that died for us may live on in the server and hold the lock; only that one is ended. */
async function endBackend(connection: Connection, { id, backend }: LostSlot): Promise<void> {
  await connection.query({
    text: `select pg_terminate_backend(pid, 2000) from pg_locks
      where locktype = 'advisory' and classid = $1 and objid = $2 and pid = $3 and pid <> pg_backend_pid()`,
    values: [LOCK_SPACE, id, backend],
  });
}

async function lock(connection: Connection, id: number): Promise<boolean> {
  const [row] = await connection.query<{ held: boolean }>({
    text: 'select pg_try_advisory_lock($1, $2) as held',
    values: [LOCK_SPACE, id],
  });
  return row?.held ?? false;
}

/** Waits for a commit of the former owner that is under way, so the position it returns is settled. */
async function claim(connection: Connection, id: number, now: number, known: bigint) {
  const [row] = await connection.query<{ epoch: string; position: string }>({
    // A restored or failed-over database may lie behind what we published: those sequences are not given out again.
    text: `insert into tcp_dashboard.writer as w (id, epoch, position, claimed_at) values ($1, 1, $3, $2)
      on conflict (id) do update set epoch = w.epoch + 1, position = greatest(w.position, $3), claimed_at = $2
      returning epoch, position`,
    values: [id, new Date(now).toISOString(), String(known)],
  });
  if (row === undefined) throw new AppError('WRITER_FENCED', `Writer slot ${id} could not be claimed`);
  return { epoch: BigInt(row.epoch), position: BigInt(row.position) };
}
