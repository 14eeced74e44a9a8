import { describe, expect, it, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { type Tape, tradeById } from '../../src/simulator/tape.ts';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { configOf, readDirectly, startServerProcess } from '../support/whole-server.ts';

/** The figures in the README come from DURATION_S=60; every run takes the same steps. */
const DURATION_S = Number(process.env.DURATION_S ?? 5);
const RATE = Number(process.env.RATE ?? 100);
const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'DOGE-USDT'];
const FIRST_ID = 9_007_199_254_740_993n;

interface SeenTrade {
  readonly symbol: string;
  readonly tradeId: string;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  readonly exchangeTime: string;
  readonly receivedAt: string;
}

interface StoredTrade {
  readonly symbol: string;
  readonly trade_id: string;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  readonly ms: string;
}

const SUBSCRIPTION = `subscription { trades(exchange: "okx") { edges { node { symbol tradeId price size side exchangeTime receivedAt } } } }`;

describe(`four symbols at ${RATE} trades/s each for ${DURATION_S} s`, () => {
  it(
    'are stored exactly once, to the last digit, and each trade reaches a live subscriber once',
    async () => {
      await using simulator = await startSimulator({
        exchange: 'okx',
        symbols: SYMBOLS,
        rate: RATE,
        firstId: FIRST_ID,
      });
      const place = await databaseOptions();
      await using server = await startServerProcess(
        configOf([{ simulator, pairs: SYMBOLS.map((symbol) => ({ symbol, data_types: ['trade'] })) }]),
        place,
      );
      await server.running(SYMBOLS.length);

      const seen: SeenTrade[] = [];
      const delays: number[] = [];
      const client = server.subscribe();
      const failed = vi.fn();
      client.subscribe<{ trades: { edges: { node: SeenTrade }[] } }>(
        { query: SUBSCRIPTION },
        {
          next: ({ data }) => {
            const now = Date.now();
            for (const { node } of data?.trades.edges ?? []) {
              seen.push(node);
              delays.push(now - Date.parse(node.receivedAt));
            }
          },
          error: failed,
          complete: () => {},
        },
      );
      await vi.waitFor(() => expect(seen.length).toBeGreaterThan(DURATION_S * RATE * SYMBOLS.length), {
        timeout: DURATION_S * 1_000 + 20_000,
        interval: 100,
      });
      await client.dispose();
      expect(failed).not.toHaveBeenCalled();
      expect(await server.end('SIGTERM')).toBe(0);

      const stored = await readDirectly<StoredTrade>(
        place,
        `select symbol, trade_id, price::text, size::text, side, (extract(epoch from timestamp) * 1000)::bigint::text as ms from raw_trades`,
      );
      const storedIds = new Set(stored.map(({ symbol, trade_id }) => `${symbol} ${trade_id}`));
      expect(storedIds.size).toBe(stored.length);
      for (const symbol of SYMBOLS) {
        const tape = simulator.tape(symbol);
        const ofSymbol = stored.filter((trade) => trade.symbol === symbol);
        for (const trade of ofSymbol) expect(trade).toEqual(onTape(tape, trade.trade_id));
        expectContiguous(ofSymbol.map((trade) => trade.trade_id));
      }
      const seenIds = seen.map(({ symbol, tradeId }) => `${symbol} ${tradeId}`);
      expect(new Set(seenIds).size).toBe(seenIds.length);
      expect(seenIds.filter((id) => !storedIds.has(id))).toEqual([]);
      for (const symbol of SYMBOLS)
        expectContiguous(seen.filter((trade) => trade.symbol === symbol).map((trade) => trade.tradeId));

      delays.sort((a, b) => a - b);
      const percentile = (share: number) => delays[Math.floor(delays.length * share)];
      console.log(
        `${testDatabaseKind()}: ${stored.length} stored, ${seen.length} streamed; frame to subscriber p50 ${percentile(0.5)} ms, p99 ${percentile(0.99)} ms, max ${delays.at(-1)} ms`,
      );
    },
    (DURATION_S + 90) * 1_000,
  );
});

function onTape(tape: Tape, tradeId: string) {
  const trade = tradeById(tape, tradeId);
  if (!trade) return null;
  const { price, size, side, time } = trade;
  return { symbol: tape.instrument.symbol, trade_id: tradeId, price, size, side, ms: String(time) };
}

/** Every id from the first to the last, in whatever order. */
function expectContiguous(ids: readonly string[]): void {
  const sorted = ids.map(BigInt).sort((a, b) => (a < b ? -1 : 1));
  const [first = 0n] = sorted;
  expect(sorted.length).toBeGreaterThan(0);
  expect(sorted.at(-1)).toBe(first + BigInt(sorted.length - 1));
}
