import type { RecorderStatus } from '../pipeline/recorder.ts';
import { allCollectors } from './all-collectors.ts';
import type { Keeping, ObservedCollector, Services } from './context.ts';

export type Level = 'OK' | 'DEGRADED' | 'DOWN';

export interface Judgement {
  readonly level: Level;
  /** What is wrong and what is being done about it, in words. */
  readonly reasons: readonly string[];
}

/** How backups by schedule are doing at a time, in ms since the epoch. */
export type Backups = NonNullable<ReturnType<Keeping['backups']>> & { readonly now: number };

/** Of the newest that counts, in ms; null without one. */
export const ageOf = ({ newestAt, now }: Backups): number | null => (newestAt === null ? null : now - newestAt);

/** The whole in one word and in sentences. */
export function judge(
  { collectors, keeping }: Pick<Services, 'collectors' | 'keeping'>,
  { state, reason, drain, intake }: RecorderStatus['trades'],
  backups: Backups | null,
): Judgement {
  const reasons: string[] = [];
  if (!collectors.getStatus().isRunning) reasons.push('The collectors are not supervised.');
  if (state !== 'STORING') reasons.push(asSentence(reason));
  if (drain.refused + intake.unfit > 0) reasons.push('Some trades could not be recorded; the log says which.');
  const all = allCollectors(collectors);
  reasons.push(...all.flatMap((collector) => collectorReason(collector, collectors.restartInMs(collector.name))));
  reasons.push(...backupReasons(backups));
  const refused = keeping.retentionRefused();
  if (refused !== null) reasons.push(`Retention drops nothing until the clock is right: ${refused}.`);
  if (state === 'FULL' || allInError(all)) return { level: 'DOWN', reasons };
  return { level: reasons.length > 0 ? 'DEGRADED' : 'OK', reasons };
}

function allInError(collectors: readonly ObservedCollector[]): boolean {
  const wanted = collectors.map((one) => one.getHealthStatus()).filter(({ shouldBeRunning }) => shouldBeRunning);
  return wanted.length > 0 && wanted.every(({ status }) => status === 'error');
}

/** What is wrong with it and what is done about it; nothing of one that is healthy. */
function collectorReason(collector: ObservedCollector, restartMs: number | null): readonly string[] {
  const { isHealthy, issues, status } = collector.getHealthStatus();
  if (isHealthy) return [];
  const told = issues.map(asSentence);
  if (status === 'error' && !collector.getStatus().autoRestart)
    told.push('It is not restarted by itself, as auto_restart is off: use restartCollector.');
  else if (restartMs !== null) told.push(`It is restarted in ${(restartMs / 1_000).toFixed(1)} s.`);
  return [`${collector.name}: ${told.join(' ')}`];
}

const asSentence = (text: string): string => (/[.!?]$/.test(text) ? text : `${text}.`);

/** A backup takes its time and may fail once; after this many intervals somebody has to look. */
const LATE_INTERVALS = 2;

function backupReasons(backups: Backups | null): readonly string[] {
  if (backups === null) return [];
  const age = ageOf(backups);
  const reasons: string[] = [];
  if (backups.failing) reasons.push('The last backup failed and is tried again; the log says why.');
  if (age !== null && age > LATE_INTERVALS * backups.everyMs)
    reasons.push(
      `The newest backup that counts is ${hours(age)} h old, one is due every ${hours(backups.everyMs)} h; it is made as soon as possible.`,
    );
  return reasons;
}

const hours = (ms: number): number => Math.round(ms / 360_000) / 10;
