/** Where batches become durable. */
export interface SpoolPort {
  /** Bytes in use. */
  readonly bytes: number;
  /** @throws {AppError} SPOOL_FULL, which may pass; SPOOL_UNAVAILABLE, which does not. */
  append(
    rows: readonly { readonly number: number; readonly last: number; readonly at: number; readonly body: string }[],
  ): Promise<void>;
  read(
    after: number,
    maxRows: number,
  ): Promise<readonly { readonly number: number; readonly last: number; readonly at: number; readonly body: string }[]>;
  discard(through: number): Promise<void>;
}
