import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import type { Manifest } from '../export/manifest.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { count, size } from './amounts.ts';
import type { ClientSurroundings } from './client-command.ts';
import { manifestOf, PartialFile } from './export-file.ts';
import { refusedText } from './refused.ts';
import { rootOf, unreached } from './unreached.ts';

export interface ExportFlags {
  readonly exchange: string;
  readonly symbol: string;
  readonly type: string;
  readonly interval?: string | undefined;
  /** ISO-8601, UTC. */
  readonly from: string;
  readonly to?: string | undefined;
  readonly format: string;
  /** Where the file goes; without it a name made of the above, in the current folder. */
  readonly out?: string | undefined;
  readonly force: boolean;
  /** Where the server listens, e.g. "http://127.0.0.1:4000". */
  readonly url: string;
}

const ANSWER_MS = 60_000;
/** Longest time without a byte; a server that stands still does not keep us for ever. */
const SILENCE_MS = 120_000;
const INTERRUPTED = 130;

/**
 * Writes what a running server holds into a file, and its manifest beside it. Returns the exit code: 0 when both are there and whole, 1 when
 * it failed, 130 after Ctrl-C; then neither is.
 */
export async function runExport(flags: ExportFlags, around: ClientSurroundings): Promise<number> {
  const { print, view, interrupted, clock } = around;
  const begun = clock.monotonic();
  try {
    const manifest = await askManifest(flags, around);
    const path = flags.out ?? manifest.file;
    await using file = await PartialFile.create(path, flags.force);
    await download(new URL(manifest.href, flags.url).href, file, manifest, around);
    const sha256 = await file.complete();
    const rows = await rowsOf(file, flags.format);
    await file.publish({ ...manifest, file: nameOf(path), rows, bytes: file.bytes, sha256 });
    view.stop();
    const seconds = (clock.monotonic() - begun) / 1_000;
    print(`${path}: ${count(rows)} rows, ${size(file.bytes)}, ${seconds.toFixed(1)} s.`);
    print(`Coverage: ${manifest.coverage.summary}; see ${manifestOf(path)}`);
    return 0;
  } catch (error) {
    view.stop();
    print(interrupted.aborted ? 'export: interrupted; nothing was kept' : `export: ${messageOf(error)}`);
    return interrupted.aborted ? INTERRUPTED : 1;
  }
}

async function askManifest(flags: ExportFlags, around: ClientSurroundings): Promise<Manifest> {
  const { exchange, symbol, type, interval, from, to, format } = flags;
  const parameters = new URLSearchParams({
    ...{ exchange, symbol, type, from, format },
    ...(interval !== undefined && { interval }),
    ...(to !== undefined && { to }),
  });
  const url = new URL(`/export/manifest?${parameters}`, flags.url).href;
  const response = await ask(url, around, AbortSignal.timeout(ANSWER_MS));
  const found: unknown = await response.json().catch((error: unknown) => {
    if (!(error instanceof SyntaxError)) throw error;
  });
  if (isManifest(found)) return found;
  throw new Error(`${flags.url} does not answer like a TCP Dashboard server`);
}

/** Its `file` is written in the current folder, so it has to be a name and no way out of it. */
function isManifest(found: unknown): found is Manifest {
  const { href, file, coverage } = (found ?? {}) as Record<string, unknown>;
  const isName = typeof file === 'string' && nameOf(file) === file && !['', '.', '..'].includes(file);
  return isName && typeof href === 'string' && typeof coverage === 'object' && coverage !== null;
}

/** @throws {Error} with what the server, or the way to it, said. */
async function ask(url: string, around: ClientSurroundings, signal: AbortSignal): Promise<Response> {
  const response = await around
    .fetch(url, { signal: AbortSignal.any([signal, around.interrupted]) })
    .catch((error: unknown) => {
      throw unreached(url, error);
    });
  if (response.ok) return response;
  throw new Error(refusalOf(await response.text(), response.status));
}

function refusalOf(body: string, status: number): string {
  try {
    const { errors } = JSON.parse(body) as { errors: readonly Parameters<typeof refusedText>[0][] };
    const [error] = errors;
    if (error !== undefined) return refusedText(error);
  } catch {
    // not one of our servers
  }
  return `the server answered with status ${status}`;
}

async function download(url: string, file: PartialFile, manifest: Manifest, around: ClientSurroundings): Promise<void> {
  const silence = new AbortController();
  const { body } = await ask(url, around, silence.signal);
  if (body === null) throw new Error('the server sent nothing');
  const reader = body.getReader();
  const begun = around.clock.monotonic();
  for (;;) {
    const read = await within(reader.read(), around.clock, silence).catch((error: unknown) => {
      throw new Error(
        `the transfer broke off after ${size(file.bytes)} (${messageOf(rootOf(error))}); nothing was kept`,
        {
          cause: error,
        },
      );
    });
    if (read.done) return;
    await file.write(read.value);
    around.view.show(progressOf(file, manifest, (around.clock.monotonic() - begun) / 1_000));
  }
}

/** The answer, unless it takes too long; then the transfer is given up. */
async function within<T>(answer: Promise<T>, clock: Clock, silence: AbortController): Promise<T> {
  const heard = new AbortController();
  clock.sleep(SILENCE_MS, heard.signal).then(
    () => silence.abort(new Error(`nothing came for ${SILENCE_MS / 1_000} s`)),
    () => {},
  );
  try {
    return await answer;
  } finally {
    heard.abort();
  }
}

/** About what a row takes in Parquet, whose rows cannot be counted on the way. */
const PARQUET_ROW_BYTES = 20;

/** In rows. The total is an estimate, so it gives way; only the end is 100 %. */
function progressOf({ bytes, lines }: PartialFile, { format, estimatedRows }: Manifest, seconds: number) {
  const rows = format === 'parquet' ? Math.round(bytes / PARQUET_ROW_BYTES) : lines;
  const note = `${size(bytes)}, ${size(bytes / Math.max(seconds, 0.001))}/s`;
  return { done: BigInt(rows), total: BigInt(Math.max(estimatedRows, rows + 1)), note };
}

async function rowsOf(file: PartialFile, format: string): Promise<number> {
  if (format !== 'parquet') return format === 'csv' ? file.lines - 1 : file.lines;
  // Reading its end also shows that it is a whole file.
  const { num_rows } = await parquetMetadataAsync(await asyncBufferFromFile(file.part));
  return Number(num_rows);
}

const nameOf = (path: string): string => path.split(/[\\/]/).at(-1) ?? path;
