import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

interface ProfileNode {
  readonly id: number;
  readonly callFrame: { readonly functionName: string; readonly url: string; readonly lineNumber: number };
}

interface Profile {
  readonly nodes: readonly ProfileNode[];
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const SHOWN = 40;
const IDLE = new Set(['(idle)', '(program)', '(root)']);

/** The functions that hold the processor longest while it is measured, without paths of this machine. */
export function heaviest(directory: string): string {
  return readdirSync(directory)
    .filter((file) => file.endsWith('.cpuprofile'))
    .map((file) => table(JSON.parse(readFileSync(join(directory, file), 'utf8')) as Profile))
    .join('\n');
}

function table({ nodes, samples, timeDeltas }: Profile): string {
  const placeOf = new Map(nodes.map(({ id, callFrame }) => [id, place(callFrame)]));
  const times = new Map<string, number>();
  samples.forEach((id, k) => {
    const at = placeOf.get(id) ?? '?';
    times.set(at, (times.get(at) ?? 0) + (timeDeltas[k] ?? 0));
  });
  const idle = [...IDLE].reduce((sum, name) => sum + (times.get(name) ?? 0), 0);
  const all = timeDeltas.reduce((sum, delta) => sum + delta, 0) - idle;
  const rows = [...times].filter(([at]) => !IDLE.has(at)).toSorted((a, b) => b[1] - a[1]);
  const lines = rows
    .slice(0, SHOWN)
    .map(
      ([at, time]) =>
        `${((time / all) * 100).toFixed(1).padStart(5)} %  ${(time / 1e3).toFixed(0).padStart(7)} ms  ${at}`,
    );
  return `The main thread, ${(all / 1e6).toFixed(1)} s of work, by self time:\n${lines.join('\n')}\n`;
}

function place({ functionName, url, lineNumber }: ProfileNode['callFrame']): string {
  const file = url.startsWith('file://') ? fileURLToPath(url).replace(ROOT, '') : url;
  const shown = file.includes('node_modules/') ? file.slice(file.lastIndexOf('node_modules/')) : file;
  return `${functionName || '(anonymous)'}${shown ? ` ${shown}:${lineNumber + 1}` : ''}`;
}
