import { expect, it, onTestFinished } from 'vitest';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { findPostgres, startCluster } from '../support/postgres-cluster.ts';
import { freshDatabaseOf } from './own-database.ts';
import type { Row, Setting } from './scenario.ts';
import { seeded } from './seeded.ts';

const SEED = 'short';
/** Of a time: other tests run at the same time. The suite's own command holds it to the goal itself. */
const BUSY = 3;

/** The few seconds of each scenario that always run; the suite's own command takes the time it needs. */
export function playInShort(scenarios: Readonly<Record<string, Row>>): void {
  it.each(Object.entries(scenarios).map(([name, scenario]) => [name, scenario.pain, scenario] as const))(
    '%s, in short (%s)',
    async (name, _pain, scenario) => {
      const why = cannotRun(scenario.needs);
      if (why !== null) return console.log(`SKIPPED on ${testDatabaseKind()}, ${name}: ${why}`);
      const result = await scenario.play(
        { seed: SEED, random: seeded(`${SEED} ${name}`), say: () => {}, ...(await databaseFor(scenario.needs)) },
        scenario.short,
      );
      const { seconds, counts, figures, goals, findings, examples, broken } = result;
      console.log(`${testDatabaseKind()}, ${name}, ${seconds} s: ${JSON.stringify({ ...counts, ...figures })}`);
      const missed = goals.filter(
        ({ met, timed, measured, atMost = 0 }) => !met && !(timed && measured <= atMost * BUSY),
      );
      expect({ missed, findings, examples, broken }).toEqual({
        missed: [],
        findings: {},
        examples: [],
      });
    },
    120_000,
  );
}

function cannotRun(needs: Row['needs']): string | null {
  if (needs === 'any') return null;
  if (testDatabaseKind() === 'embedded') return 'it needs a Postgres';
  return needs === 'own postgres' && findPostgres() === null ? 'it kills a Postgres, and this machine has none' : null;
}

async function databaseFor(needs: Row['needs']): Promise<Pick<Setting, 'place' | 'cluster'>> {
  const binaries = findPostgres();
  if (needs !== 'own postgres' || binaries === null) return { place: databaseOptions, cluster: null };
  const cluster = await startCluster(binaries);
  onTestFinished(cluster.stop);
  return {
    place: async () => ({ ...(await databaseOptions()), url: await freshDatabaseOf(cluster, 'chaos') }),
    cluster,
  };
}
