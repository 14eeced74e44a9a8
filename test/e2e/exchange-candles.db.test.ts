import { expect, it, vi } from 'vitest';
import { compareDecimals, decimal } from '../../src/market/decimal.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { databaseOptions, testDatabaseKind } from '../support/database.ts';
import { configOf, type ServerProcess, startServerProcess } from '../support/whole-server.ts';

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
/** The exchange's clock is behind ours, so that its next whole minute begins and ends soon. */
const behind = (Date.now() + 20_000) % MINUTE;
const clock = { ...systemClock, now: () => systemClock.now() - behind };

/** How long ago the collection begins; what was before its start is fetched. Quiet minutes are among the trades of ETH-USDT. */
const MARKETS = [
  { exchange: 'okx', symbol: 'BTC-USDT', native: 'BTC-USDT', rate: 4, reach: 40 * MINUTE },
  { exchange: 'okx', symbol: 'ETH-USDT', native: 'ETH-USDT', rate: 0.02, reach: 6 * HOUR },
  { exchange: 'binance', symbol: 'SOL-USDT', native: 'SOLUSDT', rate: 15, reach: 40 * MINUTE },
] as const;
type Market = (typeof MARKETS)[number];

const INTERVALS = [
  ['S1', '1s', '1s', 1_000],
  ['M1', '1m', '1m', MINUTE],
  ['M5', '5m', '5m', 5 * MINUTE],
  ['M15', '15m', '15m', 15 * MINUTE],
  ['H1', '1H', '1h', HOUR],
] as const;

const simulate = (exchange: Market['exchange']) => {
  const own = MARKETS.filter((market) => market.exchange === exchange);
  const rates = Object.fromEntries(own.map(({ symbol, rate }) => [symbol, rate]));
  return startSimulator({ exchange, symbols: own.map(({ symbol }) => symbol), rates, clock, seed: 'klines' });
};

/** What both print of a candle. */
interface Figures {
  readonly closeTime: number;
  readonly prices: readonly string[];
  readonly volume: string;
  readonly quoteVolume: string;
  readonly tradeCount: number | null;
}

/** The exchange's own candles before a time, newest first, by plain reading. */
async function theirs(market: Market, restUrl: string, before: number, bars: readonly [string, string, number]) {
  const [okxBar, binanceBar, length] = bars;
  const path =
    market.exchange === 'okx'
      ? `/api/v5/market/history-candles?instId=${market.native}&bar=${okxBar}&after=${before}&limit=300`
      : `/api/v3/klines?symbol=${market.native}&interval=${binanceBar}&endTime=${before - 1}&limit=300`;
  const body = (await (await fetch(`${restUrl}${path}`)).json()) as { readonly data: string[][] } & string[][];
  return (market.exchange === 'okx' ? body.data : body).map(
    ([time, open = '', high = '', low = '', close = '', volume = '', , quote = '', count]): Figures => ({
      closeTime: Number(time) + length,
      prices: [open, high, low, close],
      ...{ volume, quoteVolume: quote, tradeCount: market.exchange === 'okx' ? null : Number(count) },
    }),
  );
}

interface Node {
  readonly closeTime: string;
  readonly open: string | null;
  readonly high: string | null;
  readonly low: string | null;
  readonly close: string | null;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly tradeCount: string;
  readonly completeness: string;
}

/** Our candles of which every trade is here, by their end. */
async function ours(server: ServerProcess, market: Market, interval: string, from: number, to: number) {
  const args = `exchange: "${market.exchange}", symbol: "${market.symbol}", interval: ${interval}, last: 1000`;
  const range = `from: "${new Date(from).toISOString()}", to: "${new Date(to).toISOString()}"`;
  const { candles } = await server.ask<{ candles: { edges: readonly { node: Node }[] } }>(
    `{ candles(${args}, ${range}) { edges { node { closeTime open high low close volume quoteVolume tradeCount completeness } } } }`,
  );
  const complete = candles.edges.filter(({ node }) => node.completeness === 'COMPLETE');
  return new Map(complete.map(({ node }) => [Date.parse(node.closeTime), node]));
}

const isSame = (a: string | null, b: string) => a !== null && compareDecimals(decimal(a), decimal(b)) === 0;

/** In what they differ. A quiet candle of theirs is flat and without volume, and ours without prices. */
function differences(own: Node, their: Figures): readonly string[] {
  const prices = [own.open, own.high, own.low, own.close];
  const isQuiet = isSame(their.volume, '0');
  const differing = prices.flatMap((price, k) =>
    (isQuiet ? price === null : isSame(price, their.prices[k] ?? ''))
      ? []
      : [['open', 'high', 'low', 'close'][k] ?? ''],
  );
  if (!isSame(own.volume, their.volume)) differing.push('volume');
  if (!isSame(own.quoteVolume, their.quoteVolume)) differing.push('quoteVolume');
  if (their.tradeCount !== null && Number(own.tradeCount) !== their.tradeCount) differing.push('tradeCount');
  return differing;
}

it('our candles are those the exchange prints, second for second and minute for minute', async () => {
  await using okx = await simulate('okx');
  await using binance = await simulate('binance');
  const simulators = { okx, binance };
  const config = configOf(
    [okx, binance].map((simulator) => ({
      simulator,
      pairs: MARKETS.filter(({ exchange }) => exchange === simulator.exchange).map(({ symbol }) => ({
        ...{ symbol, data_types: ['trade', 'candle'] },
      })),
    })),
  );
  const begun = clock.now();
  await using server = await startServerProcess(config, await databaseOptions());
  await server.running(MARKETS.length);

  const ids = await Promise.all(
    MARKETS.map(async ({ exchange, symbol, reach }) => {
      const range = `from: "${new Date(begun - reach).toISOString()}", to: "${new Date(clock.now()).toISOString()}"`;
      const { requestBackfill } = await server.ask<{
        requestBackfill: { backfill: { id: string } | null; userErrors: unknown };
      }>(
        `mutation { requestBackfill(input: { exchange: "${exchange}", symbol: "${symbol}", ${range} }) { backfill { id } userErrors { message } } }`,
      );
      expect(requestBackfill.userErrors).toEqual([]);
      return requestBackfill.backfill?.id;
    }),
  );
  await vi.waitFor(
    async () => {
      for (const id of ids) {
        const { backfill } = await server.ask<{ backfill: { status: string } }>(`{ backfill(id: "${id}") { status } }`);
        expect(backfill.status).toBe('DONE');
      }
    },
    { timeout: 60_000, interval: 250 },
  );

  const before = Math.floor(clock.now() / MINUTE) * MINUTE;
  const counts: Record<string, number> = {};
  for (const market of MARKETS)
    for (const [interval, ...bars] of INTERVALS) {
      const printed = await theirs(market, simulators[market.exchange].connection.rest_url, before, bars);
      const own = await ours(server, market, interval, begun - market.reach - HOUR, before);
      for (const their of printed) {
        const node = own.get(their.closeTime);
        if (node === undefined) continue;
        expect({ interval, node, their, differing: differences(node, their) }).toMatchObject({ differing: [] });
        const kind = node.close === null ? 'quiet' : 'traded';
        for (const name of [`${interval} ${kind}`, market.symbol]) counts[name] = (counts[name] ?? 0) + 1;
      }
    }
  console.log(`${testDatabaseKind()}: equal to the exchange's own candles: ${JSON.stringify(counts)}`);
  expect(counts['S1 traded']).toBeGreaterThan(400);
  expect(counts['M1 traded']).toBeGreaterThan(120);
  expect(counts['M1 quiet']).toBeGreaterThan(50);
  expect(counts['M5 traded']).toBeGreaterThan(20);
  expect(counts['M15 traded']).toBeGreaterThan(10);
  expect(counts['H1 traded']).toBeGreaterThan(3);

  // What the exchange printed while we listened is set beside ours by the server itself.
  for (const { exchange, symbol } of MARKETS)
    await vi.waitFor(
      async () => {
        const quality = await qualityOf(server, exchange, symbol, new Date(begun).toISOString().slice(0, 10));
        expect(quality).toMatchObject({ candlesDiffering: 0, differences: [] });
        expect(quality.candlesEqual).toBeGreaterThan(0);
        expect(quality.repaired).toMatchObject({
          gapsFilled: quality.repaired.gaps,
          tradesMissing: '0',
          tradesLost: '0',
        });
        expect(Number(quality.repaired.tradesBackfilled)).toBeGreaterThan(0);
      },
      { timeout: 70_000, interval: 500 },
    );
}, 180_000);

interface Quality {
  readonly candlesEqual: number;
  readonly candlesDiffering: number;
  readonly differences: readonly unknown[];
  readonly repaired: {
    readonly gaps: number;
    readonly gapsFilled: number;
    readonly tradesBackfilled: string;
    readonly tradesMissing: string;
    readonly tradesLost: string;
  };
}

async function qualityOf(server: ServerProcess, exchange: string, symbol: string, day: string): Promise<Quality> {
  const { dataQuality } = await server.ask<{ dataQuality: Quality }>(
    `{ dataQuality(exchange: "${exchange}", symbol: "${symbol}", day: "${day}") {
      candlesEqual candlesDiffering differences { closeTime fields verdict message }
      repaired { gaps gapsFilled tradesBackfilled tradesMissing tradesLost } } }`,
  );
  return dataQuality;
}
