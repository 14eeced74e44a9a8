import { once } from 'node:events';
import { describe, expect, it, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { tradeById } from '../../src/simulator/tape.ts';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { answerTo, KeptConnection } from '../support/kept-connection.ts';
import { configOf, readDirectly, runMain, startServerProcess } from '../support/whole-server.ts';

const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'DOGE-USDT'];
const RESTART =
  'mutation ($name: String!) { restartCollector(input: { name: $name }) { collector { state statistics { restarts } } userErrors { code } } }';
const COUNT = '{ collectors { name shouldBeRunning statistics { messagesReceived } } }';

interface Counts {
  readonly collectors: readonly {
    readonly name: string;
    readonly shouldBeRunning: boolean;
    readonly statistics: { readonly messagesReceived: number };
  }[];
}

interface Row {
  readonly symbol: string;
  readonly trade_id: string;
  readonly price: string;
}

const pairs = SYMBOLS.map((symbol) => ({ symbol, data_types: ['trade'] }));

/** Ids that lie between the first and the last stored one of a symbol and are not stored. */
function missing(rows: readonly Row[], symbol: string): number {
  const ids = rows.filter((row) => row.symbol === symbol).map((row) => BigInt(row.trade_id));
  const sorted = ids.sort((a, b) => (a < b ? -1 : 1));
  const [first = 0n, last = -1n] = [sorted[0], sorted.at(-1)];
  return Number(last - first) + 1 - sorted.length;
}

const ROWS = 'select symbol, trade_id, price::text from raw_trades';

describe('a running server', () => {
  it('restarts one collector by mutation while its neighbours on the same socket lose nothing', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    const place = await databaseOptions();
    await using server = await startServerProcess(configOf([{ simulator, pairs }]), place);
    await server.running(SYMBOLS.length);
    for (let time = 1; time <= 5; time++) {
      const { restartCollector } = await server.ask<{ restartCollector: unknown }>(RESTART, { name: 'okx:BTC-USDT' });
      expect(restartCollector).toEqual({
        collector: { state: 'RUNNING', statistics: { restarts: time } },
        userErrors: [],
      });
    }
    expect(simulator.state().sockets).toHaveLength(1);
    expect(await server.end('SIGTERM')).toBe(0);
    const rows = await readDirectly<Row>(place, ROWS);
    for (const neighbour of SYMBOLS.slice(1)) {
      expect(rows.some(({ symbol }) => symbol === neighbour)).toBe(true);
      expect([neighbour, missing(rows, neighbour)]).toEqual([neighbour, 0]);
    }
  }, 90_000);

  it('goes on by itself after kill -9 under load, stores nothing twice, and leaves stopped what was stopped', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    const place = await databaseOptions();
    const config = configOf([{ simulator, pairs }]);
    for (let kill = 0; kill < 3; kill++) {
      await using server = await startServerProcess(config, place);
      await server.running(kill === 0 ? SYMBOLS.length : SYMBOLS.length - 1);
      if (kill === 0)
        await server.ask('mutation { stopCollector(input: { name: "okx:DOGE-USDT" }) { userErrors { code } } }');
      await vi.waitFor(async () => {
        const { collectors } = await server.ask<Counts>(COUNT);
        for (const { name, shouldBeRunning, statistics } of collectors) {
          expect([name, shouldBeRunning]).toEqual([name, name !== 'okx:DOGE-USDT']);
          if (shouldBeRunning) expect(statistics.messagesReceived).toBeGreaterThan(100);
        }
      }, 20_000);
      await server.end('SIGKILL');
    }
    const rows = await readDirectly<Row>(place, ROWS);
    expect(new Set(rows.map((row) => `${row.symbol} ${row.trade_id}`)).size).toBe(rows.length);
    for (const row of rows) expect(tradeById(simulator.tape(row.symbol), row.trade_id)?.price).toBe(row.price);
  }, 180_000);

  it('closes subscribers so that they come back, and exits 0 within ten seconds, on SIGTERM', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    await using server = await startServerProcess(configOf([{ simulator, pairs }]), await databaseOptions());
    await server.running(SYMBOLS.length);
    const client = server.subscribe();
    const closed = new Promise<number>((resolve) =>
      client.on('closed', (event) => resolve((event as { code: number }).code)),
    );
    const first = Promise.withResolvers<void>();
    client.subscribe(
      { query: 'subscription { trades { cursor } }' },
      { next: () => first.resolve(), error: () => {}, complete: () => {} },
    );
    await first.promise;
    const before = performance.now();
    expect(await server.end('SIGTERM')).toBe(0);
    expect(performance.now() - before).toBeLessThan(10_000);
    expect(await closed).toBe(1001);
  }, 90_000);

  it('is not ready from SIGTERM on, while a question that is being asked is still answered', async () => {
    await using server = await startServerProcess(configOf([]), await databaseOptions());
    using probe = new KeptConnection();
    using other = new KeptConnection();
    const readyz = () => probe.get(`${server.url}/readyz`);
    expect(await readyz()).toMatchObject({ status: 200 });
    const headers = { 'content-type': 'application/json', expect: '100-continue' };
    const question = other.begin(`${server.url}/graphql`, { method: 'POST', headers });
    question.flushHeaders();
    await once(question, 'continue'); // the server waits for the rest
    const exited = once(server.process, 'exit');
    server.process.kill('SIGTERM');
    let answer = await readyz();
    while (answer.status === 200) answer = await readyz(); // asked before the signal was there
    expect(answer).toEqual({ status: 503, body: 'not ready\n', connection: 'close' });
    question.end(JSON.stringify({ query: '{ __typename }' }));
    expect(await answerTo(question)).toMatchObject({ status: 200, body: expect.stringContaining('Query') });
    expect(await exited).toEqual([0, null]);
  }, 90_000);

  it('refuses a second server on its data directory, naming the owner, and is not disturbed', async () => {
    if (testDatabaseKind() !== 'embedded') return;
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    const place = await databaseOptions();
    await using server = await startServerProcess(configOf([{ simulator, pairs }]), place);
    const second = runMain([
      '--config',
      `${place.dataDir}/config.json`,
      '--port',
      '0',
      '--data-dir',
      `${place.dataDir}/data`,
    ]);
    let said = '';
    second.stderr?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    await once(second, 'exit');
    expect(second.exitCode).toBe(1);
    expect(said).toContain('DATA_DIR_IN_USE');
    expect(said).toContain(String(server.process.pid));
    await server.running(SYMBOLS.length);
  }, 90_000);

  it('starts beside another one on the same Postgres at the same moment, both migrating an empty database', async () => {
    if (testDatabaseKind() !== 'postgres') return;
    await using simulator = await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate: 100 });
    const place = await databaseOptions();
    const config = configOf([{ simulator, pairs }]);
    const [one, other] = await Promise.all([startServerProcess(config, place), startServerProcess(config, place)]);
    await using _one = one;
    await using _other = other;
    await Promise.all([one.running(SYMBOLS.length), other.running(SYMBOLS.length)]);
    const seen: string[] = [];
    one.subscribe().subscribe<{ trades: { edges: { node: { symbol: string; tradeId: string } }[] } }>(
      { query: 'subscription { trades(exchange: "okx") { edges { node { symbol tradeId } } } }' },
      {
        next: ({ data }) => {
          for (const { node } of data?.trades.edges ?? []) seen.push(`${node.symbol} ${node.tradeId}`);
        },
        error: () => {},
        complete: () => {},
      },
    );
    // What was published before the subscription, and recorded by the other after it, lies side by side at its start.
    await vi.waitFor(() => expect(seen.length).toBeGreaterThan(100), 20_000);
    const startOf = new Map(SYMBOLS.map((symbol) => [symbol, Math.max(...idsOf(symbol, seen))]));
    const receivedByOther = async () => {
      const { collectors } = await other.ask<Counts>(COUNT);
      return collectors.map(({ statistics }) => statistics.messagesReceived);
    };
    const before = await receivedByOther();
    await vi.waitFor(async () => {
      for (const [k, received] of (await receivedByOther()).entries())
        expect(received).toBeGreaterThan((before[k] ?? 0) + 100);
    }, 20_000);
    expect(await other.end('SIGTERM')).toBe(0);
    const written = await readDirectly<Row & { writer: string }>(
      place,
      `${ROWS.replace(' from', ', (id >> 48)::text as writer from')}`,
    );
    expect(new Set(written.map(({ writer }) => writer)).size).toBe(2);
    const afterTheStart = written
      .filter(({ symbol, trade_id }) => Number(trade_id) > (startOf.get(symbol) ?? 0))
      .map(({ symbol, trade_id }) => `${symbol} ${trade_id}`);
    await vi.waitFor(() => expect(afterTheStart.filter((id) => !seen.includes(id))).toEqual([]), 10_000);
    expect(afterTheStart.length).toBeGreaterThan(0);
    expect(await one.end('SIGTERM')).toBe(0);
    const rows = await readDirectly<Row>(place, ROWS);
    const stored = new Set(rows.map((row) => `${row.symbol} ${row.trade_id}`));
    expect(stored.size).toBe(rows.length);
    expect(new Set(seen).size).toBe(seen.length);
    for (const symbol of SYMBOLS) expect([symbol, missing(rows, symbol)]).toEqual([symbol, 0]);
  }, 90_000);
});

const idsOf = (symbol: string, seen: readonly string[]): number[] =>
  seen.filter((trade) => trade.startsWith(`${symbol} `)).map((trade) => Number(trade.split(' ')[1]));

/** What it says until it ends by itself, and its exit code. */
async function refusalOf(args: readonly string[]): Promise<{ readonly code: number | null; readonly said: string }> {
  const child = runMain(args);
  let said = '';
  for (const stream of [child.stdout, child.stderr])
    stream?.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
  await once(child, 'exit');
  return { code: child.exitCode, said };
}

describe('a configuration that cannot work', () => {
  it('ends the process with 78 and every problem, before anything is started', async () => {
    const url = 'postgres://u:hunter2@localhost:99999/x';
    const { code, said } = await refusalOf(['--port', 'many', '--host', 'not a name', '--database-url', url]);
    expect(code).toBe(78);
    for (const flag of ['--port', '--host', '--database-url']) expect(said).toContain(flag);
    expect(said).not.toContain('hunter2');
    expect(said).not.toContain('at ');
  });

  it('ends the process with 78 where others could reach it and nobody has a token', async () => {
    const { dataDir } = await databaseOptions();
    const { code, said } = await refusalOf(['--host', '0.0.0.0', '--port', '0', '--data-dir', dataDir]);
    expect(code).toBe(78);
    expect(said).toContain('npm run token');
  });
});
