import { readFileSync } from 'node:fs';
import type { ConnectionOptions } from 'node:tls';
import { AppError } from '../runtime/errors.ts';
import { isLoopback } from '../runtime/loopback.ts';

/** Where a database is and who asks. The password is a function, so that no inspection prints it. */
export interface Address {
  readonly host?: string;
  readonly port?: number;
  readonly user?: string;
  readonly password?: () => string;
  readonly database?: string;
  readonly ssl: ConnectionOptions | false;
}

/** Parameters of a libpq URL we understand; an unknown one is an error rather than a wrong guess. */
const PARAMETERS = ['host', 'port', 'user', 'password', 'dbname', 'sslmode', 'sslrootcert', 'application_name'];

/** @throws {AppError} CONFIG_INVALID; the message never repeats the URL, which may hold a password. */
export function readDatabaseUrl(text: string): Address {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url === null || !/^postgres(ql)?:$/.test(url.protocol))
    throw invalid('should be postgres://USER:PASSWORD@HOST:PORT/DATABASE, with special characters percent-encoded');
  const strange = [...url.searchParams.keys()].find((name) => !PARAMETERS.includes(name));
  if (strange !== undefined) throw invalid(`has a parameter that is not known; known are ${PARAMETERS.join(', ')}`);
  const part = (name: string, inUrl: string): string => url.searchParams.get(name) ?? decoded(inUrl);
  const host = part('host', url.hostname.replace(/^\[(.*)\]$/, '$1'));
  const port = part('port', url.port);
  if (!/^\d*$/.test(port) || Number(port) > 65_535) throw invalid('should have a port from 1 to 65535');
  const user = part('user', url.username);
  const password = part('password', url.password);
  const database = part('dbname', url.pathname.replace(/^\//, ''));
  const mode = url.searchParams.get('sslmode') ?? 'disable';
  if (LEFT_OPEN.includes(mode) && !isThisMachine(host))
    throw invalid(
      'leaves it to whoever is in between whether anything is encrypted: with sslmode=verify-full it is, with sslmode=disable it is not',
    );
  const ssl = tls(mode, url.searchParams.get('sslrootcert'));
  return {
    ...(host && { host }),
    ...(port && { port: Number(port) }),
    ...(user && { user }),
    ...(password && { password: () => password }),
    ...(database && { database }),
    ssl,
  };
}

/** libpq tries TLS and does without where it is refused, so that anybody between can refuse it. */
const LEFT_OPEN: readonly string[] = ['allow', 'prefer'];

/** A path is the directory of a socket. */
const isThisMachine = (host: string): boolean => host === '' || decoded(host).startsWith('/') || isLoopback(host);

const invalid = (rule: string) =>
  new AppError(
    'CONFIG_INVALID',
    `database.url (DATABASE_URL) ${rule}. Its value is not shown, as it may hold a password.`,
  );

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    throw invalid('should have its special characters percent-encoded');
  }
}

/** With TLS the certificate is always checked: `require` means what libpq calls `verify-full`. */
function tls(mode: string, rootCertificate: string | null): ConnectionOptions | false {
  if (mode === 'disable' || LEFT_OPEN.includes(mode)) return false;
  if (!['require', 'verify-ca', 'verify-full'].includes(mode))
    throw invalid('should have sslmode disable, require, verify-ca or verify-full');
  if (rootCertificate === null) return { minVersion: 'TLSv1.3' };
  try {
    return { minVersion: 'TLSv1.3', ca: readFileSync(rootCertificate, 'utf8') };
  } catch {
    throw invalid('names an sslrootcert that cannot be read');
  }
}
