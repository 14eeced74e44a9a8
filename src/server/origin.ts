import type { IncomingMessage } from 'node:http';
import { isIP } from 'node:net';
import { AppError } from '../runtime/errors.ts';

const LOOPBACK = ['localhost', '127.0.0.1', '[::1]'];

export interface OriginRule {
  /**
   * Who may use the API from a browser. Returns the origin to allow by CORS, null when no page asked.
   * @throws {AppError} FORBIDDEN_ORIGIN for a page of elsewhere, and for a Host that is not ours: that is how a page
   * reaches a loopback server under its own name (DNS rebinding).
   */
  check(request: IncomingMessage): string | null;
}

/** Our own pages under any loopback name, and the origins that were allowed by configuration. `port` is read when asked. */
export function originRule({
  scheme = 'http',
  host,
  isLocal = true,
  port,
  allowedOrigins,
}: {
  scheme?: 'http' | 'https';
  host: string;
  /** Whether only this machine reaches it; else it has addresses nobody here knows. */
  isLocal?: boolean;
  port: () => number;
  allowedOrigins: readonly string[];
}): OriginRule {
  const hosts = new Set([...LOOPBACK, bracketed(host), ...allowedOrigins.map((origin) => new URL(origin).hostname)]);
  const isOwn = (origin: string, asked: string) =>
    [...LOOPBACK, bracketed(host), ...(isOtherAddress(asked) ? [asked] : [])].some(
      (name) => origin === new URL(`${scheme}://${name}:${port()}`).origin,
    );
  // A page elsewhere can have its own name lead here, but not an address.
  const isOtherAddress = (name: string) => !isLocal && isIP(name.replace(/^\[|\]$/g, '')) !== 0;
  return {
    check({ headers, method = 'GET' }) {
      const named = URL.parse(`http://${headers.host ?? ''}`);
      if (!named || !(hosts.has(named.hostname) || isOtherAddress(named.hostname)))
        throw new AppError(
          'FORBIDDEN_ORIGIN',
          'This server answers to its addresses and the names of server.allowed_origins only; use http://127.0.0.1',
        );
      const { origin } = headers;
      if (origin !== undefined) {
        if (isOwn(origin, named.hostname) || allowedOrigins.includes(origin)) return origin;
        throw new AppError(
          'FORBIDDEN_ORIGIN',
          `Pages of "${origin.slice(0, 100)}" may not use this API; add it to server.allowed_origins`,
        );
      }
      // A page can send a GET without Origin (an image, a script); browsers then still say where it comes from.
      const site = headers['sec-fetch-site'];
      const isVisit = headers['sec-fetch-mode'] === 'navigate' && method === 'GET';
      if ((site === 'cross-site' || site === 'same-site') && !isVisit)
        throw new AppError(
          'FORBIDDEN_ORIGIN',
          'Pages of other sites may not use this API; add their origin to server.allowed_origins',
        );
      return null;
    },
  };
}

const bracketed = (host: string): string => (host.includes(':') && !host.startsWith('[') ? `[${host}]` : host);
