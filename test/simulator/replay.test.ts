import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { Probe } from './probe.ts';

const FIXTURES = fileURLToPath(new URL('../../../shared/fixtures/', import.meta.url));
const recorded = existsSync(FIXTURES);
if (!recorded) console.warn(`SKIPPED: replay of real recordings, there is no ${FIXTURES}`);

interface Line {
  readonly ts: number;
  readonly dir: string;
  readonly raw: string;
}
const linesOf = (file: string) =>
  readFileSync(file, 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);

/** Three trades and two tickers in 200 ms, made up in the form of a recording. */
const tiny = (at = 1_700_000_000) =>
  ['trades', 'tickers', 'trades', 'tickers', 'trades'].map((channel, i) => ({
    ts: at + i * 0.05,
    dir: 'in',
    conn: 'a',
    raw: `{"arg":{"channel":"${channel}","instId":"AAA-BBB"},"data":[{"n":${i},"px":"1.50"}]}`,
  }));

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'simulator-replay-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string, lines: readonly unknown[]): string => {
  const path = join(folder, name);
  writeFileSync(path, lines.map((line) => (typeof line === 'string' ? line : JSON.stringify(line))).join('\n'));
  return path;
};
const data = (probe: Probe) => probe.texts.filter((text) => text.includes('"data"'));

describe('a replay', () => {
  it('sends the frames as recorded, in their order, but acknowledges what this client asked for', async () => {
    const lines = tiny();
    const ack = {
      ts: 1,
      dir: 'in',
      conn: 'a',
      raw: '{"event":"subscribe","arg":{"channel":"books","instId":"AAA-BBB"}}',
    };
    const out = { ts: 1, dir: 'out', conn: 'a', raw: lines[0]?.raw };
    const files = [file('order.jsonl', [out, ack, ...lines, { ts: 2, dir: 'in', conn: 'a', raw: 'pong' }])];
    await using simulator = await startSimulator({ exchange: 'okx', replay: { files, speed: 0 } });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    probe.send({ op: 'subscribe', args: ['trades', 'tickers'].map((channel) => ({ channel, instId: 'AAA-BBB' })) });
    await probe.heard(() => data(probe), 5);
    expect(data(probe)).toEqual(lines.map(({ raw }) => raw));
    expect(probe.frames.filter(({ event }) => event === 'subscribe').length).toBe(2);
    expect(simulator.state().replay).toMatchObject({
      frames: 5,
      sent: 5,
      topics: { 'trades:AAA-BBB': { frames: 3, sent: 3 } },
    });
  });

  it('holds the frames of a channel until somebody asks for it, and sends nobody what he did not ask for', async () => {
    await using simulator = await startSimulator({
      exchange: 'okx',
      replay: { files: [file('hold.jsonl', tiny())], speed: 0 },
    });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    probe.okx('subscribe', 'tickers', 'AAA-BBB');
    await probe.heard(() => data(probe), 2);
    expect(probe.okxData('trades')).toEqual([]);
    probe.okx('subscribe', 'trades', 'AAA-BBB');
    await probe.heard(() => probe.okxData('trades'), 3);
    probe.okx('subscribe', 'trades', 'ZZZ-BBB');
    await probe.heard(() => probe.frames.filter(({ code }) => code === '60018'), 1);
  });

  it('keeps the recorded pace, or a multiple of it', async () => {
    const slowly = tiny().map((line, i) => ({ ...line, ts: 1_700_000_000 + i * 0.2 }));
    const timed = async (speed: number): Promise<number> => {
      await using simulator = await startSimulator({
        exchange: 'okx',
        replay: { files: [file('pace.jsonl', slowly)], speed },
      });
      await using probe = await Probe.open(simulator.connection.public_ws_url);
      probe.send({ op: 'subscribe', args: ['trades', 'tickers'].map((channel) => ({ channel, instId: 'AAA-BBB' })) });
      await probe.heard(() => data(probe), 1);
      const first = performance.now();
      await probe.heard(() => data(probe), 5);
      return performance.now() - first;
    };
    const [recordedPace, fourfold] = [await timed(1), await timed(4)];
    expect(recordedPace).toBeGreaterThan(700);
    expect(fourfold).toBeGreaterThan(100);
    expect(fourfold).toBeLessThan(600);
  });

  it('starts over when it was played to its end and nobody is connected any more', async () => {
    await using simulator = await startSimulator({
      exchange: 'okx',
      replay: { files: [file('again.jsonl', tiny())], speed: 0 },
    });
    for (let round = 0; round < 2; round += 1) {
      await using probe = await Probe.open(simulator.connection.public_ws_url);
      probe.send({ op: 'subscribe', args: ['trades', 'tickers'].map((channel) => ({ channel, instId: 'AAA-BBB' })) });
      await probe.heard(() => data(probe), 5);
      probe.socket.close();
      await vi.waitFor(() => expect(simulator.state().replay?.sent).toBe(0), { timeout: 5000 });
    }
  });

  it('answers REST as recorded, by path and instrument, the last answer for ever', async () => {
    const rest = [
      { url: 'https://api.binance.com/api/v3/depth?symbol=AAABBB&limit=1000', ts: 1, body: '{"lastUpdateId":1}' },
      { url: '/api/v3/depth?symbol=AAABBB', ts: null, body: '{"lastUpdateId":2}' },
      { url: '/api/v3/depth?symbol=CCCBBB', ts: null, body: '{"lastUpdateId":3}' },
    ];
    await using simulator = await startSimulator({
      exchange: 'binance',
      replay: { files: [file('rest.jsonl', rest)] },
    });
    const ask = async (path: string) => (await fetch(`${simulator.connection.rest_url}/api/v3/${path}`)).text();
    expect(await ask('depth?symbol=AAABBB&limit=5000')).toBe('{"lastUpdateId":1}');
    expect(await ask('depth?symbol=CCCBBB')).toBe('{"lastUpdateId":3}');
    expect(await ask('depth?symbol=AAABBB')).toBe('{"lastUpdateId":2}');
    expect(await ask('depth?symbol=AAABBB')).toBe('{"lastUpdateId":2}');
    expect(await ask('historicalTrades?symbol=AAABBB&fromId=5')).toBe('[]');
    expect((await fetch(`${simulator.connection.rest_url}/api/v3/exchangeInfo`)).status).toBe(404);
  });

  it.each([
    ['a file that is not there', 'missing.jsonl', null, /missing.jsonl cannot be read: ENOENT/],
    ['a line that is not JSON', 'broken.jsonl', ['{"a":1}', '{"arg'], /broken.jsonl:2 is not JSON/],
    ['a line that is no object', 'array.jsonl', ['[1]'], /array.jsonl:1 should be a JSON object/],
    [
      'nothing of the exchange',
      'other.jsonl',
      [{ stream: 'btcusdt@trade', data: {} }],
      /other.jsonl holds no data frames or REST answers of okx/,
    ],
  ])('refuses %s', async (_what, name, lines, message) => {
    const path = lines === null ? join(folder, name) : file(name, lines);
    await expect(startSimulator({ exchange: 'okx', replay: { files: [path] } })).rejects.toThrow(message);
  });
});

describe.skipIf(!recorded)('a replay of real recordings', () => {
  it('sends the whole OKX session of 2022 frame by frame', async () => {
    const path = `${FIXTURES}okx/session.BTC-USDT.2022-05.jsonl`;
    await using simulator = await startSimulator({ exchange: 'okx', replay: { files: [path], speed: 0 } });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    probe.send({
      op: 'subscribe',
      args: ['tickers', 'trades', 'books'].map((channel) => ({ channel, instId: 'BTC-USDT' })),
    });
    const expected = linesOf(path)
      .filter(({ dir, raw }) => dir === 'in' && raw.includes('"data"'))
      .map(({ raw }) => raw);
    expect(expected.length).toBe(25 + 69 + 98);
    await probe.heard(() => data(probe), expected.length);
    expect(data(probe)).toEqual(expected);
  });

  it.each([
    ['NKNUSDT', 226, ['spot.rest.exchangeInfo.2021-10.jsonl']],
    ['US-CRV-COMP', 191, []],
  ])('sends the whole Binance session %s, wrapped or bare, with its REST answers', async (name, frames, more) => {
    const session = `${FIXTURES}binance/spot.session.${name}.2021-10.jsonl`;
    const depth = `${FIXTURES}binance/spot.rest.depth.${name}.2021-10.jsonl`;
    const files = [session, depth, ...more.map((each) => `${FIXTURES}binance/${each}`)];
    await using simulator = await startSimulator({ exchange: 'binance', replay: { files, speed: 0 } });
    const expected = linesOf(session).map(({ raw }) => raw);
    const streams = [...new Set(expected.map((raw) => (JSON.parse(raw) as { stream: string }).stream))];
    await using wrapped = await Probe.open(simulator.connection.public_ws_url);
    await using bare = await Probe.open(
      `${simulator.connection.rest_url.replace('http', 'ws')}/ws/${streams.join('/')}`,
    );
    wrapped.send({ method: 'SUBSCRIBE', params: streams, id: 1 });
    await wrapped.heard(() => data(wrapped), frames);
    expect(data(wrapped)).toEqual(expected);
    await bare.heard(() => bare.texts, frames);
    expect(bare.frames).toEqual(expected.map((raw) => (JSON.parse(raw) as { data: unknown }).data));
    const [first = ''] = readFileSync(depth, 'utf8').split('\n');
    const { url, body } = JSON.parse(first) as { url: string; body: string };
    const answer = await fetch(simulator.connection.rest_url + new URL(url).pathname + new URL(url).search);
    expect(await answer.text()).toBe(body);
    if (more.length > 0) expect((await fetch(`${simulator.connection.rest_url}/api/v3/exchangeInfo`)).status).toBe(200);
  });
});
