import { parentPort, workerData } from 'node:worker_threads';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { EncoderAnswer, EncoderPlan, EncoderTask } from './encoder-thread.ts';
import { parquetEncoder } from './parquet.ts';
import { csvEncoder, ndjsonEncoder, rowsOf } from './table.ts';

const { format, columns, bounds } = workerData as EncoderPlan;
const encoder =
  format === 'csv'
    ? csvEncoder(columns)
    : format === 'ndjson'
      ? ndjsonEncoder(columns)
      : parquetEncoder(columns, bounds);

const answer = (work: () => Uint8Array | null): void => {
  let said: EncoderAnswer;
  try {
    said = { bytes: work() };
  } catch (error) {
    said = { failure: { code: error instanceof AppError ? error.code : null, message: messageOf(error) } };
  }
  // Handed over, not copied; bytes that share their memory with others are few.
  const bytes = 'bytes' in said ? said.bytes : null;
  const isOwn = bytes !== null && bytes.byteLength * 4 > bytes.buffer.byteLength && bytes.byteLength > 8_192;
  parentPort?.postMessage(said, isOwn ? [bytes.buffer as ArrayBuffer] : []);
};

answer(() => encoder.begin());
parentPort?.on('message', (task: EncoderTask) =>
  answer(() => (task === null ? encoder.end() : encoder.page(rowsOf(task, columns)))),
);
