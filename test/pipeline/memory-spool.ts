import type { SpoolPort } from '../../src/pipeline/spool/spool-port.ts';
import { AppError } from '../../src/runtime/errors.ts';

type Row = Parameters<SpoolPort['append']>[0][number];

/** A spool on a disk that is memory: what was appended is there for the next process, what was on its way is not. */
export class MemorySpool implements SpoolPort {
  readonly rows: Row[] = [];
  appends = 0;
  /** Thrown by the next appends. */
  failure: Error | null = null;
  /** Awaited by each append before it is durable. */
  sync: () => Promise<void> = () => Promise.resolve();

  get bytes(): number {
    return this.rows.reduce((sum, { body }) => sum + body.length, 0);
  }

  async append(rows: readonly Row[]): Promise<void> {
    this.appends += 1;
    await this.sync();
    if (this.failure) throw this.failure;
    this.rows.push(...rows);
  }

  async read(after: number, maxRows: number): Promise<readonly Row[]> {
    await Promise.resolve();
    return this.rows.filter(({ number }) => number > after).slice(0, maxRows);
  }

  async discard(through: number): Promise<void> {
    await Promise.resolve();
    const kept = this.rows.filter(({ number }) => number > through);
    this.rows.splice(0, this.rows.length, ...kept);
  }
}

export const spoolFull = (): AppError => new AppError('SPOOL_FULL', 'The spool has no room: database or disk is full');
