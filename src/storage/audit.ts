import { and, desc, eq, lt, or, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { clockDoubt } from './partitions.ts';
import { auditEntry, maintenance } from './tables.ts';

/** Something somebody did, or was not allowed to do. */
export interface AuditEntry {
  /** Ms since the Unix epoch. */
  readonly at: number;
  readonly principal: string;
  /** How it was known who that is: "open", "anonymous", "token", "jwt". */
  readonly principalKind: string;
  /** The address it came from, as the socket says; behind a proxy the proxy's. Null where that is not known. */
  readonly address: string | null;
  /** The mutation. */
  readonly action: string;
  /** What it was done to, null for everything. */
  readonly target: string | null;
  /** As whoever did it said; null when nothing was said. */
  readonly reason: string | null;
  /** DONE, REFUSED for want of a role, the code of what went wrong, or UNKNOWN until there is one of these. */
  readonly outcome: string;
}

/** What a log of a server holds: entries, and how those that were there before their outcome ended. */
export type AuditEvent = AuditEntry | { readonly of: number; readonly outcome: string };

export interface StoredAuditEntry extends AuditEntry {
  readonly id: bigint;
}

export interface AuditQuery {
  readonly principal: string | null;
  readonly action: string | null;
  readonly limit: number;
  /** Only what is older than this entry. */
  readonly after: { readonly at: number; readonly id: bigint } | null;
}

/** Keeps what a log holds, all or nothing. Repeating changes nothing: the numbers in the log tell entries. */
export async function keepAudit(
  db: Database,
  log: string,
  events: readonly { readonly number: number; readonly event: AuditEvent }[],
): Promise<void> {
  const rows = events.flatMap(({ number, event }) =>
    'of' in event ? [] : [{ ...event, log, number, at: new Date(event.at) }],
  );
  await db.writers.transaction(async (tx) => {
    if (rows.length > 0) await tx.insert(auditEntry).values(rows).onConflictDoNothing();
    for (const { event } of events)
      if ('of' in event)
        await tx
          .update(auditEntry)
          .set({ outcome: event.outcome })
          .where(and(eq(auditEntry.log, log), eq(auditEntry.number, event.of)));
  });
}

/** The number of the newest entry of a log that is kept; 0 when none is. What follows it may be kept again. */
export async function auditedUpTo(db: Database, log: string): Promise<number> {
  const [row] = await db.writers.run((handle) =>
    handle
      .select({ newest: sql<number>`coalesce(max(${auditEntry.number}), 0)::float8` })
      .from(auditEntry)
      .where(eq(auditEntry.log, log)),
  );
  return Number(row?.newest ?? 0);
}

/** The newest first. */
export async function listAudit(
  db: Database,
  { principal, action, limit, after }: AuditQuery,
): Promise<{ readonly entries: readonly StoredAuditEntry[]; readonly hasMore: boolean }> {
  const before = after && { at: new Date(after.at), id: after.id };
  const rows = await db.readers.run((handle) =>
    handle
      .select()
      .from(auditEntry)
      .where(
        and(
          principal === null ? undefined : eq(auditEntry.principal, principal),
          action === null ? undefined : eq(auditEntry.action, action),
          before
            ? or(lt(auditEntry.at, before.at), and(eq(auditEntry.at, before.at), lt(auditEntry.id, before.id)))
            : undefined,
        ),
      )
      .orderBy(desc(auditEntry.at), desc(auditEntry.id))
      .limit(limit + 1),
  );
  const entries = rows.slice(0, limit).map((row) => ({ ...row, at: row.at.getTime() }));
  return { entries, hasMore: rows.length > limit };
}

const DAY_MS = 86_400_000;
/** Runs are an hour apart. More days at once than this have to be confirmed. */
const MOST_DAYS = 31;

/**
 * Drops what is older than `retentionMs`, but the newest entry of each log, which tells up to where it is kept. Refuses, and says why in
 * words, when more than a month beyond the last run would go while the newest trade, whose time is the exchange's, does not confirm our clock.
 */
export async function dropOldAudit(db: Database, retentionMs: number, now: number): Promise<string | null> {
  const reached = new Date(now - retentionMs);
  return db.writers.transaction(async (tx) => {
    const [last] = await tx.select().from(maintenance).where(eq(maintenance.job, 'audit'));
    const isOld = lt(auditEntry.at, reached);
    const [old] = await tx.select({ at: auditEntry.at }).from(auditEntry).where(isOld).orderBy(auditEntry.at).limit(1);
    if (old) {
      const since = last && last.reached > old.at ? last.reached : old.at;
      const days = Math.floor((reached.getTime() - since.getTime()) / DAY_MS);
      const doubt = days > MOST_DAYS ? await clockDoubt(tx, now, `${days} days of the audit log`) : null;
      if (doubt !== null) return doubt;
      await tx
        .delete(auditEntry)
        .where(
          and(
            isOld,
            sql`${auditEntry.number} < (select max(newer.number) from ${auditEntry} newer where newer.log = ${auditEntry.log})`,
          ),
        );
    }
    const run = { ranAt: new Date(now), reached };
    await tx
      .insert(maintenance)
      .values({ job: 'audit', ...run })
      .onConflictDoUpdate({ target: maintenance.job, set: run });
    return null;
  });
}
