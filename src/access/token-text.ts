import { createHash, randomBytes } from 'node:crypto';
import { Secret } from '../runtime/secret.ts';

const ID_BYTES = 6;
const SECRET_BYTES = 32;
const FORM = /^tcpd_([0-9a-f]{12})_([\w-]{43})$/;

/** A token as it is made: `text` is shown once, the rest is kept. */
export interface NewToken {
  readonly text: Secret;
  readonly id: string;
  /** Of the secret part, hex. */
  readonly sha256: string;
}

/** `tcpd_<id>_<secret>`: the id finds it, the secret of 256 random bits proves it, so that a plain hash is enough to keep. */
export function makeToken(): NewToken {
  const id = randomBytes(ID_BYTES).toString('hex');
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  return { text: new Secret(`tcpd_${id}_${secret}`), id, sha256: hashOf(secret).toString('hex') };
}

/** The parts of any text: of one that is no token an id nobody has, so that it goes the way of all others. */
export function partsOf(text: string): { readonly id: string; readonly hash: Buffer } {
  const [, id = '', secret = text] = FORM.exec(text) ?? [];
  return { id, hash: hashOf(secret) };
}

const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
