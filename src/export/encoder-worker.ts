import { isMarkedAsUntransferable, parentPort, workerData } from 'node:worker_threads';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { EncoderAnswer, EncoderPlan, EncoderTask } from './encoder-thread.ts';
import { csvEncoder, ndjsonEncoder } from './lines.ts';
import { parquetEncoder } from './parquet.ts';

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
  // Handed over, not copied, unless it lies in the memory that Node shares out among small buffers.
  const memory = 'bytes' in said && said.bytes?.length ? (said.bytes.buffer as ArrayBuffer) : null;
  parentPort?.postMessage(said, memory === null || isMarkedAsUntransferable(memory) ? [] : [memory]);
};

answer(() => encoder.begin());
parentPort?.on('message', (task: EncoderTask) => answer(() => (task === null ? encoder.end() : encoder.page(task))));
