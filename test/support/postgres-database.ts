import type { TestProject } from 'vitest/node';
import { findPostgres, startCluster } from './postgres-cluster.ts';
import './test-databases.ts';

/** Uses TEST_DATABASE_URL or DATABASE_URL, else a server of its own from the machine's binaries, else skips, loudly. */
export async function setup(project: TestProject): Promise<(() => Promise<void>) | undefined> {
  const given = process.env.TEST_DATABASE_URL || process.env.DATABASE_URL;
  if (given) {
    project.provide('testDatabase', { kind: 'postgres', url: given });
    return undefined;
  }
  const binaries = findPostgres();
  if (binaries === null) {
    const reason = 'no TEST_DATABASE_URL, and no initdb on PATH or in /usr/lib/postgresql';
    process.stderr.write(`\n*** The tests on native Postgres are SKIPPED: ${reason}. ***\n\n`);
    project.provide('testDatabase', { kind: 'none', reason });
    return undefined;
  }
  const cluster = await startCluster(binaries);
  project.provide('testDatabase', { kind: 'postgres', url: cluster.url });
  return cluster.stop;
}
