import { Agent, type IncomingMessage, request as plainRequest } from 'node:http';
import { Agent as SecureAgent, request as secureRequest } from 'node:https';
import { pipeline, Readable } from 'node:stream';
import { createGunzip } from 'node:zlib';
import { AppError } from './errors.ts';
import type { Outgoing } from './outgoing.ts';
import { tlsTroubleOf } from './tls-trouble.ts';

/** GET, without following redirects: whoever answers does not decide where we go. */
export type OutgoingFetch = (url: URL, init: { readonly signal: AbortSignal }) => Promise<Response>;

/** An unused connection is given up after this; exchanges keep theirs longer. */
const IDLE_MS = 4_000;

/**
 * Fetches from where connections may lead, over connections it keeps for a while. Only gzip is unpacked, as it is read.
 * The promise rejects with UPSTREAM_UNSAFE where the other side may not be reached or proves not to be who it should.
 */
export function outgoingFetch(outgoing: Outgoing): OutgoingFetch {
  const kept = { keepAlive: true, timeout: IDLE_MS, lookup: outgoing.lookup };
  const plain = new Agent(kept);
  // Said here, because a variable of the environment would turn it off for everybody else.
  const secure = new SecureAgent({ ...kept, rejectUnauthorized: true });
  return (url, { signal }) =>
    new Promise((resolve, reject) => {
      outgoing.check(url);
      const isSecure = url.protocol === 'https:';
      const request = (isSecure ? secureRequest : plainRequest)(url, {
        agent: isSecure ? secure : plain,
        headers: { accept: 'application/json', 'accept-encoding': 'gzip', 'user-agent': 'tcp-dashboard' },
        signal,
      });
      request.on('error', (cause) => {
        const trouble = tlsTroubleOf(cause, url.host);
        reject(trouble === null ? cause : new AppError('UPSTREAM_UNSAFE', trouble, { cause }));
      });
      request.on('response', (answer) => {
        try {
          resolve(responseOf(answer));
        } catch (error) {
          request.destroy();
          reject(error);
        }
      });
      request.end();
    });
}

function responseOf(answer: IncomingMessage): Response {
  const { statusCode = 0, rawHeaders } = answer;
  const headers = new Headers();
  for (let at = 0; at + 1 < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  return new Response(Readable.toWeb(unpacked(answer, headers.get('content-encoding'))) as ReadableStream<Uint8Array>, {
    status: statusCode,
    headers,
  });
}

function unpacked(answer: IncomingMessage, encoding: string | null): Readable {
  if (encoding === null || encoding === 'identity') return answer;
  if (encoding !== 'gzip')
    throw new TypeError(`the answer is packed as ${encoding.slice(0, 40)}, only gzip was offered`);
  return pipeline(answer, createGunzip(), () => {}); // the reader sees what went wrong
}

/** The text of an answer of so many bytes, unpacked, at most; null for a longer one, of which no more is read. */
export async function readBounded(response: Response, maxBytes: number): Promise<string | null> {
  const decoder = new TextDecoder();
  let text = '';
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.byteLength;
    if (bytes > maxBytes) return null;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
