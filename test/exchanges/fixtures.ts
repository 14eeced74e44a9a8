import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { isObject } from '../../src/exchanges/json.ts';

const FOLDER = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));

/** Third-party recordings are not ours to commit: the suites that read them are skipped, and say so, where they are absent. */
export function hasFixtures(exchange: string): boolean {
  if (existsSync(`${FOLDER}${exchange}`)) return true;
  console.warn(`SKIPPED: recorded frames of ${exchange} are not tested, because ${FOLDER}${exchange} does not exist.`);
  return false;
}

export const fixtureFiles = (exchange: string): readonly string[] =>
  hasFixtures(exchange) ? readdirSync(`${FOLDER}${exchange}`).sort() : [];

/** The lines of one file, unpacked where it is compressed. */
export function linesOf(exchange: string, file: string): readonly string[] {
  const bytes = readFileSync(`${FOLDER}${exchange}/${file}`);
  const text = (file.endsWith('.gz') ? gunzipSync(bytes) : bytes).toString('utf8');
  return text.split('\n').filter((line) => line !== '');
}

/** A frame as it came over the wire, and when, in ms. */
export interface Recorded {
  readonly dir: 'in' | 'out';
  readonly receivedAt: number;
  readonly text: string;
}

/** Bare frames, and sessions whose lines wrap them as `{ ts, dir, conn, raw }`. */
export const framesOf = (exchange: string, file: string): readonly Recorded[] =>
  linesOf(exchange, file).map((line) => {
    const wrapper: unknown = file.includes('session') ? JSON.parse(line) : null;
    if (!isObject(wrapper))
      return { dir: file.startsWith('client-sent') ? 'out' : 'in', receivedAt: 1_800_000_000_000, text: line };
    return {
      dir: wrapper.dir === 'out' ? 'out' : 'in',
      receivedAt: Math.round(Number(wrapper.ts) * 1_000),
      text: String(wrapper.raw),
    };
  });

/** REST exchanges, `{ url, ts, body }` a line. */
export const answersOf = (exchange: string, file: string): readonly { url: URL; body: string }[] =>
  linesOf(exchange, file).map((line) => {
    const { url, body } = JSON.parse(line) as { url: string; body: string };
    return { url: new URL(url, 'https://exchange.test'), body };
  });
