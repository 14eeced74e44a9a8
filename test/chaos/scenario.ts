import type { Cluster } from '../support/postgres-cluster.ts';
import type { Place } from './direct.ts';
import { Findings } from './findings.ts';
import { atMost, type Goal, type Result } from './result.ts';

/** What a scenario is given. */
export interface Setting {
  readonly seed: string;
  /** 0 to 1, from the seed. */
  readonly random: () => number;
  /** A fresh, empty database, and a directory. */
  readonly place: () => Promise<Place>;
  /** The Postgres server the place is on, for scenarios that kill it; null for the embedded database and for somebody else's. */
  readonly cluster: Cluster | null;
  /** One line of progress. */
  readonly say: (line: string) => void;
}

/** What a scenario fills in as it goes. */
export class Protocol {
  readonly counts: Record<string, number> = {};
  readonly figures: Record<string, number> = {};
  readonly goals: Goal[] = [];
  readonly findings = new Findings();

  count(what: string, more = 1): void {
    this.counts[what] = (this.counts[what] ?? 0) + more;
  }
}

export type Scenario<Size> = (setting: Setting, protocol: Protocol, size: Size) => Promise<void>;

/** A scenario as a suite lists it. */
export interface Row {
  readonly does: string;
  /** What it keeps from coming back, with where it was complained of. */
  readonly pain: string;
  /** `own postgres`: one that may be killed. */
  readonly needs: 'any' | 'postgres' | 'own postgres';
  readonly full: object;
  readonly short: object;
  /** What `--count` sets. */
  readonly counted: (count: number) => object;
  readonly play: (setting: Setting, size: object) => Promise<Result>;
}

/** Says what a scenario is about, and how it is played. */
export function row<Size extends object>(
  name: string,
  scenario: Scenario<Size>,
  about: Omit<Row, 'full' | 'short' | 'counted' | 'play'> & {
    readonly full: Size;
    readonly short: Size;
    readonly counted: (count: number) => Partial<Size>;
  },
): Row {
  return { ...about, play: (setting, size) => play(name, scenario, size as Size, setting) };
}

/** Runs one to its end, or to where it broke. */
async function play<Size>(name: string, scenario: Scenario<Size>, size: Size, setting: Setting): Promise<Result> {
  const protocol = new Protocol();
  const startedAt = performance.now();
  let broken: string | undefined;
  let database: Result['database'] = null;
  const place = async () => {
    const place = await setting.place();
    database = place.url === null ? 'embedded' : 'postgres';
    return place;
  };
  try {
    await scenario({ ...setting, place }, protocol, size);
  } catch (error) {
    broken = tell(error);
  }
  const { counts, figures, findings } = protocol;
  // In the end the exchange can be reached again, and has everything.
  const goals = [...protocol.goals, atMost('still declared missing in the end', findings.count('DECLARED'), 0)];
  return {
    name,
    seed: setting.seed,
    database,
    seconds: Math.round((performance.now() - startedAt) / 1000),
    counts,
    figures,
    goals,
    findings: findings.counts,
    examples: findings.examples,
    passed: broken === undefined && findings.clean && goals.every(({ met }) => met),
    ...(broken === undefined ? {} : { broken }),
  };
}

/** With what made it, and, where clearing up failed as well, with what had failed before. */
function tell(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const {
    cause,
    error: last,
    suppressed,
  } = error as Error & { readonly error?: unknown; readonly suppressed?: unknown };
  const others = [suppressed, last, cause].filter((other) => other !== undefined);
  return [error.stack ?? error.message, ...others.map(tell)].join('\n\n');
}
