import type { Recorder } from './pipeline/recorder.ts';
import type { Clock } from './runtime/clock.ts';
import { messageOf } from './runtime/errors.ts';
import type { Log } from './runtime/log.ts';
import { dropOldAudit } from './storage/audit.ts';
import type { Database } from './storage/database.ts';
import { dropExpired, ensureMonthsAhead } from './storage/partitions.ts';

export interface HousekeepingOptions {
  readonly db: Database;
  readonly gaps: Pick<Recorder['gaps'], 'openMarkets' | 'openGaps' | 'giveUp'>;
  readonly retentionMs: number;
  /** Of the audit log. */
  readonly auditRetentionMs: number;
  readonly clock: Clock;
  readonly log: Log;
}

const EVERY_MS = 3_600_000;

/** Once an hour: makes partitions ahead, drops those and entries of the audit log retention keeps no longer, and lets go of what is missing of that time. */
export class Housekeeping implements Disposable {
  readonly #options: HousekeepingOptions;
  readonly #timer: Disposable;
  #refused: string | null = null;

  constructor(options: HousekeepingOptions) {
    this.#options = options;
    this.#timer = options.clock.every(EVERY_MS, () => {
      this.run().catch((error: unknown) =>
        options.log.warn('Housekeeping failed, trying again in an hour', { reason: messageOf(error) }),
      );
    });
  }

  /** Why the last run dropped nothing though it was time to, in words; null when it did. */
  get refused(): string | null {
    return this.#refused;
  }

  /** Repeating changes nothing. @throws {AppError} DATABASE_UNAVAILABLE. */
  async run(): Promise<void> {
    const { db, retentionMs, auditRetentionMs, clock, log } = this.#options;
    await ensureMonthsAhead(db, clock.now());
    const { dropped, refused: doubt } = await dropExpired(db, retentionMs, clock.now());
    const refused = doubt ?? (await dropOldAudit(db, auditRetentionMs, clock.now()));
    if (refused !== null && this.#refused === null) log.error('Retention drops nothing', { reason: refused });
    if (dropped.length > 0) log.info('Retention dropped partitions', { dropped });
    this.#refused = refused;
    if (refused === null) this.#letGo(clock.now() - retentionMs);
  }

  /** Of a clock that is doubted no gap is given up either: nobody would fetch it any more. */
  #letGo(before: number): void {
    const { gaps } = this.#options;
    for (const { exchange, symbol } of [...gaps.openMarkets()])
      for (const gap of gaps.openGaps(exchange, symbol))
        if (gap.to < before) gaps.giveUp(exchange, symbol, gap, 'older than retention keeps');
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }
}
