import { randomBytes } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** A secret nobody would write by chance, with characters that change when it is written into an address. */
export const canary = (name: string): string => `canary-${name}+${randomBytes(9).toString('base64url')}=/`;

/** How a secret may turn up: as it is, in an address, in JSON, in Base64 at any place of three, in hexadecimal. */
function disguises(secret: string): readonly string[] {
  const bytes = Buffer.from(secret);
  const inBase64 = [0, 1, 2].map((shift) => {
    const text = Buffer.concat([Buffer.alloc(shift), bytes]).toString('base64');
    return text.slice(shift === 0 ? 0 : shift + 1, -4); // without what its neighbours have a part in
  });
  return [
    ...[secret, encodeURIComponent(secret), encodeURI(secret), JSON.stringify(secret).slice(1, -1)],
    ...[...inBase64, ...inBase64.map((text) => text.replaceAll('+', '-').replaceAll('/', '_'))],
    bytes.toString('hex'),
  ];
}

/** Where a secret was found. */
export interface Hit {
  readonly secret: string;
  readonly place: string;
  readonly around: string;
}

/** Looks for secrets in all that a server leaves behind. */
export class CanarySearch {
  readonly #needles: readonly { readonly name: string; readonly text: string }[];
  readonly hits: Hit[] = [];
  bytes = 0;
  /** How often something was hidden: where that is never, nothing was put to the test. */
  hidden = 0;

  /** By their names. */
  constructor(secrets: Readonly<Record<string, string>>) {
    this.#needles = Object.entries(secrets).flatMap(([name, secret]) =>
      [...new Set(disguises(secret))].map((text) => ({ name, text })),
    );
  }

  text(place: string, text: string): void {
    this.bytes += text.length;
    this.hidden += text.split('[redacted]').length - 1;
    for (const { name, text: needle } of this.#needles) {
      const at = text.indexOf(needle);
      if (at >= 0) this.hits.push({ secret: name, place, around: text.slice(Math.max(0, at - 80), at + 120) });
    }
  }

  /** A file, or all files of a directory and those below it; returns how many. */
  files(path: string): number {
    if (!statSync(path).isDirectory()) {
      this.text(path, readFileSync(path, 'latin1'));
      return 1;
    }
    return readdirSync(path).reduce((files, name) => files + this.files(join(path, name)), 0);
  }
}
