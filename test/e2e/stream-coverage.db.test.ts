import { describe, expect, it, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { databaseOptions } from '../support/database.ts';
import { configOf, type ServerProcess, startServerProcess } from '../support/whole-server.ts';

const [SYMBOL, QUIET] = ['BTC-USDT', 'SOL-USDT'];

interface Interval {
  readonly status: string;
  readonly evidence: string;
  readonly from: string;
  readonly to: string;
  readonly expected: string | null;
  readonly actual: string;
  readonly cause: string | null;
  readonly gapId: string | null;
}

const COVERAGE = `query ($symbol: String!, $type: DataType!, $from: DateTime!) {
  coverage(exchange: "okx", symbol: $symbol, dataType: $type, from: $from) {
    status evidence from to expected actual cause gapId
  }
}`;
const GAPS = `query ($type: DataType) { gaps(exchange: "okx", dataType: $type) { edges { node { id symbol status cause expected remaining from to } } } }`;

/** What is known since the first thing that is, without the time after the last one. */
async function known(server: ServerProcess, symbol: string, type: string): Promise<readonly Interval[]> {
  const from = new Date(Date.now() - 600_000).toISOString();
  const { coverage } = await server.ask<{ coverage: readonly Interval[] }>(COVERAGE, { symbol, type, from });
  return coverage.filter(({ cause }) => cause !== 'not collected' && cause !== 'nothing newer was received yet');
}

const statuses = async (...asked: Parameters<typeof known>) => (await known(...asked)).map(({ status }) => status);

const waitFor = (check: () => Promise<void>) => vi.waitFor(check, { timeout: 30_000, interval: 250 });

describe('the coverage of streams without ids', () => {
  it('shows a lost socket as a hole with its cause, and a quiet stream as carried', async () => {
    await using simulator = await startSimulator({
      exchange: 'okx',
      symbols: [SYMBOL, QUIET],
      rate: 20,
      rates: { [QUIET]: 0 },
    });
    const pairs = [SYMBOL, QUIET].map((symbol) => ({
      symbol,
      data_types: ['trade', 'ticker', 'orderbook', 'candle'],
      channels: { orderbook: 'books' }, // the one that is chained
    }));
    const collection = { ticker_sample_interval: 1, orderbook_sample_interval: 1 };
    const place = await databaseOptions();
    const config = configOf([{ simulator, pairs, collection }]);
    await using server = await startServerProcess(config, place);
    await server.running(2);
    await waitFor(async () => {
      expect(await statuses(server, SYMBOL, 'TICKER')).toEqual(['UNPROVEN']);
      expect(await statuses(server, SYMBOL, 'ORDERBOOK')).toContain('PROVEN');
      expect(await statuses(server, QUIET, 'CANDLE')).toEqual(['UNPROVEN']);
    });

    simulator.faults.add({ kind: 'cut' });
    await waitFor(async () =>
      expect(await statuses(server, SYMBOL, 'TICKER')).toEqual(['UNPROVEN', 'UNFILLABLE', 'UNPROVEN']),
    );
    const [before, hole, after] = await known(server, SYMBOL, 'TICKER');
    expect(hole).toMatchObject({
      ...{ evidence: 'CONNECTION_ONLY', expected: null, actual: '0', from: before?.to, to: after?.from },
      cause: expect.stringContaining('closed'),
    });
    expect(Number(before?.actual)).toBeGreaterThan(0);
    await waitFor(async () => expect((await known(server, SYMBOL, 'ORDERBOOK')).at(-1)?.status).toBe('PROVEN'));
    expect(await statuses(server, SYMBOL, 'ORDERBOOK')).toContain('UNFILLABLE');
    const { gaps } = await server.ask<{ gaps: { edges: { node: object & { id: string } }[] } }>(GAPS, {
      type: 'TICKER',
    });
    const gap = gaps.edges.find(({ node }) => node.id === hole?.gapId)?.node;
    expect(gap).toMatchObject({ status: 'UNFILLABLE', cause: hole?.cause, expected: '0', remaining: '0' });
    await waitFor(async () => {
      for (const { status } of await known(server, SYMBOL, 'TRADE')) expect(['PROVEN', 'BACKFILLED']).toContain(status);
    });

    await waitFor(async () => {
      const quiet = (await known(server, QUIET, 'TICKER')).at(-1);
      expect(quiet?.status).toBe('UNPROVEN');
      expect(Date.parse(quiet?.to ?? '') - Date.parse(quiet?.from ?? '')).toBeGreaterThan(5_000);
    });

    await server.end('SIGKILL');
    await using next = await startServerProcess(config, place);
    await next.running(2);
    await waitFor(async () =>
      expect((await known(next, QUIET, 'TICKER')).slice(-2)).toMatchObject([
        { status: 'UNFILLABLE', cause: 'the server was not running' },
        { status: 'UNPROVEN', cause: null },
      ]),
    );
    await next.ask(`mutation { stopCollector(input: { name: "okx:${QUIET}" }) { userErrors { code } } }`);
    const intervals = (await known(next, QUIET, 'TICKER')).length;
    await next.ask(`mutation { startCollector(input: { name: "okx:${QUIET}" }) { userErrors { code } } }`);
    await waitFor(async () => expect((await known(next, QUIET, 'TICKER')).length).toBe(intervals + 1));
    expect((await known(next, QUIET, 'TICKER')).slice(-2)).toMatchObject([
      { status: 'UNPROVEN' },
      { status: 'UNPROVEN' },
    ]);
  }, 180_000);
});
