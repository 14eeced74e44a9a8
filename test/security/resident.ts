import { readFileSync } from 'node:fs';

/** What a process holds of the machine's memory. */
export function residentMb(pid: number): number {
  const [, kB = '0'] = /VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) / 1024;
}
