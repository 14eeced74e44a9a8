import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { OKX_INTERVALS } from '../../src/simulator/interval.ts';
import { candleRow, singleTrade } from '../../src/simulator/okx-frames.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { countAt, placeOf, tradeIdAt } from '../../src/simulator/tape.ts';
import { candleAt } from '../../src/simulator/tape-candle.ts';
import type { Json } from './probe.ts';

const HOUR = 3_600_000;
let simulator: Simulator;

const ask = async (path: string): Promise<{ status: number; code: string; data: readonly Json[] }> => {
  const answer = await fetch(`${simulator.connection.rest_url}/api/v5/${path}`);
  return { status: answer.status, ...((await answer.json()) as { code: string; data: readonly Json[] }) };
};
const places = (data: readonly Json[]) =>
  data.map(({ tradeId }) => placeOf(simulator.tape('BTC-USDT'), String(tradeId)) ?? -1);
const down = (from: number, count: number) => Array.from({ length: count }, (_, i) => from - i);

beforeAll(async () => {
  simulator = await startSimulator({ exchange: 'okx', seed: 'okx rest', rate: 50, historyMs: HOUR });
});
afterAll(() => simulator[Symbol.asyncDispose]());

describe('OKX REST', () => {
  it('answers the newest trades first, single matches, as the tape has them', async () => {
    const { data } = await ask('market/trades?instId=BTC-USDT&limit=500');
    expect(data.length).toBe(500);
    const [newest = -1] = places(data);
    expect(data).toEqual(down(newest, 500).map((k) => JSON.parse(singleTrade(simulator.tape('BTC-USDT'), k))));
    expect(Date.now() - Number(data[0]?.ts)).toBeLessThan(5_000);
  });

  it('pages trades by id: after goes to older ones, before to newer ones, both exclusive', async () => {
    const tape = simulator.tape('BTC-USDT');
    const k = countAt(tape, Date.now()) - 1000;
    const id = tradeIdAt(tape, k);
    expect(places((await ask(`market/history-trades?instId=BTC-USDT&after=${id}&limit=100`)).data)).toEqual(
      down(k - 1, 100),
    );
    expect(places((await ask(`market/history-trades?instId=BTC-USDT&before=${id}&limit=10`)).data)).toEqual(
      down(k + 10, 10),
    );
    const between = `market/history-trades?instId=BTC-USDT&before=${id}&after=${tradeIdAt(tape, k + 5)}`;
    expect(places((await ask(between)).data)).toEqual(down(k + 4, 4));
    expect((await ask('market/history-trades?instId=BTC-USDT&after=1')).data).toEqual([]);
  });

  it('pages trades by time with type 2', async () => {
    const tape = simulator.tape('BTC-USDT');
    const time = Date.now() - 60_000;
    expect(places((await ask(`market/history-trades?instId=BTC-USDT&type=2&after=${time}&limit=3`)).data)).toEqual(
      down(countAt(tape, time - 1) - 1, 3),
    );
  });

  it('gives at most 100 trades a page, and none older than it remembers', async () => {
    const tape = simulator.tape('BTC-USDT');
    expect((await ask('market/history-trades?instId=BTC-USDT&limit=1000')).data.length).toBe(100);
    const edge = countAt(tape, Date.now() - HOUR);
    const page = places((await ask(`market/history-trades?instId=BTC-USDT&after=${tradeIdAt(tape, edge + 30)}`)).data);
    expect(page.length).toBeLessThanOrEqual(30);
    expect(page.length).toBeGreaterThan(0);
    expect((await ask(`market/history-trades?instId=BTC-USDT&after=${tradeIdAt(tape, edge - 100)}`)).data).toEqual([]);
  });

  it.each(['candles', 'history-candles'])('answers %s newest first, the running one unfinished', async (path) => {
    const tape = simulator.tape('BTC-USDT');
    const minute = OKX_INTERVALS.get('1m');
    if (minute === undefined) throw new Error('OKX has 1m candles');
    const rows = (await ask(`market/${path}?instId=BTC-USDT&bar=1m&limit=5`))
      .data as unknown as readonly (readonly string[])[];
    expect(rows.map((row) => row[8])).toEqual(['0', '1', '1', '1', '1']);
    for (const row of rows.slice(1))
      expect(row).toEqual(JSON.parse(candleRow(tape, candleAt(tape, minute, Number(row[0])), '1')));
    const third = rows[2]?.[0] ?? '';
    const older = (await ask(`market/${path}?instId=BTC-USDT&after=${third}&limit=2`))
      .data as unknown as readonly (readonly string[])[];
    expect(older.map((row) => row[0])).toEqual([rows[3]?.[0], rows[4]?.[0]]);
    const newer = (await ask(`market/${path}?instId=BTC-USDT&before=${third}`))
      .data as unknown as readonly (readonly string[])[];
    // A minute may have begun since.
    expect(newer.slice(-2).map((row) => row[0])).toEqual([rows[0]?.[0], rows[1]?.[0]]);
  });

  it('lists spot instruments and swaps apart, and tells the time', async () => {
    await using swaps = await startSimulator({ exchange: 'okx', symbols: ['BTC-USDT', 'BTC-USDT-SWAP', 'PEPE-USDT'] });
    const list = async (kind: string) => {
      const answer = await fetch(`${swaps.connection.rest_url}/api/v5/public/instruments?instType=${kind}`);
      return ((await answer.json()) as { data: readonly Json[] }).data;
    };
    expect((await list('SPOT')).map(({ instId, tickSz, state }) => [instId, tickSz, state])).toEqual([
      ['BTC-USDT', '0.1', 'live'],
      ['PEPE-USDT', '0.0000000001', 'live'],
    ]);
    expect(await list('SWAP')).toMatchObject([
      { instId: 'BTC-USDT-SWAP', baseCcy: '', settleCcy: 'USDT', ctVal: '0.01' },
    ]);
    const { data } = await ask('public/time');
    expect(Math.abs(Number(data[0]?.ts) - Date.now())).toBeLessThan(5_000);
    expect((await ask('market/ticker?instId=BTC-USDT')).data).toMatchObject([
      { instId: 'BTC-USDT', last: expect.any(String) },
    ]);
    expect((await ask('market/tickers?instType=SPOT')).data.length).toBe(2);
  });

  it.each([
    ['market/trades?instId=NO-PE', 200, '51001'],
    ['market/trades', 400, '50014'],
    ['market/trades?instId=BTC-USDT&limit=x', 400, '51000'],
    ['market/history-trades?instId=BTC-USDT&after=x', 400, '51000'],
    ['market/candles?instId=BTC-USDT&bar=2m', 400, '51000'],
    ['market/candles?instId=BTC-USDT&after=x', 400, '51000'],
    ['public/instruments', 400, '50014'],
    ['no/such/path', 404, '404'],
  ])('refuses %s with its own code', async (path, status, code) => {
    expect(await ask(path)).toMatchObject({ status, code, data: [] });
  });

  it('is limited per path and two seconds, when asked to', async () => {
    await using strict = await startSimulator({ exchange: 'okx', enforceLimits: true });
    const url = `${strict.connection.rest_url}/api/v5/market/history-trades?instId=BTC-USDT&limit=1`;
    const answers = await Promise.all(Array.from({ length: 45 }, () => fetch(url)));
    const refused = answers.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThanOrEqual(5); // 20 in each of at most two windows
    expect(await refused[0]?.json()).toMatchObject({ code: '50011' });
  });
});
