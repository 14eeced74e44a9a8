/** Who reads what comes: it counts, and keeps only the end. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { get, type IncomingMessage } from 'node:http';
import type { Readable } from 'node:stream';
import { parquetMetadata } from 'hyparquet';
import { answer } from '../frame/answer.ts';

export interface Read {
  readonly bytes: number;
  readonly lines: number;
  readonly seconds: number;
  /** Of the program that was asked for it, where that is one of its own. */
  readonly cpuSeconds: number;
}

const [LINE_FEED, TICKS_A_SECOND] = [0x0a, 100];
/** More than the metadata of any file here. */
const TAIL_BYTES = 4 << 20;

let bytes = 0;
let tail: Buffer[] = [];

async function read(begin: () => Promise<Readable>, end: () => Promise<unknown>): Promise<Read> {
  const [startedAt, cpuBefore] = [performance.now(), cpuOfChildren()];
  bytes = 0;
  let lines = 0;
  let kept = 0;
  tail = [];
  for await (const chunk of (await begin()) as AsyncIterable<Buffer>) {
    bytes += chunk.length;
    for (let at = chunk.indexOf(LINE_FEED); at >= 0; at = chunk.indexOf(LINE_FEED, at + 1)) lines += 1;
    tail.push(chunk);
    kept += chunk.length;
    while (kept - (tail[0]?.length ?? 0) > TAIL_BYTES) kept -= tail.shift()?.length ?? 0;
  }
  await end();
  const seconds = (performance.now() - startedAt) / 1_000;
  return { bytes, lines, seconds, cpuSeconds: cpuOfChildren() - cpuBefore };
}

/** Of children that have ended. */
function cpuOfChildren(): number {
  const fields = readFileSync('/proc/self/stat', 'utf8').split(') ')[1]?.split(' ') ?? [];
  return (Number(fields[13]) + Number(fields[14])) / TICKS_A_SECOND;
}

answer({
  byHttp: (url: string) =>
    read(
      async () => {
        const [response] = (await once(get(url), 'response')) as [IncomingMessage];
        if (response.statusCode !== 200) throw new Error(String(response.statusCode));
        return response;
      },
      async () => {},
    ),
  byPsql({ url, statement }: { readonly url: string; readonly statement: string }) {
    const psql = spawn('psql', [url, '-qXc', statement], { stdio: ['ignore', 'pipe', 'pipe'] });
    const ended = once(psql, 'close').then(([code]) => {
      if (code !== 0) throw new Error(`psql ended with ${code}: ${psql.stderr.read()}`);
    });
    ended.catch(() => {});
    return read(
      async () => psql.stdout,
      () => ended,
    );
  },
  bytes: () => bytes,
  rowsOfParquet: () => Number(parquetMetadata(Uint8Array.from(Buffer.concat(tail)).buffer).num_rows),
});
