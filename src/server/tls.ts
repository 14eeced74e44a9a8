import { readFile } from 'node:fs/promises';
import type { Server as SecureServer } from 'node:https';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Log } from '../runtime/log.ts';

/** Paths of PEM files: the certificate with those that vouch for it, and its key. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const LOOK_MS = 1_000;

/** What a server is made with. */
type Identity = SecureContextOptions & { readonly cert: string; readonly key: string };

/** @throws {AppError} CONFIG_INVALID for files that cannot be read or do not fit together. */
export async function readIdentity(files: TlsFiles): Promise<Identity> {
  try {
    return await load(files);
  } catch (error) {
    throw new AppError(
      'CONFIG_INVALID',
      `tls.cert_file and tls.key_file are no certificate and its key (${messageOf(error)}); name two PEM files that belong together`,
      { cause: error },
    );
  }
}

/** Takes up new files as soon as both fit together; connections that are open keep what they began with. */
export function followIdentity(
  files: TlsFiles,
  current: Identity,
  {
    server,
    clock,
    log,
  }: { readonly server: Pick<SecureServer, 'setSecureContext'>; readonly clock: Clock; readonly log: Log },
): Disposable {
  let used = current;
  let complaint = '';
  let looking = false;
  const look = async () => {
    const found = await load(files);
    complaint = '';
    if (found.cert === used.cert && found.key === used.key) return;
    server.setSecureContext(found);
    used = found;
    log.info('The new certificate is used from now on');
  };
  return clock.every(LOOK_MS, () => {
    if (looking) return;
    looking = true;
    look()
      .catch((error: unknown) => {
        if (complaint === messageOf(error)) return;
        complaint = messageOf(error);
        log.warn('The certificate files cannot be used; what was read before stays', { reason: complaint });
      })
      .finally(() => {
        looking = false;
      });
  });
}

async function load({ certFile, keyFile }: TlsFiles): Promise<Identity> {
  const [cert, key] = await Promise.all([readFile(certFile, 'utf8'), readFile(keyFile, 'utf8')]);
  const identity: Identity = { cert, key, minVersion: 'TLSv1.3' };
  createSecureContext(identity); // throws where the key is of another certificate
  return identity;
}
