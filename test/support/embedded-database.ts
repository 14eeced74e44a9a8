import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openDatabase } from '../../src/storage/database.ts';
import './test-databases.ts';

/** Makes one embedded database, which every test copies instead of making its own. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const template = await mkdtemp(join(tmpdir(), 'tcp-test-'));
  const db = await openDatabase({
    url: null,
    dataDir: template,
    poolSize: 4,
    maxOverflow: 0,
    poolTimeoutMs: 5_000,
    poolRecycleMs: 60_000,
    tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
    log: silentLog,
    clock: systemClock,
  });
  await db[Symbol.asyncDispose]();
  project.provide('testDatabase', { kind: 'embedded', template });
  return () => rm(template, { recursive: true, force: true });
}
