import type { Random } from '../../runtime/clock.ts';

/** Full-jitter wait in ms before retry `attempt` (0-based): at first up to 250 ms, then doubling up to the cap. */
export const backoffMs = (attempt: number, capMs: number, random: Random): number =>
  random() * Math.min(capMs, 250 * 2 ** Math.min(attempt, 30));
