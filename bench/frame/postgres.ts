import { type Cluster, findPostgres, startCluster } from '../../test/support/postgres-cluster.ts';

/** A Postgres of its own. @throws {Error} where the machine has none. */
export async function openCluster(options: Parameters<typeof startCluster>[1] = {}): Promise<Cluster> {
  const binaries = findPostgres();
  if (binaries === null)
    throw new Error('There is no Postgres on this machine (initdb on PATH or in /usr/lib/postgresql)');
  return startCluster(binaries, options);
}
