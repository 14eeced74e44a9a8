import { readFile } from 'node:fs/promises';
import { get } from 'node:http';
import { get as getSecurely } from 'node:https';

const LIVE_MS = 2_000;

export interface Listener {
  /** An address of IPv6 without brackets. */
  readonly host: string;
  readonly port: number;
  /** Of the API's own TLS; null without. */
  readonly certFile: string | null;
}

/** Whether a server of ours is there: it answers on /livez, and over TLS shows the configured certificate, whatever name that is for. */
export async function isOurs({ host, port, certFile }: Listener): Promise<boolean> {
  const where = { host, port, path: '/livez', agent: false, signal: AbortSignal.timeout(LIVE_MS) };
  try {
    const own = certFile === null ? null : await readFile(certFile);
    const { promise, resolve, reject } = Promise.withResolvers<boolean>();
    const request =
      own === null
        ? get(where)
        : getSecurely({ ...where, ca: own, allowPartialTrustChain: true, checkServerIdentity: () => undefined });
    request.on('error', reject).on('response', (response) => {
      let text = '';
      response.setEncoding('utf8').on('error', reject);
      response.on('data', (chunk: string) => {
        text += chunk;
        if (text.length > 3) response.destroy();
      });
      response.on('close', () => resolve(response.statusCode === 200 && text === 'ok\n'));
    });
    return await promise;
  } catch {
    return false;
  }
}
