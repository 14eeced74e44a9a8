import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { databaseOptions } from '../support/database.ts';
import { configOf, type ServerProcess, startServerProcess } from '../support/whole-server.ts';

// What other projects' candles got wrong, from the socket of an exchange to the answer of the API.

const START = Date.UTC(2026, 0, 5);
const iso = (minutes: number) => new Date(START + Math.round(minutes * 60_000)).toISOString();

/** Minutes after START, id and price of each trade, in the order it is sent. */
const SENT: readonly (readonly [minutes: number, id: number, price: string])[] = [
  [0, 1, '100'],
  [0.25, 2, '101'],
  [0.5, 3, '0'], // a glitch
  [59_999 / 60_000, 4, '102'],
  [1, 5, '103'],
  [1.1, 6, '103'],
  [1.2, 7, '103'],
  [1.3, 8, '103'],
  [1.5, 10, '105'],
  [1.5, 9, '104'], // of the same millisecond, and the other way round
  [4.5, 11, '106'],
  [1.75, 12, '99'], // late: its minute is over
  [5.5, 13, '107'],
  [9.5, 20, '108'], // 14 to 19 never came
];

let folder: string;
let simulator: Simulator;
let server: ServerProcess;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tcp-tape-'));
  const tape = join(folder, 'tape.jsonl');
  const frames = SENT.map(([minutes, id, px]) => ({
    arg: { channel: 'trades', instId: 'BTC-USDT' },
    data: [
      {
        ...{ instId: 'BTC-USDT', tradeId: String(id), px, sz: '0.5', side: 'buy' },
        ts: String(START + Math.round(minutes * 60_000)),
      },
    ],
  }));
  writeFileSync(tape, frames.map((frame) => JSON.stringify(frame)).join('\n'));
  simulator = await startSimulator({ exchange: 'okx', replay: { files: [tape], speed: 0 } });
  const pairs = [{ symbol: 'BTC-USDT', data_types: ['trade'], channels: { trades: 'trades' } }];
  server = await startServerProcess(configOf([{ simulator, pairs }]), await databaseOptions());
  await vi.waitFor(
    async () => {
      const { trades } = await server.ask<{ trades: { edges: readonly unknown[] } }>(
        '{ trades(exchange: "okx", symbol: "BTC-USDT") { edges { cursor } } }',
      );
      expect(trades.edges).toHaveLength(SENT.length - 1);
    },
    { timeout: 20_000, interval: 100 },
  );
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
  await simulator?.[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

interface Shown {
  readonly closeTime: string;
  readonly open: string | null;
  readonly high: string | null;
  readonly low: string | null;
  readonly close: string | null;
  readonly volume: string;
  readonly tradeCount: string;
  readonly completeness: string;
  readonly availableAt: string | null;
}

async function candles(args: string): Promise<readonly Shown[]> {
  const answer = await server.ask<{ candles: { edges: readonly { node: Shown }[] } }>(
    `{ candles(exchange: "okx", symbol: "BTC-USDT", ${args}) { edges { node {
      closeTime open high low close volume tradeCount completeness availableAt } } } }`,
  );
  return answer.candles.edges.map(({ node }) => node);
}
const minutes = (from: number, to: number, more = '') =>
  candles(`interval: M1, from: "${iso(from)}", to: "${iso(to)}" ${more}`);
const inShort = (list: readonly Shown[]) =>
  list.map(({ open, high, low, close, completeness }) => [open, high, low, close, completeness].join(' '));
/** Without prices. */
const NONE = ['', '', '', ''].join(' ');

describe('candles', () => {
  it('ccxt #26946: a price of zero makes no low of 0; it is refused, counted and said to be missing', async () => {
    expect(inShort(await minutes(0, 1))).toEqual(['100 102 100 102 PARTIAL']);
    const { health, coverage, collectors } = await server.ask<{
      health: { storage: { refused: number } };
      coverage: readonly { status: string; firstId: string; lastId: string; cause: string }[];
      collectors: readonly { name: string }[];
    }>(
      `{ health { storage { refused } } collectors { name }
        coverage(exchange: "okx", symbol: "BTC-USDT", from: "${iso(0)}", to: "${iso(2)}") { status firstId lastId cause } }`,
    );
    expect(collectors).toHaveLength(1);
    expect(health.storage.refused).toBeGreaterThan(0);
    expect(coverage.find(({ status }) => status === 'UNFILLABLE')).toEqual({
      ...{ status: 'UNFILLABLE', firstId: '3', lastId: '3', cause: 'A stored trade has a price above 0, was "0"' },
    });
  });

  it('ccxt #26946: the close of one millisecond is that of the highest id, whatever came first', async () => {
    const second = `interval: S1, from: "${iso(1.5)}", to: "${new Date(START + 91_000).toISOString()}"`;
    expect(inShort(await candles(second))).toEqual(['104 105 104 105 COMPLETE']);
  });

  it('late trades in the wrong bar: a late one is in the minute it was made in', async () => {
    const [second, , , fifth] = await minutes(1, 5);
    expect(second).toMatchObject({ closeTime: iso(2), open: '103', low: '99', close: '99', tradeCount: '7' });
    expect(fifth).toMatchObject({ closeTime: iso(5), open: '106', low: '106', close: '106', tradeCount: '1' });
  });

  it('vega #10276, gocryptotrader: a quiet minute has no price, never one of 0', async () => {
    const quiet = await minutes(2, 4);
    expect(inShort(quiet)).toEqual([`${NONE} COMPLETE`, `${NONE} COMPLETE`]);
    expect(quiet).toMatchObject([
      { volume: '0', tradeCount: '0' },
      { volume: '0', tradeCount: '0' },
    ]);
    const carried = inShort(await minutes(2, 4, ', emptyIntervals: CARRY_FORWARD'));
    expect(carried).toEqual(['99 99 99 99 COMPLETE', '99 99 99 99 COMPLETE']);
  });

  it('nautilus_trader #4594: through an outage there is no flat bar, also not when prices are carried on', async () => {
    const outage = ['107 107 107 107 PARTIAL', ...[7, 8, 9].map(() => `${NONE} MISSING`), '108 108 108 108 PARTIAL'];
    for (const emptyIntervals of ['INCLUDE_NULL', 'CARRY_FORWARD'])
      expect(inShort(await minutes(5, 10, `, emptyIntervals: ${emptyIntervals}`))).toEqual(outage);
    const traded = await minutes(5, 10, ', emptyIntervals: OMIT');
    expect(traded.map(({ closeTime }) => closeTime)).toEqual([iso(6), iso(10)]);
  });

  it('freqtrade #12507: a label leaks nothing: it is the end, and nothing was available before that', async () => {
    const all = await minutes(0, 10);
    for (const { closeTime, availableAt } of all)
      expect(Date.parse(availableAt ?? '')).toBeGreaterThanOrEqual(Date.parse(closeTime));
    // All of it was recorded today: whoever had asked then would have got nothing.
    const then = await minutes(0, 10, `, asOf: "${iso(10)}"`);
    expect(then.map(({ close, completeness }) => [close, completeness === 'COMPLETE'])).toEqual(
      all.map(() => [null, false]),
    );
  });

  it('timescaledb #5806, #9027: labelled by the end, and closed on the right where asked for, at any length', async () => {
    const count = async (interval: string, to: number, boundary: string) => {
      const range = `from: "${iso(0)}", to: "${iso(to)}", boundary: ${boundary}`;
      const list = await candles(`interval: ${interval}, ${range}`);
      return list.map(({ closeTime, tradeCount }) => [closeTime, Number(tradeCount)]);
    };
    // The trades at 00:00:00.000 and 00:01:00.000 belong to the minute they begin, or to the one they end.
    expect(await count('M1', 2, 'START_INCLUSIVE')).toEqual([
      [iso(1), 3],
      [iso(2), 7],
    ]);
    expect(await count('M1', 2, 'END_INCLUSIVE')).toEqual([
      [iso(1), 3],
      [iso(2), 6],
    ]);
    expect(await count('M5', 5, 'START_INCLUSIVE')).toEqual([[iso(5), 11]]);
    expect(await count('M5', 5, 'END_INCLUSIVE')).toEqual([[iso(5), 10]]);
    const [anchored] = await candles(
      `interval: M5, from: "${iso(1)}", to: "${iso(6.5)}", anchor: "${iso(1.5)}", boundary: END_INCLUSIVE, first: 1`,
    );
    expect(anchored).toMatchObject({ closeTime: iso(1.5), open: '100', close: '105', tradeCount: '9' });
  });
});
