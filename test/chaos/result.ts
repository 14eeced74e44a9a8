import type { Example, Finding } from './findings.ts';

/** What must hold, as it was measured. */
export interface Goal {
  readonly what: string;
  readonly measured: number;
  readonly atMost?: number;
  readonly atLeast?: number;
  readonly met: boolean;
  /** It is a time, ms: a busy machine may miss it. */
  readonly timed?: true;
}

export const atMost = (what: string, measured: number, limit: number): Goal => ({
  what,
  measured,
  atMost: limit,
  met: measured <= limit,
});

/** ms. */
export const inTime = (what: string, measured: number, limit: number): Goal => ({
  ...atMost(`${what} (ms)`, measured, limit),
  timed: true,
});

/** Also for faults that must really have struck: a run in which nothing happened shows nothing. */
export const atLeast = (what: string, measured: number, limit: number): Goal => ({
  what,
  measured,
  atLeast: limit,
  met: measured >= limit,
});

/** What one scenario found; what `npm run chaos` writes as JSON. */
export interface Result {
  readonly name: string;
  readonly seed: string;
  /** Null: it works without one. */
  readonly database: 'embedded' | 'postgres' | null;
  readonly seconds: number;
  /** How often each thing was done, or happened. */
  readonly counts: Readonly<Record<string, number>>;
  /** What was measured. */
  readonly figures: Readonly<Record<string, number>>;
  readonly goals: readonly Goal[];
  /** Of the oracle, by kind; DECLARED is no fault. */
  readonly findings: Readonly<Partial<Record<Finding, number>>>;
  readonly examples: readonly Example[];
  readonly passed: boolean;
  /** Why it could not go on to its end, with the end of what the server printed. */
  readonly broken?: string;
}

/** The value below which this share of the values lies; 0 without any. */
export function quantile(values: readonly number[], share: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0);
}

export const greatest = (values: readonly number[]): number => Math.round(Math.max(0, ...values));
