import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { listBackups } from '../../src/backup/catalog.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { tradeById } from '../../src/simulator/tape.ts';
import { databaseOptions, freshDatabaseUrl, testDatabaseKind } from '../support/database.ts';
import { temporary } from '../support/temporary.ts';
import { configOf, readDirectly, type ServerProcess, startServerProcess } from '../support/whole-server.ts';
import { runCommand } from './command.ts';
import { newKeys } from './keys.ts';

const SYMBOLS = ['BTC-USDT', 'ETH-USDT'];
const pairs = SYMBOLS.map((symbol) => ({ symbol }));
const COVERED =
  '{ a: instrument(exchange: "okx", symbol: "BTC-USDT") { coverage { ratio openGaps expected } } b: instrument(exchange: "okx", symbol: "ETH-USDT") { coverage { ratio openGaps expected } } }';

interface Place {
  readonly url: string | null;
  readonly dataDir: string;
}
interface Row {
  readonly symbol: string;
  readonly trade_id: string;
  readonly price: string;
}
interface Covered {
  readonly coverage: { readonly ratio: number; readonly openGaps: number; readonly expected: string };
}

const emptyPlace = async (): Promise<Place> => ({
  url: testDatabaseKind() === 'embedded' ? null : await freshDatabaseUrl(),
  dataDir: temporary(),
});

async function environment(place: Place, directory: string) {
  const { recipients, identity } = await newKeys();
  return {
    ...(place.url !== null && { DATABASE_URL: place.url }),
    ...{ DATA_DIR: join(place.dataDir, 'data'), BACKUP_DIRECTORY: directory },
    ...{ BACKUP_RECIPIENTS: recipients.join(), BACKUP_IDENTITY: identity?.reveal() ?? '' },
  };
}

const whole = async (server: ServerProcess, more: number) => {
  await vi.waitFor(
    async () => {
      const { a, b } = await server.ask<{ a: Covered; b: Covered }>(COVERED);
      for (const { coverage } of [a, b]) {
        expect(coverage).toMatchObject({ ratio: 1, openGaps: 0 });
        expect(Number(coverage.expected)).toBeGreaterThan(more);
      }
    },
    { timeout: 60_000, interval: 200 },
  );
};

/** What one commit changes together is together: trades, their candles, the ledger and the position of the writer. */
const ONE_MOMENT = `select
  (select sum(fill_count) from tcp_dashboard.trade) = (select sum(trade_count) from tcp_dashboard.candle where seconds = 1) as candles,
  (select bool_and(last = (select max(trade_id::numeric) from tcp_dashboard.trade t where t.instrument_id = c.instrument_id))
    from (select instrument_id, max(last) as last from tcp_dashboard.coverage where data_type = 'trade' group by 1) c) as ledger,
  (select max(id & (1::int8 << 48) - 1) from tcp_dashboard.trade) = (select max(position) from tcp_dashboard.writer) as position`;

const TRADES = 'select symbol, trade_id, price::text from raw_trades';

interface Payload {
  readonly cursor: string;
  readonly phase: string;
  readonly edges: readonly { readonly node: { readonly symbol: string } }[];
}

/** The first payload of all trades, from a cursor on, that is as it should be. */
async function firstPayload(server: ServerProcess, after: string | null, holds: (payload: Payload) => boolean) {
  const client = server.subscribe();
  const found = Promise.withResolvers<Payload>();
  client.subscribe<{ trades: Payload }>(
    {
      query: 'subscription ($after: Cursor) { trades(after: $after) { cursor phase edges { node { symbol } } } }',
      variables: { after },
    },
    {
      next: ({ data, errors }) => {
        if (errors) found.reject(new Error(JSON.stringify(errors)));
        else if (data && holds(data.trades)) found.resolve(data.trades);
      },
      error: found.reject,
      complete: () => found.reject(new Error('the stream ended')),
    },
  );
  const payload = await found.promise;
  await client.dispose();
  return payload;
}

/** Every id from the first to the last, once, and as it was traded. */
function expectTape(rows: readonly Row[], simulator: Simulator): void {
  for (const symbol of SYMBOLS) {
    const ids = rows.filter((row) => row.symbol === symbol).map((row) => BigInt(row.trade_id));
    const sorted = ids.sort((a, b) => (a < b ? -1 : 1));
    expect(new Set(ids).size).toBe(ids.length);
    expect(Number((sorted.at(-1) ?? 0n) - (sorted[0] ?? 0n)) + 1).toBe(ids.length);
  }
  for (const row of rows) expect(tradeById(simulator.tape(row.symbol), row.trade_id)?.price).toBe(row.price);
}

describe('while a server collects', () => {
  it('is backed up, comes back elsewhere as it was at the watermark, and goes on from there without a hole', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    const place = await databaseOptions();
    const directory = join(temporary(), 'backups');
    const env = await environment(place, directory);
    const config = configOf([{ simulator, pairs }]);
    await using server = await startServerProcess(config, place);
    await server.running(SYMBOLS.length);
    await whole(server, 500);

    const made = await runCommand('backup', [], env);
    expect(made.output).toContain('Verified');
    expect(made.code).toBe(0);
    const [backup] = await listBackups(directory);
    if (backup === undefined) throw new Error('no backup is listed');
    const { positions, hashes } = backup.entry;
    await whole(server, 1_500); // it was not disturbed, and knows more than the backup
    expect(await server.end('SIGTERM')).toBe(0);

    const elsewhere = await emptyPlace();
    const there = {
      ...env,
      ...(elsewhere.url !== null && { DATABASE_URL: elsewhere.url }),
      DATA_DIR: join(elsewhere.dataDir, 'data'),
    };
    const restored = await runCommand('restore', [backup.file], there);
    expect(restored).toMatchObject({ code: 0 });
    // The same rows by plain SQL: those of the source up to the watermark.
    const upTo = Object.entries(positions).map(
      ([writer, last]) => `id >> 48 = ${writer} and id & (1::int8 << 48) - 1 <= ${last}`,
    );
    const digest = (condition: string) =>
      `select md5(string_agg(t::text, '|' order by id)) as digest, count(*)::int as rows from tcp_dashboard.trade t where ${condition}`;
    const [was] = await readDirectly<object>(place, digest(upTo.join(' or ')));
    expect(await readDirectly(elsewhere, digest('true'))).toEqual([was]);
    expect(Object.keys(hashes)).toHaveLength(12);
    expect(await readDirectly(elsewhere, ONE_MOMENT)).toEqual([{ candles: true, ledger: true, position: true }]);

    await using next = await startServerProcess(config, elsewhere);
    await next.running(SYMBOLS.length);
    await whole(next, 2_000);
    expect(await next.end('SIGTERM')).toBe(0);
    expectTape(await readDirectly<Row>(elsewhere, TRADES), simulator);
  }, 240_000);

  it('takes the place of what is there, and what the spool held is not lost', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    const place = await databaseOptions();
    const directory = join(temporary(), 'backups');
    const env = await environment(place, directory);
    const config = configOf([{ simulator, pairs }]);
    let cursor = '';
    {
      await using server = await startServerProcess(config, place);
      await server.running(SYMBOLS.length);
      await whole(server, 300);
      expect(await runCommand('backup', ['--no-verify'], env)).toMatchObject({ code: 0 });
      await whole(server, 600);
      cursor = (await firstPayload(server, null, () => true)).cursor; // of a time the backup does not know
      const refused = await runCommand('restore', ['--replace'], env);
      expect(refused.code).toBe(1);
      expect(refused.output).toMatch(/DATA_DIR_IN_USE|RESTORE_REFUSED/);
      await server.end('SIGKILL');
    }
    const restored = await vi.waitFor(async () => {
      const outcome = await runCommand('restore', ['--replace'], env); // native Postgres may not have noticed yet that the server is gone
      expect(outcome).toMatchObject({ code: 0 });
      return outcome;
    }, 20_000);
    expect(restored.output).toContain('is kept as');
    await using next = await startServerProcess(config, place);
    await next.running(SYMBOLS.length);
    await whole(next, 1_000);
    const caughtUp = await firstPayload(next, cursor, ({ phase, edges }) => phase === 'LIVE' && edges.length > 0);
    expect(caughtUp.edges[0]?.node.symbol).toMatch(/-USDT$/);
    expect(await next.end('SIGTERM')).toBe(0);
    expectTape(await readDirectly<Row>(place, TRADES), simulator);
    const writers = await readDirectly<{ id: number }>(
      place,
      'select distinct (id >> 48)::int as id from tcp_dashboard.trade order by 1',
    );
    expect(writers.map(({ id }) => id)).toEqual([0, 1]);
  }, 240_000);
});
