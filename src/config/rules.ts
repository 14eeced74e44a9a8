import { isIP } from 'node:net';
import { z } from 'zod';
import { isLoopback } from '../runtime/loopback.ts';

/**
 * The kinds of value a configuration holds. Each carries its rule as one text,
 * which is the message of every problem with it and its row in the reference.
 */
export const wholeNumber = (from: number, to: number) => {
  const error = `must be a whole number from ${from} to ${to}`;
  return z.int({ error }).min(from, { error }).max(to, { error }).meta({ rule: error });
};

export const seconds = (from: number, to: number) => {
  const error = `must be a number of seconds from ${from} to ${to}`;
  return z.number({ error }).min(from, { error }).max(to, { error }).meta({ rule: error });
};

export const yesOrNo = () => z.boolean({ error: 'must be true or false' }).meta({ rule: 'must be true or false' });

export const oneOf = <const T extends readonly [string, ...string[]]>(words: T) => {
  const error = `must be one of ${words.join(', ')}`;
  return z.enum(words, { error }).meta({ rule: error });
};

/** Text that `holds` accepts; `rule` says in words what that is. */
export const text = (rule: string, holds: (value: string) => boolean) =>
  z.string({ error: rule }).refine(holds, { error: rule }).meta({ rule });

export const list = <T extends z.ZodType>(rule: string, element: T) => z.array(element, { error: rule }).meta({ rule });

/** An object of settings: unknown keys are problems, missing ones take their defaults. */
export const group = <T extends z.ZodRawShape>(shape: T) =>
  z.strictObject(shape, { error: 'must be an object, { ... }' });

/** The address of an exchange: encrypted, except where it is on this machine, as a simulator's. */
export const exchangeUrl = (scheme: 'ws' | 'http') =>
  text(
    `must be a ${scheme}s:// URL without a user name (${scheme}:// only for 127.0.0.1, ::1 or localhost)`,
    (value) => {
      const url = URL.parse(value);
      if (url?.username !== '' || url.password !== '' || !isPlainlyWritten(value, url)) return false;
      return url.protocol === `${scheme}s:` || (url.protocol === `${scheme}:` && isLoopback(url.hostname));
    },
  );

/** A host in another spelling (127.1, 0x7f000001), a line break or a backslash is read as something else than what stands there. */
function isPlainlyWritten(value: string, { protocol, hostname }: URL): boolean {
  const start = `${protocol}//${hostname}`;
  return value.toLowerCase().startsWith(start) && /^(:\d+)?([/?][!-~]*)?$/.test(value.slice(start.length));
}

/** An address or a name to listen on. */
export const isHost = (host: string): boolean =>
  isIP(host.replace(/^\[(.*)\]$/, '$1')) !== 0 ||
  /^[a-z\d]([a-z\d-]{0,61}[a-z\d])?(\.[a-z\d]([a-z\d-]{0,61}[a-z\d])?)*$/i.test(host);

export const isPostgresUrl = (value: string): boolean =>
  /^postgres(ql)?:\/\//i.test(value) && URL.canParse(value) && decodes(URL.parse(value)?.password ?? '');

function decodes(escaped: string): boolean {
  try {
    decodeURIComponent(escaped);
    return true;
  } catch {
    return false;
  }
}
