/** Where the process kills itself, `name` or `name:n` for the n-th time it gets there; for tests of what a crash leaves behind. */
const [wanted, nth] = (process.env.TCP_CRASH_POINT ?? '').split(':');
let left = Number(nth ?? 1);

/** Marks a place between two steps of which the first must not be lost without the second. Does nothing unless the environment names it. */
export function crashPoint(name: string): void {
  if (name !== wanted) return;
  left -= 1;
  if (left <= 0) process.kill(process.pid, 'SIGKILL');
}
