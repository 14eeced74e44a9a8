import { readFileSync, writeFileSync } from 'node:fs';

/** What a process holds of the machine's memory. */
export const residentMb = (pid: number): number => statusOf(pid, 'VmRSS');

/** The most it held since `forgetPeak`. */
export const peakMb = (pid: number): number => statusOf(pid, 'VmHWM');

export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5');

function statusOf(pid: number, name: string): number {
  const [, kB = '0'] = new RegExp(`${name}:\\s+(\\d+) kB`).exec(readFileSync(`/proc/${pid}/status`, 'utf8')) ?? [];
  return Number(kB) / 1024;
}
