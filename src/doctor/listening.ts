import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Config } from '../config/config.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import type { isOurs } from './answering.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

const DAY_MS = 86_400_000;
const RENEW_DAYS = 14;

/** `answers` tells whether a server of ours is at that address. */
export async function checkPort(
  { server: { host, port }, tls: { cert_file: certFile } }: Config,
  answers: typeof isOurs,
): Promise<Finding> {
  const at = `${host}:${port}`;
  const code = await listenOnce(withoutBrackets(host), port);
  if (code === null) return ok('port', port === 0 ? `${host} has free ports` : `${at} is free`);
  if (code !== 'EADDRINUSE') {
    const advice = 'Choose another by --host and --port; below 1024 needs a right of its own.';
    return fail('port', `${at} cannot be listened on (${code})`, advice);
  }
  if (await answers({ host: withoutBrackets(host), port, certFile }))
    return ok('port', `a server answers at ${at} already`);
  return fail('port', `${at} is taken by another program`, 'Stop it, or choose another port by --port or PORT.');
}

/** An address of IPv6 as sockets take it. */
const withoutBrackets = (host: string): string => host.replace(/^\[|\]$/g, '');

function listenOnce(host: string, port: number): Promise<string | null> {
  const server = createServer();
  return new Promise((resolve) => {
    server.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? error.message));
    server.listen(port, host, () => server.close(() => resolve(null)));
  });
}

/** Of the API's own TLS; nothing where it has none. */
export async function checkCertificate({ tls }: Config, clock: Clock): Promise<readonly Finding[]> {
  const { cert_file: certFile, key_file: keyFile } = tls;
  if (certFile === null || keyFile === null) return [];
  try {
    const certificate = new X509Certificate(await readFile(certFile));
    if (!certificate.checkPrivateKey(createPrivateKey(await readFile(keyFile))))
      return [
        fail('certificate', `${certFile} is not of the key ${keyFile}`, 'Name the two files that belong together.'),
      ];
    const until = Date.parse(certificate.validTo);
    const days = Math.floor((until - clock.now()) / DAY_MS);
    const advice = `Renew it; the server reads ${certFile} again by itself.`;
    if (days < 0) return [fail('certificate', `${certFile} ended ${-days} days ago`, advice)];
    const found = `${certFile} is valid for ${days} days`;
    return [days < RENEW_DAYS ? warn('certificate', found, advice) : ok('certificate', found)];
  } catch (error) {
    return [fail('certificate', `cannot be read: ${messageOf(error)}`, 'Give PEM files the server may read.')];
  }
}
