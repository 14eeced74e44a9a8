import { type Clock, type Random, systemClock } from '../runtime/clock.ts';
import { type Log, silentLog } from '../runtime/log.ts';

/** What every collector is given. The defaults serve someone who writes a collector of their own. */
export interface CollectorEnvironment {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export const DEFAULT_ENVIRONMENT: CollectorEnvironment = { clock: systemClock, random: Math.random, log: silentLog };
