/** One batch as it lies in the spool. */
export interface SpooledRow {
  readonly number: number;
  /** The last sequence of its writer after it. */
  readonly last: number;
  /** When it was written, ms. */
  readonly at: number;
  readonly body: string;
}

/** Where batches become durable. */
export interface SpoolPort {
  /** Bytes in use. */
  readonly bytes: number;
  /** @throws {AppError} SPOOL_FULL, which may pass; SPOOL_UNAVAILABLE, which does not. */
  append(rows: readonly SpooledRow[]): Promise<void>;
  /** The batches after this number, in order. */
  read(after: number, maxRows: number): Promise<readonly SpooledRow[]>;
  /** Lets go of the batches up to this number. */
  discard(through: number): Promise<void>;
}
