import { rename } from 'node:fs/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { WireServer } from './wire-server.ts';

/** What the thread is told at its start. */
export interface EmbeddedPlan {
  readonly cluster: string;
  /** Set when there is no cluster yet: where to make it before it gets its name. */
  readonly makeIn: string | null;
  readonly socketPath: string;
}

// PGlite blocks its thread while it works, which is why it has one of its own.
const plan = workerData as EmbeddedPlan;
if (plan.makeIn !== null) {
  const fresh = await PGlite.create(plan.makeIn);
  await fresh.exec('checkpoint');
  await fresh.close();
  await rename(plan.makeIn, plan.cluster);
}
const db = await PGlite.create(plan.cluster);
const server = new WireServer(db);
await server.listen(plan.socketPath);
const end = async () => {
  await server.close();
  await db.close();
  process.exit(0);
};
parentPort?.on('message', () => void end());
parentPort?.postMessage('ready');
