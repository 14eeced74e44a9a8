import { sql } from 'drizzle-orm';
import { describe, expect, it, vi } from 'vitest';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { Connection } from '../../src/storage/connections.ts';
import type { Database } from '../../src/storage/database.ts';
import { testDatabaseKind, useTestDatabase } from '../support/database.ts';
import { idsOf, listTrades, pageOf, scene } from './samples.ts';
import { openTestWriter, type TestWriter, type TradeToRecord } from './test-writer.ts';

const db = useTestDatabase();

/** What becomes of the next statement that records trades. */
type Fate = 'well' | 'cut before it is sent' | 'cut after the commit';

/** The database, but for writer connections that break as `fate` says. */
function breaking(real: Database, fate: () => Fate): Database {
  const wrap = (connection: Connection): Connection =>
    new Proxy(connection, {
      get(target, key) {
        const value: unknown = Reflect.get(target, key, target);
        if (typeof value !== 'function') return value;
        if (key !== 'query') return value.bind(target);
        return async (query: Parameters<Connection['query']>[0]) => {
          const commits = query.name?.startsWith('record ') || query.text === 'commit';
          const now = commits ? fate() : 'well';
          if (now === 'cut before it is sent') target.cut();
          const rows = await target.query(query);
          if (now === 'well') return rows;
          target.cut();
          throw new AppError('DATABASE_UNAVAILABLE', 'The database does not answer: the answer was lost');
        };
      },
    });
  return {
    kind: real.kind,
    serverVersion: real.serverVersion,
    readers: real.readers,
    writers: real.writers,
    knownMonths: real.knownMonths,
    knownInstruments: real.knownInstruments,
    heldSlots: real.heldSlots,
    now: () => real.now(),
    ping: () => real.ping(),
    connect: async (name) => wrap(await real.connect(name)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

/** As the pipeline does: the same batch until it is answered. */
async function writeUntilDone(writer: TestWriter, batch: readonly TradeToRecord[]): Promise<readonly RecordedTrade[]> {
  for (;;) {
    try {
      return await writer.write(batch);
    } catch (error) {
      expect(error).toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    }
  }
}

describe('a commit whose outcome nobody heard', () => {
  it.each<Fate>(['cut before it is sent', 'cut after the commit'])(
    'is settled by repeating the batch: %s',
    async (fate) => {
      const { symbol, batch } = scene();
      const fates: Fate[] = [fate];
      await using writer = await openTestWriter(breaking(db(), () => fates.shift() ?? 'well'));
      const start = writer.position;
      const same = batch(1, 2, 3);
      await expect(writer.write(same)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
      const recorded = await writer.write(same);
      expect(idsOf(recorded)).toEqual(['1', '2', '3']);
      expect(recorded.map(({ sequence }) => sequence - start)).toEqual([1n, 2n, 3n]);
      expect((await listTrades(db(), pageOf(symbol))).trades).toEqual(recorded);
      expect(writer.position).toBe(start + 3n);
    },
  );

  it('happens again and again, and still every trade is stored and reported once', async () => {
    const { symbol, batch } = scene();
    let step = 0;
    const fates: readonly Fate[] = [
      'well',
      'cut after the commit',
      'cut before it is sent',
      'well',
      'cut after the commit',
    ];
    await using writer = await openTestWriter(breaking(db(), () => fates[step++ % fates.length] ?? 'well'));
    const reported: RecordedTrade[] = [];
    for (let first = 1; first <= 60; first += 3)
      reported.push(...(await writeUntilDone(writer, batch(first, first + 1, first + 2, first + 3))));
    expect(idsOf(reported)).toEqual(Array.from({ length: 61 }, (_, at) => String(at + 1)));
    expect((await listTrades(db(), pageOf(symbol))).trades).toEqual(reported);
  });
});

describe('a backend that is terminated', () => {
  it('in the middle of a batch loses and doubles nothing', async (context) => {
    if (testDatabaseKind() === 'embedded') return context.skip('the embedded database has no backends');
    const { symbol, batch } = scene();
    await using writer = await openTestWriter(db());
    const terminate = sql`select pg_terminate_backend(pid) as killed from pg_stat_activity
      where application_name = 'tcp-dashboard trade writer' and datname = current_database()
        and state = 'active' and query like '%held as materialized%'`;
    const rounds = 60;
    let kills = 0;
    let done = 0;
    const killer = (async () => {
      while (done < rounds) {
        // At most one a batch: whoever is killed for ever never finishes.
        if (kills > done) await new Promise((resolve) => setImmediate(resolve));
        else kills += (await db().readers.run((handle) => handle.execute(terminate, 'objects'))).length;
      }
    })();
    const reported: RecordedTrade[] = [];
    try {
      for (; done < rounds; done++)
        reported.push(
          ...(await writeUntilDone(writer, batch(...Array.from({ length: 40 }, (_, at) => done * 40 + at + 1)))),
        );
    } finally {
      done = rounds;
      await killer;
    }
    expect(kills).toBeGreaterThan(3);
    expect(idsOf(reported)).toEqual(Array.from({ length: rounds * 40 }, (_, at) => String(at + 1)));
    expect((await listTrades(db(), pageOf(symbol, { limit: 10_000 }))).trades).toEqual(reported);
  });

  it('while it waits for a lock leaves the slot to the same writer', async (context) => {
    if (testDatabaseKind() === 'embedded') return context.skip('the embedded database has no backends');
    const { batch } = scene();
    await using writer = await openTestWriter(db());
    await writer.write(batch(1));
    const slot = writer.writer;
    const second = batch(2);
    const locked = Promise.withResolvers<void>();
    const held = Promise.withResolvers<void>();
    const holding = db().writers.transaction(async (tx) => {
      await tx.execute(sql`select 1 from tcp_dashboard.writer where id = ${slot} for update`);
      locked.resolve();
      await held.promise;
    });
    await locked.promise;
    const waiting = expect(writer.write(second)).rejects.toMatchObject({ code: 'DATABASE_UNAVAILABLE' });
    await vi.waitFor(async () => {
      const blocked = await db().readers.run((handle) =>
        handle.execute(
          sql`select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'tcp-dashboard trade writer' and wait_event_type = 'Lock'`,
          'objects',
        ),
      );
      expect(blocked).toHaveLength(1);
    });
    await waiting;
    held.resolve();
    await holding;
    expect(idsOf(await writer.write(second))).toEqual(['2']);
    expect(writer.writer).toBe(slot);
  });
});
