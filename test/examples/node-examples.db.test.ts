import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Tape, tradeById } from '../../src/simulator/tape.ts';
import { type Dashboard, runExample, startDashboard } from './dashboard.ts';
import { startProxy } from './proxy.ts';

const PATIENT = { timeout: 30_000, interval: 50 };
let dashboard: Dashboard;

beforeAll(async () => {
  dashboard = await startDashboard({
    dataTypes: ['trade'],
    collection: { health_check_interval: 1.5, auto_restart: false },
  });
});
afterAll(() => dashboard?.[Symbol.asyncDispose]());

const graphqlUrl = () => `${dashboard.url}/graphql`;

describe('live-trades', () => {
  it('prints every trade once, in order, although its connection is cut twice', async () => {
    await using proxy = await startProxy(dashboard.url);
    await using example = runExample('live-trades.ts', ['okx', 'BTC-USDT'], { GRAPHQL_URL: `${proxy.url}/graphql` });
    for (const wanted of [20, 20, 100]) {
      const before = example.lines().length;
      await vi.waitFor(() => expect(example.lines().length).toBeGreaterThan(before + wanted), PATIENT);
      expect(proxy.cut()).toBe(1);
    }
    const trades = example.lines().map((line) => JSON.parse(line) as Record<string, string>);
    expectRunOfTape(
      dashboard.simulator.tape('BTC-USDT'),
      trades.map(({ tradeId, price, size, side }) => [tradeId, price, size, side]),
    );
    expect(new Set(trades.map(({ symbol }) => symbol))).toEqual(new Set(['BTC-USDT']));
  });
});

describe('page-history', () => {
  it('prints every stored trade of a range once, oldest first, over many pages', async () => {
    const since = await fromServer<string>('{ health { startedAt } }', ({ health }) => health.startedAt);
    const rowsOf = async () => {
      const range = [since, new Date().toISOString()];
      await using example = runExample('page-history.ts', ['okx', 'ETH-USDT', ...range], {
        GRAPHQL_URL: graphqlUrl(),
        PAGE_SIZE: '7',
      });
      expect(await example.ended).toBe(0);
      const [header, ...rows] = example.lines();
      expect(header).toBe('time,trade_id,price,size,side');
      return rows;
    };
    await vi.waitFor(async () => expect((await rowsOf()).length).toBeGreaterThan(100), PATIENT);
    expectRunOfTape(
      dashboard.simulator.tape('ETH-USDT'),
      (await rowsOf()).map((row) => row.split(',').slice(1)),
    );
  });
});

describe('watchdog', () => {
  it('restarts what stays unhealthy, says why, and leaves neighbours and the stopped alone', async () => {
    const { faults } = dashboard.simulator;
    const env = { GRAPHQL_URL: graphqlUrl(), EVERY_SECONDS: '0.3', PATIENCE: '2' };
    await using example = runExample('watchdog.ts', [], env);

    faults.add({ kind: 'mute', symbol: 'BTC-USDT' });
    await vi.waitFor(
      () => expect(example.lines()).toContainEqual(expect.stringMatching(/ restarting okx:BTC-USDT: No trade/)),
      PATIENT,
    );
    faults.clear();
    await vi.waitFor(async () => expect((await collector('okx:BTC-USDT')).isHealthy).toBe(true), PATIENT);
    expect((await collector('okx:BTC-USDT')).restarts).toBeGreaterThan(0);
    expect((await collector('okx:ETH-USDT')).restarts).toBe(0);

    await fromServer('mutation { stopCollector(input: { name: "okx:BTC-USDT" }) { collector { state } } }');
    const before = example.lines().length;
    faults.add({ kind: 'mute', symbol: 'ETH-USDT' });
    const later = () => example.lines().slice(before);
    await vi.waitFor(() => expect(later()).toContainEqual(expect.stringContaining('restarting okx:ETH-USDT')), PATIENT);
    expect(later().filter((line) => line.includes('BTC-USDT'))).toEqual([]);
  });
});

/** Contiguous ids from the first on, and every other value as on the tape. */
function expectRunOfTape(tape: Tape, rows: readonly (readonly (string | undefined)[])[]): void {
  const first = BigInt(rows[0]?.[0] ?? 0);
  const expected = rows.map((_, index) => {
    const trade = tradeById(tape, String(first + BigInt(index)));
    return [trade?.tradeId, trade?.price, trade?.size, trade?.side.toUpperCase()];
  });
  expect(rows).toEqual(expected);
}

// biome-ignore lint/suspicious/noExplicitAny: answers of documents written in the test itself
async function fromServer<T>(query: string, read: (data: any) => T = (data) => data): Promise<T> {
  const response = await fetch(graphqlUrl(), {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ query }),
  });
  const { data } = (await response.json()) as { data: unknown };
  return read(data);
}

const collector = (name: string) =>
  fromServer<{ isHealthy: boolean; restarts: number }>(
    `{ collector(name: "${name}") { health { isHealthy } statistics { restarts } } }`,
    (data) => ({ ...data.collector.health, ...data.collector.statistics }),
  );
