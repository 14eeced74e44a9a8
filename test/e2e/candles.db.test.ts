import { expect, it, vi } from 'vitest';
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { candleByHand, type Recorded } from '../support/candle-by-hand.ts';
import { databaseOptions } from '../support/database.ts';
import { configOf, readDirectly, startServerProcess } from '../support/whole-server.ts';

interface Shown {
  readonly openTime: string;
  readonly closeTime: string;
  readonly open: string | null;
  readonly high: string | null;
  readonly low: string | null;
  readonly close: string | null;
  readonly volume: string;
  readonly quoteVolume: string;
  readonly buyVolume: string;
  readonly tradeCount: string;
  readonly revision: number;
  readonly completeness: string;
  readonly state: string;
}

const FIELDS =
  'openTime closeTime open high low close volume quoteVolume buyVolume tradeCount revision completeness state';

interface Row {
  readonly trade_id: string;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  readonly ms: string;
  readonly recorded: string;
}

it('candles are those of the stored trades, to the last digit, through a kill and what was fetched after it', async () => {
  await using simulator = await startSimulator({ exchange: 'okx', symbols: ['BTC-USDT'], rate: 100 });
  const place = await databaseOptions();
  const config = configOf([{ simulator, pairs: [{ symbol: 'BTC-USDT', data_types: ['trade'] }] }]);
  const candlesOf = async (ask: (query: string) => Promise<unknown>, interval: string, asOf: string | null = null) => {
    const { candles } = (await ask(
      `{ candles(exchange: "okx", symbol: "BTC-USDT", interval: ${interval}, from: "${new Date(begun).toISOString()}"${asOf === null ? '' : `, asOf: "${asOf}"`}) { edges { node { ${FIELDS} } } } }`,
    )) as { candles: { edges: readonly { node: Shown }[] } };
    return candles.edges.map(({ node }) => node);
  };
  const begun = Date.now();
  let asOf = '';
  {
    await using server = await startServerProcess(config, place);
    await server.running(1);
    await vi.waitFor(async () => {
      const full = (await candlesOf(server.ask, 'S1')).filter(({ state }) => state === 'FINAL');
      expect(full.length).toBeGreaterThan(2);
      asOf = full[1]?.closeTime ?? '';
    }, 20_000);
    await server.end('SIGKILL');
  }
  const made = () => simulator.state().instruments[0]?.count ?? 0;
  const uncollected = made() + 250;
  await vi.waitFor(() => expect(made()).toBeGreaterThan(uncollected), 10_000);
  await using server = await startServerProcess(config, place);
  await server.running(1);
  await vi.waitFor(async () => {
    const { health } = await server.ask<{ health: { openGaps: number } }>('{ health { openGaps } }');
    expect(health.openGaps).toBe(0);
    const candles = await candlesOf(server.ask, 'S1');
    expect(candles.some(({ revision }) => revision > 0)).toBe(true);
    expect(candles.slice(-4, -2).every(({ state }) => state === 'FINAL')).toBe(true);
  }, 30_000);
  const shown = {
    S1: await candlesOf(server.ask, 'S1'),
    S5: await candlesOf(server.ask, 'S5'),
    M1: await candlesOf(server.ask, 'M1'),
    before: await candlesOf(server.ask, 'S1', asOf),
  };
  expect(await server.end('SIGTERM')).toBe(0);
  const rows = await readDirectly<Row>(
    place,
    `select trade_id, price::text, size::text, case side when 'b' then 'buy' else 'sell' end as side,
      (extract(epoch from ts) * 1000)::bigint::text as ms, (extract(epoch from recorded_at) * 1000)::bigint::text as recorded
      from tcp_dashboard.trade`,
  );
  const all = rows.map((row): Recorded => {
    const trade = {
      ...{
        kind: 'trade',
        exchange: 'okx',
        symbol: 'BTC-USDT',
        exchangeTime: Number(row.ms),
        receivedAt: 0,
        fillCount: 1,
      },
      ...{ tradeId: row.trade_id, price: decimal(row.price), size: decimal(row.size), side: row.side, raw: null },
    } as Trade;
    return { trade, recordedAt: Number(row.recorded) };
  });
  for (const [name, candles] of Object.entries(shown))
    for (const candle of candles) {
      const window = { openTime: Date.parse(candle.openTime), closeTime: Date.parse(candle.closeTime) };
      // What was recorded after the question is not in its answer.
      if (name !== 'before' && candle === candles.at(-1)) continue;
      const values = candleByHand(all, window, {
        endInclusive: false,
        asOf: name === 'before' ? Date.parse(asOf) : null,
      });
      expect([name, candle]).toMatchObject([
        name,
        values === null
          ? { open: null, close: null, volume: '0', tradeCount: '0' }
          : {
              ...{ open: values.open, high: values.high, low: values.low, close: values.close, volume: values.volume },
              ...{ quoteVolume: values.quoteVolume, buyVolume: values.buyVolume, revision: values.revision },
              tradeCount: String(values.tradeCount),
            },
      ]);
    }
  expect(shown.S1.length).toBeGreaterThan(5);
}, 90_000);
