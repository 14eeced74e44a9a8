import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import type { RowResult } from './measure.ts';

/** One run of one benchmark, as it is kept. */
export interface BenchResult {
  readonly bench: string;
  readonly title: string;
  readonly date: string;
  readonly commit: string;
  readonly machine: string;
  readonly node: string;
  readonly command: string;
  /** Processes that wanted the processor, averaged over a minute, before and after. */
  readonly load: readonly [number, number];
  readonly rows: readonly RowResult[];
}

export const resultFile = (name: string): URL => new URL(`../results/${name}.json`, import.meta.url);
export const profileFile = (name: string): URL => new URL(`../results/${name}.profile.txt`, import.meta.url);

export function writeResult(result: BenchResult): void {
  writeFileSync(resultFile(result.bench), `${JSON.stringify(result, null, 2)}\n`);
}

export function readResult(name: string): BenchResult | null {
  const file = resultFile(name);
  return existsSync(file) ? (JSON.parse(readFileSync(file, 'utf8')) as BenchResult) : null;
}

export const loadNow = (): number => Math.round((loadavg()[0] ?? 0) * 10) / 10;

export function surroundings(): Pick<BenchResult, 'date' | 'commit' | 'machine' | 'node'> {
  const [first] = cpus();
  return {
    date: new Date().toISOString().slice(0, 16).concat('Z'),
    commit: commitNow(),
    machine: `${first?.model ?? 'unknown'}, ${cpus().length} cores`,
    node: process.version,
  };
}

function commitNow(): string {
  const git = (...args: string[]) =>
    execFileSync('git', args, { cwd: new URL('.', import.meta.url), encoding: 'utf8' }).trim();
  try {
    const dirty = git('status', '--porcelain', '--untracked-files=no', '--', '../../src', '../../bench');
    const changed = dirty.split('\n').some((line) => line !== '' && !/bench\/(results\/|README)/.test(line));
    return git('rev-parse', '--short=9', 'HEAD') + (changed ? ' and changes' : '');
  } catch {
    return 'unknown';
  }
}
