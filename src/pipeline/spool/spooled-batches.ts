import { messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { SpoolBatch } from './spool-batch.ts';
import type { SpooledRow, SpoolPort } from './spool-port.ts';
import { decodeItems } from './spool-text.ts';

/** Batches read back from the spool at a time. */
export const READ_ROWS = 16;

/** A batch as it lay in the spool; one that cannot be read is empty: its trades are missing then, which their ids tell. */
export function readBatch({ number, last, body }: SpooledRow, writer: number, log: Log): SpoolBatch {
  try {
    return { number, last: BigInt(last), items: decodeItems(body, writer) };
  } catch (error) {
    log.error('A spooled batch cannot be read', { number, reason: messageOf(error) });
    return { number, last: BigInt(last), items: [] };
  }
}

/** Every row in the spool, in order. */
export async function* everyRow(spool: SpoolPort): AsyncGenerator<SpooledRow> {
  for (let after = 0; ; ) {
    const rows = await spool.read(after, READ_ROWS);
    if (rows.length === 0) return;
    yield* rows;
    after = rows.at(-1)?.number ?? after;
  }
}
