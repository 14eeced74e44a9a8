import { once } from 'node:events';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { ExportFile } from '../export/exporter.ts';
import { publicMessage } from '../graphql/errors.ts';
import type { Clock } from '../runtime/clock.ts';
import { AppError, ERRORS, type ErrorCode, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';
import { refuse, reply } from './reply.ts';

export const EXPORT_PATH = '/export';
export const MANIFEST_PATH = '/export/manifest';

export const isExport = (path: string): boolean => path === EXPORT_PATH || path === MANIFEST_PATH;

/** What the route serves. */
export interface ExportSource {
  manifest(parameters: URLSearchParams): Promise<object>;
  open(parameters: URLSearchParams): Promise<ExportFile>;
}

export interface ExportOptions {
  readonly exports: ExportSource;
  readonly clock: Clock;
  readonly log: Log;
}

/** Each has a thread and reads the database as fast as its client takes it. */
const AT_ONCE = 3;
const RETRY_AFTER_S = 5;
/** A client that takes nothing for so long is cut off. It holds no connection of the database meanwhile, but one of the places above. */
const STALL_MS = 60_000;
/** Handed to the socket at a time: that much has to go within STALL_MS. */
const SLICE_BYTES = 65_536;

const STATUS: Readonly<Partial<Record<ErrorCode, number>>> = {
  BAD_USER_INPUT: 400,
  EXCHANGE_UNKNOWN: 404,
  SYMBOL_UNKNOWN: 404,
  CURSOR_EXPIRED: 410,
  EXPORTS_BUSY: 503,
  DATABASE_UNAVAILABLE: 503,
};

/** A refusal is no file. */
const FILE_HEADERS = ['content-disposition', 'content-type'];

/** Answers both addresses of exports. */
export function exportRoute({ exports, clock, log }: ExportOptions) {
  let running = 0;
  const file = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (running >= AT_ONCE)
      throw new AppError('EXPORTS_BUSY', `${AT_ONCE} exports are running already; try again when one has ended`);
    running += 1;
    try {
      const { name, mediaType, parts } = await exports.open(parametersOf(request));
      response.setHeader('content-disposition', `attachment; filename="${name}"`);
      response.setHeader('content-type', mediaType);
      response.setHeader('cache-control', 'no-store');
      response.setHeader('x-content-type-options', 'nosniff');
      if (request.method === 'HEAD') return void response.end();
      await send(parts, response, clock);
    } finally {
      running -= 1;
    }
  };
  return async (path: string, request: IncomingMessage, response: ServerResponse): Promise<boolean> => {
    if (!isExport(path)) return false;
    try {
      if (path === EXPORT_PATH) await file(request, response);
      else {
        const manifest = await exports.manifest(parametersOf(request));
        reply(response, 200, 'application/json', `${JSON.stringify(manifest, null, 2)}\n`, {
          'cache-control': 'no-store',
        });
      }
    } catch (error) {
      const status = error instanceof AppError ? STATUS[error.code] : undefined;
      if (!response.headersSent) for (const header of FILE_HEADERS) response.removeHeader(header);
      if (response.headersSent || response.destroyed) {
        // Cut in the middle of a chunked body, so that nobody takes it for a whole one.
        if (!response.destroyed) log.warn('An export broke off', { reason: messageOf(error) });
        response.destroy();
      } else if (!(error instanceof AppError) || status === undefined) throw error;
      else {
        const later: Record<string, string> = status === 503 ? { 'retry-after': String(RETRY_AFTER_S) } : {};
        refuse(response, status, error.code, publicMessage(error) ?? ERRORS[error.code].hint, later);
      }
    }
    return true;
  };
}

const parametersOf = ({ url = '' }: IncomingMessage): URLSearchParams => new URLSearchParams(url.split('?', 2)[1]);

/** As fast as the client takes it, and no faster. @throws when it stalls; ends quietly when it left. */
async function send(parts: AsyncIterable<Uint8Array>, response: ServerResponse, clock: Clock): Promise<void> {
  for await (const part of parts) {
    if (response.destroyed) return; // also after a part without bytes
    for (let at = 0; at < part.length && !response.destroyed; at += SLICE_BYTES)
      if (!response.write(part.subarray(at, at + SLICE_BYTES))) await taken(response, clock);
  }
  response.end();
}

/** Resolves when the socket has room again, or is closed. */
async function taken(response: ServerResponse, clock: Clock): Promise<void> {
  if (response.destroyed) return;
  const waiting = new AbortController();
  const { signal } = waiting;
  const late = clock.sleep(STALL_MS, signal).then(() => {
    throw new Error(`the client took nothing for ${STALL_MS / 1_000} s`);
  });
  const quiet = (event: string) => once(response, event, { signal }).catch(() => {});
  try {
    await Promise.race([quiet('drain'), quiet('close'), late]);
  } finally {
    late.catch(() => {});
    waiting.abort();
  }
}
