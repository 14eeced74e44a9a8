import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { aggTradeEvent, klineEvent, tradeEvent } from '../../src/simulator/binance-frames.ts';
import { BINANCE_INTERVALS } from '../../src/simulator/interval.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { groupAt, placeOf } from '../../src/simulator/tape.ts';
import { candleAt } from '../../src/simulator/tape-candle.ts';
import { type Json, Probe } from './probe.ts';

const FIRST_ID = 9_007_199_254_740_993n;
let simulator: Simulator;
const combined = () => Probe.open(simulator.connection.public_ws_url);
const raw = (path: string) => Probe.open(simulator.connection.rest_url.replace('http', 'ws') + path);
const subscribe = (probe: Probe, ...params: string[]) => probe.send({ method: 'SUBSCRIBE', params, id: 1 });

beforeAll(async () => {
  simulator = await startSimulator({
    exchange: 'binance',
    seed: 'binance tests',
    rate: 200,
    symbols: ['BTC-USDT', 'PEPE-USDT'],
    firstId: FIRST_ID,
  });
});
afterAll(() => simulator[Symbol.asyncDispose]());

describe('Binance trades', () => {
  it('carry ids beyond 2^53 as bare digits and are those of the tape, none missing', async () => {
    await using probe = await combined();
    subscribe(probe, 'pepeusdt@trade');
    const texts = await probe.heard(() => probe.streamTexts('pepeusdt@trade'), 100);
    const tape = simulator.tape('PEPE-USDT');
    const first = placeOf(tape, /"t":(\d+),/.exec(texts[0] ?? '')?.[1] ?? '') ?? -1;
    expect(first).toBeGreaterThan(0);
    expect(texts).toEqual(texts.map((_, i) => tradeEvent(tape, first + i)));
  });

  it('are packed on aggTrade: ids rise by one and f follows on l', async () => {
    await using probe = await combined();
    subscribe(probe, 'btcusdt@aggTrade');
    const texts = await probe.heard(() => probe.streamTexts('btcusdt@aggTrade'), 50);
    const tape = simulator.tape('BTC-USDT');
    const first = Number(/"a":(\d+),/.exec(texts[0] ?? '')?.[1]);
    expect(texts).toEqual(texts.map((_, i) => aggTradeEvent(tape, groupAt(tape, first + i))));
    const range = (text: string | undefined) =>
      /"f":(\d+),"l":(\d+),/
        .exec(text ?? '')
        ?.slice(1)
        .map(BigInt) ?? [];
    for (const [i, text] of texts.entries())
      if (i > 0) expect(range(text)[0]).toBe((range(texts[i - 1])[1] ?? 0n) + 1n);
  });
});

describe('Binance order books', () => {
  it('bridge from the REST snapshot into an unbroken chain of depth events', async () => {
    await using probe = await combined();
    subscribe(probe, 'btcusdt@depth@100ms');
    await probe.heard(() => probe.streamTexts('btcusdt@depth@100ms'), 3);
    const answer = await fetch(`${simulator.connection.rest_url}/api/v3/depth?symbol=BTCUSDT&limit=5000`);
    const snapshot = (await answer.json()) as {
      lastUpdateId: number;
      bids: [string, string][];
      asks: [string, string][];
    };
    const events = () =>
      probe
        .streamTexts('btcusdt@depth@100ms')
        .map((text) => JSON.parse(text) as { U: number; u: number; b: [string, string][]; a: [string, string][] });
    await probe.heard(() => events().filter(({ u }) => u > snapshot.lastUpdateId), 5);
    for (const [i, { U }] of events().entries()) if (i > 0) expect(U).toBe((events()[i - 1]?.u ?? 0) + 1);
    const kept = events().filter(({ u }) => u > snapshot.lastUpdateId);
    expect(kept[0]?.U).toBeLessThanOrEqual(snapshot.lastUpdateId + 1);
    const bids = new Map(snapshot.bids);
    const asks = new Map(snapshot.asks);
    for (const { b, a } of kept)
      for (const [side, changes] of [
        [bids, b],
        [asks, a],
      ] as const)
        for (const [price, size] of changes) {
          if (/[1-9]/.test(size)) side.set(price, size);
          else side.delete(price);
        }
    expect(Math.max(...[...bids.keys()].map(Number))).toBeLessThan(Math.min(...[...asks.keys()].map(Number)));
  });

  it.each([5, 10, 20])('of depth%i are whole and name no symbol', async (depth) => {
    await using probe = await combined();
    subscribe(probe, `btcusdt@depth${depth}@100ms`);
    const [text = ''] = await probe.heard(() => probe.streamTexts(`btcusdt@depth${depth}@100ms`), 1);
    const book = JSON.parse(text) as { lastUpdateId: number; bids: unknown[]; asks: unknown[] };
    expect(Object.keys(book)).toEqual(['lastUpdateId', 'bids', 'asks']);
    expect([book.bids.length, book.asks.length]).toEqual([depth, depth]);
  });

  it('have a best bid and ask without event type or time', async () => {
    await using probe = await combined();
    subscribe(probe, 'btcusdt@bookTicker');
    const texts = await probe.heard(() => probe.streamTexts('btcusdt@bookTicker'), 3);
    for (const text of texts) {
      const top = JSON.parse(text) as { u: number; s: string; b: string; a: string };
      expect(Object.keys(top)).toEqual(['u', 's', 'b', 'B', 'a', 'A']);
      expect(Number(top.b)).toBeLessThan(Number(top.a));
    }
  });
});

describe('Binance tickers and klines', () => {
  it('send the 24 hours once a second', async () => {
    await using probe = await combined();
    subscribe(probe, 'btcusdt@ticker');
    const [text = ''] = await probe.heard(() => probe.streamTexts('btcusdt@ticker'), 1);
    expect(JSON.parse(text)).toMatchObject({
      e: '24hrTicker',
      s: 'BTCUSDT',
      c: expect.stringMatching(/^\d+\.\d{8}$/),
      P: expect.stringMatching(/^-?\d+\.\d{3}$/),
    });
    expect(text).toMatch(/"F":\d{16},"L":\d{16},"n":\d+\}$/);
  });

  it('close a kline with the first trade after its end, with the values of its trades', async () => {
    await using probe = await combined();
    subscribe(probe, 'pepeusdt@kline_1s');
    const closed = await probe.heard(
      () => probe.streamTexts('pepeusdt@kline_1s').filter((text) => text.includes('"x":true')),
      2,
    );
    const interval = BINANCE_INTERVALS.get('1s');
    if (interval === undefined) throw new Error('Binance has 1s klines');
    const tape = simulator.tape('PEPE-USDT');
    for (const text of closed) {
      const { E, k } = JSON.parse(text) as { E: number; k: { t: number; T: number } };
      expect(text).toBe(klineEvent(tape, candleAt(tape, interval, k.t), { interval: '1s', closed: true, time: E }));
      expect(k.T).toBe(k.t + 999);
    }
  });
});

describe('Binance connections', () => {
  it('send bare payloads on /ws/<stream> and wrapped ones on /stream', async () => {
    await using bare = await raw('/ws/btcusdt@trade');
    await using wrapped = await raw('/stream?streams=btcusdt@trade/pepeusdt@trade');
    expect((await bare.heard(() => bare.frames, 1))[0]).toMatchObject({ e: 'trade', s: 'BTCUSDT' });
    const streams = () => new Set(wrapped.frames.map(({ stream }) => stream));
    await wrapped.heard(() => [...streams()], 2);
    expect([...streams()].sort()).toEqual(['btcusdt@trade', 'pepeusdt@trade']);
  });

  it('answer requests, list subscriptions, and change between bare and wrapped', async () => {
    await using probe = await raw('/ws');
    probe.send({
      method: 'SUBSCRIBE',
      params: ['btcusdt@trade', 'nope@trade', 'BTCUSDT@trade', 'btcusdt@nothing'],
      id: 'a',
    });
    probe.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 });
    probe.send({ method: 'UNSUBSCRIBE', params: ['btcusdt@trade', 'never@trade'], id: 3 });
    probe.send({ method: 'SET_PROPERTY', params: ['combined', true], id: 4 });
    probe.send({ method: 'GET_PROPERTY', params: ['combined'], id: 5 });
    await probe.heard(() => probe.frames.filter(({ id }) => id === 5), 1);
    expect(probe.frames.filter((frame) => 'id' in frame)).toEqual([
      { result: null, id: 'a' },
      { result: ['btcusdt@trade', 'nope@trade', 'BTCUSDT@trade', 'btcusdt@nothing'], id: 2 },
      { result: null, id: 3 },
      { result: null, id: 4 },
      { result: true, id: 5 },
    ]);
  });

  it.each([
    ['text that is not JSON', 'x', 3],
    ['no object', '[1]', 2],
    ['an unknown method', { method: 'SUBSCRIB', params: [], id: 1 }, 2],
    ['no params', { method: 'SUBSCRIBE', id: 1 }, 2],
    ['params that are no texts', { method: 'SUBSCRIBE', params: [1], id: 1 }, 2],
    ['an id that is an object', { method: 'SUBSCRIBE', params: [], id: {} }, 2],
    [
      'more than 1,024 streams',
      { method: 'SUBSCRIBE', params: Array.from({ length: 1025 }, (_, i) => `s${i}@trade`), id: 1 },
      2,
    ],
    ['an unknown property', { method: 'SET_PROPERTY', params: ['x', true], id: 1 }, 0],
    ['a property of the wrong type', { method: 'SET_PROPERTY', params: ['combined', 1], id: 1 }, 1],
  ])('refuse %s by code and stay', async (_what, message, code) => {
    await using probe = await combined();
    probe.send(message);
    expect((await probe.heard(() => probe.frames, 1))[0]).toEqual({ code, msg: expect.any(String) });
    probe.send({ method: 'LIST_SUBSCRIPTIONS', id: 9 });
    await probe.heard(() => probe.frames.filter(({ id }) => id === 9), 1);
  });

  it('are pinged, and closed when no pong comes', async () => {
    await using pinging = await startSimulator({ exchange: 'binance', pingMs: 100, pongTimeoutMs: 300 });
    await using deaf = await Probe.open(pinging.connection.public_ws_url, { autoPong: false });
    await using polite = await Probe.open(pinging.connection.public_ws_url);
    expect(await deaf.closing()).toMatchObject({ code: 1008 });
    await polite.heard(() => polite.pings, 5);
    expect(polite.closed).toBeNull();
    expect(polite.pings[0]).toMatch(/^\d+$/);
  });

  it('end at their age, announced by serverShutdown', async () => {
    await using shortLived = await startSimulator({ exchange: 'binance', connectionLifeMs: 400 });
    await using probe = await Probe.open(shortLived.connection.public_ws_url);
    expect(await probe.closing()).toMatchObject({ code: 1001 });
    expect(probe.frames).toEqual([{ stream: '!serverShutdown', data: { e: 'serverShutdown', E: expect.any(Number) } }]);
  });

  it('are closed for more than five messages a second, when asked to; longer requests get no answer', async () => {
    await using strict = await startSimulator({ exchange: 'binance', enforceLimits: true });
    await using loud = await Probe.open(strict.connection.public_ws_url);
    for (let i = 0; i < 6; i += 1) loud.send({ method: 'LIST_SUBSCRIPTIONS', id: i });
    expect(await loud.closing()).toMatchObject({ code: 1008 });
    await using wordy = await Probe.open(strict.connection.public_ws_url);
    subscribe(wordy, ...Array.from({ length: 400 }, (_, i) => `symbol${i}@trade`));
    wordy.send({ method: 'LIST_SUBSCRIPTIONS', id: 2 });
    expect(await wordy.heard(() => wordy.frames, 1)).toEqual([{ result: [], id: 2 }]);
  });
});

describe('Binance REST', () => {
  const ask = async (path: string): Promise<{ status: number; text: string; weight: number; json: Json }> => {
    const answer = await fetch(`${simulator.connection.rest_url}/api/v3/${path}`);
    const text = await answer.text();
    return {
      status: answer.status,
      text,
      weight: Number(answer.headers.get('x-mbx-used-weight-1m')),
      json: JSON.parse(text),
    };
  };
  const idsOf = (text: string, key: string) =>
    [...text.matchAll(new RegExp(`"${key}":(\\d+)`, 'g'))].map(([, id]) => BigInt(id ?? '0'));

  it('pages trades upwards from an id, inclusive, back to the first of all', async () => {
    expect(idsOf((await ask(`historicalTrades?symbol=BTCUSDT&fromId=${FIRST_ID}&limit=3`)).text, 'id')).toEqual([
      FIRST_ID,
      FIRST_ID + 1n,
      FIRST_ID + 2n,
    ]);
    const newest = idsOf((await ask('trades?symbol=BTCUSDT&limit=1000')).text, 'id');
    expect(newest.length).toBe(1000);
    expect(newest.at(-1)).toBe((newest[0] ?? 0n) + 999n);
    expect((await ask(`historicalTrades?symbol=BTCUSDT&fromId=${FIRST_ID + 10n ** 15n}`)).json).toEqual([]);
  });

  it('pages aggregates by their own id or by time', async () => {
    const { text } = await ask('aggTrades?symbol=BTCUSDT&limit=20');
    const ids = idsOf(text, 'a');
    expect(ids.length).toBe(20);
    const times = idsOf(text, 'T');
    const page = await ask(`aggTrades?symbol=BTCUSDT&fromId=${ids[5]}&limit=3`);
    expect(idsOf(page.text, 'a')).toEqual(ids.slice(5, 8));
    const during = await ask(`aggTrades?symbol=BTCUSDT&startTime=${times[0]}&endTime=${times[10]}`);
    for (const time of idsOf(during.text, 'T'))
      expect(time >= (times[0] ?? 0n) && time <= (times[10] ?? 0n)).toBe(true);
    expect(idsOf(during.text, 'a')).toContain(ids[10]);
  });

  it('answers klines upwards, the last one running', async () => {
    const rows = (await ask('klines?symbol=BTCUSDT&interval=1m&limit=3'))
      .json as unknown as readonly (readonly unknown[])[];
    expect(rows.map((row) => Number(row[6]) - Number(row[0]))).toEqual([59_999, 59_999, 59_999]);
    expect(Number(rows[1]?.[0]) - Number(rows[0]?.[0])).toBe(60_000);
    const from = Number(rows[0]?.[0]) - 120_000;
    const past = (await ask(`klines?symbol=BTCUSDT&interval=1m&startTime=${from + 1}&endTime=${from + 120_000}`))
      .json as unknown as readonly (readonly unknown[])[];
    expect(past.map((row) => row[0])).toEqual([from + 60_000, from + 120_000]);
    expect(past[1]).toEqual(rows[0]);
  });

  it('lists its symbols with base and quote', async () => {
    const { json } = await ask('exchangeInfo');
    expect(json.symbols).toMatchObject([
      { symbol: 'BTCUSDT', status: 'TRADING', baseAsset: 'BTC', quoteAsset: 'USDT' },
      { symbol: 'PEPEUSDT', baseAsset: 'PEPE', quoteAsset: 'USDT' },
    ]);
    expect((await ask('exchangeInfo?symbol=PEPEUSDT')).json.symbols).toHaveLength(1);
    expect(Math.abs(Number((await ask('time')).json.serverTime) - Date.now())).toBeLessThan(5_000);
    expect((await ask('ping')).json).toEqual({});
    expect((await ask('ticker/24hr?symbol=BTCUSDT')).json).toMatchObject({ s: 'BTCUSDT' });
  });

  it.each([
    ['time', 1],
    ['klines?symbol=BTCUSDT&interval=1m&limit=1', 2],
    ['aggTrades?symbol=BTCUSDT&limit=1', 4],
    ['exchangeInfo', 20],
    ['trades?symbol=BTCUSDT&limit=1', 25],
    ['depth?symbol=BTCUSDT&limit=100', 5],
    ['depth?symbol=BTCUSDT&limit=500', 25],
    ['depth?symbol=BTCUSDT&limit=1000', 50],
    ['depth?symbol=BTCUSDT&limit=5000', 250],
  ])('counts %s as %i', async (path, weight) => {
    await using fresh = await startSimulator({ exchange: 'binance', rate: 1, symbols: ['BTC-USDT'] });
    const answer = await fetch(`${fresh.connection.rest_url}/api/v3/${path}`);
    expect(answer.headers.get('x-mbx-used-weight-1m')).toBe(String(weight));
  });

  it.each([
    ['trades?symbol=NOPE', -1121],
    ['trades', -1102],
    ['depth?symbol=BTCUSDT&limit=x', -1100],
    ['depth?symbol=BTCUSDT&limit=0', -1130],
    ['historicalTrades?symbol=BTCUSDT&fromId=x', -1100],
    ['aggTrades?symbol=BTCUSDT&fromId=1&startTime=1', -1128],
    ['klines?symbol=BTCUSDT&interval=2m', -1120],
  ])('refuses %s with %i', async (path, code) => {
    expect(await ask(path)).toMatchObject({ status: 400, json: { code, msg: expect.any(String) } });
  });

  it('answers 429 with Retry-After over 6,000 a minute and 418 to who goes on, when asked to', async () => {
    await using strict = await startSimulator({
      exchange: 'binance',
      enforceLimits: true,
      symbols: ['BTC-USDT'],
      rate: 1,
    });
    const statuses: number[] = [];
    // 250 each: 24 are allowed, 2 more are too many, then the ban; twice as many in case a minute begins meanwhile.
    for (let i = 0; i < 56 && statuses.at(-1) !== 418; i += 1) {
      const answer = await fetch(`${strict.connection.rest_url}/api/v3/depth?symbol=BTCUSDT&limit=5000`);
      statuses.push(answer.status);
      if (answer.status === 200) continue;
      expect(Number(answer.headers.get('retry-after'))).toBeGreaterThanOrEqual(1);
      expect(await answer.json()).toMatchObject({ code: -1003 });
    }
    expect(new Set(statuses)).toEqual(new Set([200, 429, 418]));
  });
});
