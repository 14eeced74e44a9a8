import { chmodSync, closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createStream, type RotatingFileStream } from 'rotating-file-stream';
import type { Clock } from './clock.ts';
import { AppError, messageOf } from './errors.ts';
import { makePrivateDirectory } from './private-directory.ts';

export interface LogFileOptions {
  readonly directory: string;
  /** Rotated files kept; null keeps all. */
  readonly maxFiles: number | null;
  /** Bytes after which a file is rotated within its day. */
  readonly maxBytes: number;
  readonly clock: Clock;
  /** Told once when the file cannot be written any more, and once when it can again. */
  readonly onTrouble: (message: string) => void;
}

const CURRENT = 'tcp-dashboard.log';
const ROTATED = /^tcp-dashboard\.\d{4}-\d{2}-\d{2}\.\d+\.log$/;
/** What may wait for a slow disk; more is dropped and counted. */
const MAX_WAITING_BYTES = 8 * 1024 * 1024;
const REOPEN_AFTER_MS = 60_000;

/** The log file of the day; yesterday's, and one that got too big, are kept as tcp-dashboard.DATE.N.log. Only its owner may read it. */
export class LogFile implements AsyncDisposable {
  readonly #options: LogFileOptions;
  #stream: RotatingFileStream | null = null;
  /** When writing or opening failed last, by the monotonic clock; null while lines are written. */
  #failedAt: number | null = null;
  dropped = 0;

  /** @throws {AppError} CONFIG_INVALID when the directory cannot be made or written. */
  constructor(options: LogFileOptions) {
    this.#options = options;
    const { directory } = options;
    try {
      makePrivateDirectory(directory);
      closeSync(openSync(join(directory, CURRENT), 'a', 0o600));
      chmodSync(join(directory, CURRENT), 0o600); // it may be from a time before it was private
    } catch (error) {
      throw new AppError(
        'CONFIG_INVALID',
        `logging.log_directory: no log can be written in ${directory} (${messageOf(error)}); choose another directory or set logging.file_output to false`,
      );
    }
    this.#open();
  }

  /** Never waits and never throws. */
  write(line: string): void {
    if (this.#failedAt !== null && this.#options.clock.monotonic() - this.#failedAt > REOPEN_AFTER_MS) {
      this.#failedAt = this.#options.clock.monotonic();
      this.#open();
    }
    if (this.#stream === null || this.#stream.writableLength > MAX_WAITING_BYTES) this.dropped += 1;
    else this.#stream.write(line);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const stream = this.#stream;
    this.#stream = null;
    if (stream === null) return;
    await new Promise<void>((resolve) => {
      stream.once('close', resolve).once('error', () => resolve());
      stream.end();
    });
  }

  #open(): void {
    const { directory, maxBytes, clock, onTrouble } = this.#options;
    const stream = createStream(rotatedName, {
      path: directory,
      mode: 0o600,
      interval: '1d',
      intervalBoundary: true,
      intervalUTC: true,
      initialRotation: true,
      size: `${maxBytes}B`,
    });
    this.#stream = stream;
    stream.once('open', () => {
      if (this.#failedAt !== null) onTrouble(`Log lines are written to ${directory} again; ${this.dropped} were lost`);
      this.#failedAt = null;
      this.#cleanUp();
    });
    stream.on('rotated', () => this.#cleanUp());
    stream.on('error', (error) => {
      if (this.#stream === stream) this.#stream = null;
      if (this.#failedAt === null) onTrouble(`No log lines can be written to ${directory}: ${error.message}`);
      this.#failedAt = clock.monotonic();
    });
  }

  /** Removes the oldest rotated files above the limit. */
  #cleanUp(): void {
    const { directory, maxFiles } = this.#options;
    if (maxFiles === null) return;
    try {
      const newestFirst = readdirSync(directory)
        .filter((name) => ROTATED.test(name))
        .map((name) => ({ path: join(directory, name), at: statSync(join(directory, name)).mtimeMs }))
        .sort((a, b) => b.at - a.at || (a.path < b.path ? 1 : -1));
      for (const { path } of newestFirst.slice(maxFiles)) rmSync(path, { force: true });
    } catch (error) {
      this.#options.onTrouble(`Old log files in ${directory} cannot be removed: ${messageOf(error)}`);
    }
  }
}

/** The present file without a time; else the name it gets when it is put away. */
function rotatedName(time: Date | number | null, index = 1): string {
  if (time === null) return CURRENT;
  return `tcp-dashboard.${new Date(time).toISOString().slice(0, 10)}.${index}.log`;
}
