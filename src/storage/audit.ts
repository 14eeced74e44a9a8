import { and, desc, eq, lt, or, sql } from 'drizzle-orm';
import type { Database } from './database.ts';
import { auditEntry } from './tables.ts';

/** Something somebody did, or was not allowed to do. */
export interface AuditEntry {
  /** Ms since the Unix epoch. */
  readonly at: number;
  readonly principal: string;
  /** How it was known who that is: "open", "anonymous", "token", "jwt". */
  readonly principalKind: string;
  /** The mutation. */
  readonly action: string;
  /** What it was done to, null for everything. */
  readonly target: string | null;
  /** As whoever did it said; null when nothing was said. */
  readonly reason: string | null;
  /** DONE, or the code of what went wrong. */
  readonly outcome: string;
}

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

/** Keeps entries of a log. Repeating changes nothing: their numbers in it tell them. */
export async function insertAudit(
  db: Database,
  log: string,
  entries: readonly { readonly number: number; readonly event: AuditEntry }[],
): Promise<void> {
  if (entries.length === 0) return;
  const rows = entries.map(({ number, event }) => ({ ...event, log, number, at: new Date(event.at) }));
  await db.writers.run((handle) => handle.insert(auditEntry).values(rows).onConflictDoNothing());
}

/** The number of the newest entry of a log that is kept; 0 when none is. */
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
