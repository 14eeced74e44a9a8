import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { OKX_INTERVALS } from '../../src/simulator/interval.ts';
import { TEST_CREDENTIALS } from '../../src/simulator/okx-account.ts';
import { candleRow, packedTrade, singleTrade } from '../../src/simulator/okx-frames.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { groupOf, placeOf } from '../../src/simulator/tape.ts';
import { candleAt } from '../../src/simulator/tape-candle.ts';
import { type Json, Probe } from './probe.ts';

type Levels = readonly (readonly [string, string, string, string])[];

const levelsOf = (record: Json | undefined, side: 'bids' | 'asks') => (record?.[side] ?? []) as Levels;

const FIRST_ID = 9_007_199_254_740_993n;
let simulator: Simulator;
const on = (endpoint: 'public' | 'business' | 'private') => Probe.open(simulator.connection[`${endpoint}_ws_url`]);
const placeIn = (symbol: string, record: Json | undefined): number =>
  placeOf(simulator.tape(symbol), String(record?.tradeId)) ?? -1;

beforeAll(async () => {
  simulator = await startSimulator({
    exchange: 'okx',
    seed: 'okx tests',
    rate: 200,
    symbols: ['BTC-USDT', 'PEPE-USDT', 'BTC-USDT-SWAP'],
    firstId: FIRST_ID,
    accountEveryMs: 50,
  });
});
afterAll(() => simulator[Symbol.asyncDispose]());

describe('OKX trades', () => {
  it('come one by one on trades-all, the newest old one first, and are those of the tape', async () => {
    await using probe = await on('business');
    probe.okx('subscribe', 'trades-all', 'PEPE-USDT');
    const frames = await probe.heard(() => probe.okxData('trades-all'), 100);
    const tape = simulator.tape('PEPE-USDT');
    const first = placeIn('PEPE-USDT', frames[0]?.data[0]);
    expect(BigInt(String(frames[0]?.data[0]?.tradeId))).toBeGreaterThan(FIRST_ID);
    const expected = frames.map((_, i) => JSON.parse(singleTrade(tape, first + i)));
    expect(frames.map(({ data }) => data[0])).toEqual(expected);
  });

  it('come packed on trades: the id is the last of `count` fills, none is missing, none is there twice', async () => {
    await using probe = await on('public');
    probe.okx('subscribe', 'trades', 'BTC-USDT');
    const frames = await probe.heard(() => probe.okxData('trades'), 60);
    const tape = simulator.tape('BTC-USDT');
    const records = frames.map(({ data }) => data[0]);
    for (const [i, record] of records.entries()) {
      const last = placeIn('BTC-USDT', record);
      expect(record).toEqual(JSON.parse(packedTrade(tape, groupOf(tape, last))));
      if (i > 0) expect(last - Number(record?.count)).toBe(placeIn('BTC-USDT', records[i - 1]));
    }
    expect(records.some((record) => Number(record?.count) > 1)).toBe(true);
  });

  it('go on without a hole for whoever joins later', async () => {
    await using early = await on('business');
    early.okx('subscribe', 'trades-all', 'BTC-USDT');
    await early.heard(() => early.okxData('trades-all'), 5);
    await using late = await on('business');
    late.okx('subscribe', 'trades-all', 'BTC-USDT');
    const places = (await late.heard(() => late.okxData('trades-all'), 30)).map(({ data }) =>
      placeIn('BTC-USDT', data[0]),
    );
    expect(places).toEqual(places.map((_, i) => (places[0] ?? 0) + i));
  });

  it('are reported as the range that was sent', async () => {
    await using probe = await on('business');
    probe.okx('subscribe', 'trades-all', 'BTC-USDT-SWAP');
    const frames = await probe.heard(() => probe.okxData('trades-all'), 10);
    const range = simulator.state().instruments.find(({ symbol }) => symbol === 'BTC-USDT-SWAP')?.sentRange;
    expect(range?.firstTradeId).toBe(frames[0]?.data[0]?.tradeId);
    expect(range?.last).toBeGreaterThanOrEqual(placeIn('BTC-USDT-SWAP', frames.at(-1)?.data[0]));
  });
});

describe('OKX order books', () => {
  it('chain by prevSeqId from a snapshot, and end equal to the REST book of the same seqId', async () => {
    await using probe = await on('public');
    probe.okx('subscribe', 'books', 'BTC-USDT');
    await probe.heard(() => probe.okxData('books'), 8);
    const answer = await fetch(`${simulator.connection.rest_url}/api/v5/market/books?instId=BTC-USDT&sz=400`);
    const rest = ((await answer.json()) as { data: Json[] }).data[0];
    const records = (): Json[] => probe.okxData('books').map(({ data, action }) => ({ action, ...data[0] }));
    await probe.heard(() => records().filter(({ seqId }) => Number(seqId) >= Number(rest?.seqId)), 1);
    const sides = { bids: new Map<string, string>(), asks: new Map<string, string>() };
    let sequence = -1;
    let compared = false;
    for (const record of records()) {
      expect(record.prevSeqId).toBe(sequence);
      expect(record.action).toBe(sequence === -1 ? 'snapshot' : 'update');
      expect(record.checksum).toBe(0);
      sequence = Number(record.seqId);
      for (const side of ['bids', 'asks'] as const)
        for (const [price, size] of record[side] as Levels) {
          if (size === '0')
            sides[side].delete(price); // also of a level that came and went between two frames
          else sides[side].set(price, size);
        }
      expect(sides.bids.size).toBe(400);
      expect(Math.max(...[...sides.bids.keys()].map(Number))).toBeLessThan(
        Math.min(...[...sides.asks.keys()].map(Number)),
      );
      if (sequence !== rest?.seqId) continue;
      compared = true;
      expect(Object.fromEntries(sides.bids)).toEqual(
        Object.fromEntries(levelsOf(rest, 'bids').map(([price, size]) => [price, size])),
      );
    }
    // The REST book may be of a step between two frames; then the chain passed over it.
    expect(compared || sequence > Number(rest?.seqId)).toBe(true);
  });

  it('stand still where nothing trades, and are confirmed once a minute by an empty update', async () => {
    const began = Date.now();
    const clock = { ...systemClock, now: () => began + (Date.now() - began) * 200 }; // a minute takes 300 ms
    await using quiet = await startSimulator({ exchange: 'okx', rate: 0, symbols: ['BTC-USDT'], clock });
    await using probe = await Probe.open(quiet.connection.public_ws_url);
    for (const channel of ['books', 'books5', 'tickers', 'trades']) probe.okx('subscribe', channel, 'BTC-USDT');
    const frames = await probe.heard(() => probe.okxData('books'), 3);
    const sequence = frames[0]?.data[0]?.seqId;
    for (const { action, data } of frames.slice(1)) {
      expect(action).toBe('update');
      expect(data[0]).toMatchObject({ bids: [], asks: [], prevSeqId: sequence, seqId: sequence });
    }
    expect([probe.okxData('books5').length, probe.okxData('tickers').length, probe.okxData('trades').length]).toEqual([
      1, 1, 0,
    ]);
  });

  it.each([
    ['books5', 5],
    ['bbo-tbt', 1],
  ])('of %s are whole, %i levels deep, without action, checksum or prevSeqId', async (channel, depth) => {
    await using probe = await on('public');
    probe.okx('subscribe', channel, 'PEPE-USDT');
    for (const { action, data } of await probe.heard(() => probe.okxData(channel), 5)) {
      expect(action).toBeUndefined();
      expect(Object.keys(data[0] ?? {}).sort()).toEqual(['asks', 'bids', 'instId', 'seqId', 'ts']);
      expect(levelsOf(data[0], 'bids').length).toBe(depth);
      expect(Number(levelsOf(data[0], 'bids')[0]?.[0])).toBeLessThan(Number(levelsOf(data[0], 'asks')[0]?.[0]));
    }
  });
});

describe('OKX tickers and candles', () => {
  it('send the last trade and the best prices at most ten times a second', async () => {
    await using probe = await on('public');
    probe.okx('subscribe', 'tickers', 'BTC-USDT');
    const frames = await probe.heard(() => probe.okxData('tickers'), 4);
    const [first, last] = [frames[0]?.data[0], frames.at(-1)?.data[0]];
    expect(Number(last?.ts) - Number(first?.ts)).toBeGreaterThanOrEqual((frames.length - 1) * 100);
    expect(first).toMatchObject({ instType: 'SPOT', instId: 'BTC-USDT' });
    for (const key of ['last', 'lastSz', 'askPx', 'bidPx', 'open24h', 'high24h', 'low24h', 'vol24h', 'volCcy24h'])
      expect(first?.[key]).toMatch(/^\d+(\.\d+)?$/);
  });

  it('send the running second with confirm 0 and once, when it is over, the final one with confirm 1', async () => {
    await using probe = await on('business');
    probe.okx('subscribe', 'candle1s', 'BTC-USDT');
    const rows = () => probe.okxData('candle1s').map(({ data }) => data[0] as unknown as readonly string[]);
    const finals = await probe.heard(() => rows().filter((row) => row[8] === '1'), 2);
    const interval = OKX_INTERVALS.get('1s');
    if (interval === undefined) throw new Error('OKX has 1s candles');
    const tape = simulator.tape('BTC-USDT');
    for (const row of finals)
      expect(row).toEqual(JSON.parse(candleRow(tape, candleAt(tape, interval, Number(row[0])), '1')));
    expect(rows()[0]?.[8]).toBe('0');
    expect(Number(finals[1]?.[0]) - Number(finals[0]?.[0])).toBe(1000);
  });
});

describe('OKX requests', () => {
  it('are acknowledged one by one with connId and the id that was sent; unsubscribing ends the data', async () => {
    await using probe = await on('public');
    const args = ['tickers', 'books5'].map((channel) => ({ channel, instId: 'BTC-USDT' }));
    probe.send({ id: 's1', op: 'subscribe', args });
    await probe.heard(() => probe.okxData('books5'), 2);
    const acks = probe.frames.filter(({ event }) => event === 'subscribe');
    expect(acks).toEqual(
      args.map((arg) => ({ id: 's1', event: 'subscribe', arg, connId: expect.stringMatching(/^[0-9a-f]{8}$/) })),
    );
    probe.send({ op: 'unsubscribe', args });
    await probe.heard(() => probe.frames.filter(({ event }) => event === 'unsubscribe'), 2);
    const heard = probe.texts.length;
    probe.send('ping');
    await probe.heard(() => probe.texts.filter((text) => text === 'pong'), 1);
    expect(probe.texts.length).toBe(heard + 1);
  });

  it('for a channel that is already there are acknowledged again and repeat the latest data', async () => {
    await using probe = await on('public');
    probe.okx('subscribe', 'books', 'BTC-USDT');
    probe.okx('subscribe', 'books', 'BTC-USDT');
    await probe.heard(() => probe.frames.filter(({ event }) => event === 'subscribe'), 2);
    await probe.heard(() => probe.okxData('books').filter(({ action }) => action === 'snapshot'), 2);
  });

  it('with one wrong channel get the others all the same', async () => {
    await using probe = await on('public');
    probe.send({
      op: 'subscribe',
      args: [
        { channel: 'tickers', instId: 'NO-PE' },
        { channel: 'tickers', instId: 'BTC-USDT' },
      ],
    });
    await probe.heard(() => probe.okxData('tickers'), 1);
    expect(probe.frames.find(({ event }) => event === 'error')).toMatchObject({
      code: '60018',
      msg: expect.stringContaining('instId:NO-PE'),
    });
  });

  const arg = { channel: 'tickers', instId: 'BTC-USDT' };
  it.each([
    ['text that is not JSON', 'public', 'hello', '60012'],
    ['no args', 'public', { op: 'subscribe' }, '60012'],
    ['an id that is too long', 'public', { id: 'x'.repeat(33), op: 'subscribe', args: [arg] }, '60012'],
    ['an argument that is no object', 'public', { op: 'subscribe', args: [1] }, '60013'],
    ['no channel', 'public', { op: 'subscribe', args: [{ instId: 'BTC-USDT' }] }, '60027'],
    ['an unknown operation', 'public', { op: 'order', args: [arg] }, '60019'],
    ['an unknown channel', 'public', { op: 'subscribe', args: [{ channel: 'ticker', instId: 'BTC-USDT' }] }, '60018'],
    [
      'an unknown instrument',
      'business',
      { op: 'subscribe', args: [{ channel: 'trades-all', instId: '__proto__' }] },
      '60018',
    ],
    [
      'candles on the public URL',
      'public',
      { op: 'subscribe', args: [{ channel: 'candle1m', instId: 'BTC-USDT' }] },
      '64001',
    ],
    [
      'trades-all on the public URL',
      'public',
      { op: 'subscribe', args: [{ channel: 'trades-all', instId: 'BTC-USDT' }] },
      '64001',
    ],
    ['tickers on the business URL', 'business', { op: 'subscribe', args: [arg] }, '64002'],
    ['the account on the public URL', 'public', { op: 'subscribe', args: [{ channel: 'account' }] }, '60028'],
    ['the account before login', 'private', { op: 'subscribe', args: [{ channel: 'account' }] }, '60011'],
    ['an unsubscription of what was never there', 'public', { op: 'unsubscribe', args: [arg] }, '60018'],
    ['login on the public URL', 'public', { op: 'login', args: [{}] }, '60008'],
    [
      'more than 64 KB of args',
      'public',
      { op: 'subscribe', args: Array.from({ length: 2000 }, () => ({ ...arg, pad: 'x' })) },
      '60012',
    ],
  ] as const)('with %s are answered by an error frame and the socket stays', async (_what, endpoint, message, code) => {
    await using probe = await on(endpoint);
    probe.send(message);
    const [error] = await probe.heard(() => probe.frames, 1);
    expect(error).toMatchObject({ event: 'error', code, connId: expect.any(String) });
    probe.send('ping');
    await probe.heard(() => probe.texts.filter((text) => text === 'pong'), 1);
  });

  it('on a path that does not exist get 60017 and a close, elsewhere 404', async () => {
    await using probe = await Probe.open(simulator.connection.public_ws_url.replace('public', 'nowhere'));
    expect(await probe.heard(() => probe.frames, 1)).toMatchObject([{ event: 'error', code: '60017' }]);
    await probe.closing();
    await expect(Probe.open(simulator.connection.public_ws_url.replace('/ws/v5/public', '/other'))).rejects.toThrow(
      '404',
    );
  });
});

describe('the OKX account', () => {
  const login = (changes: Json = {}) => {
    const timestamp = String(Math.floor(Date.now() / 1000));
    const sign = createHmac('sha256', TEST_CREDENTIALS.secret)
      .update(`${timestamp}GET/users/self/verify`)
      .digest('base64');
    return {
      op: 'login',
      args: [{ apiKey: TEST_CREDENTIALS.key, passphrase: TEST_CREDENTIALS.passphrase, timestamp, sign, ...changes }],
    };
  };

  it('sends a snapshot after login, then what changed', async () => {
    await using probe = await on('private');
    probe.send(login());
    await probe.heard(() => probe.frames.filter(({ event, code }) => event === 'login' && code === '0'), 1);
    probe.send({ op: 'subscribe', args: [{ channel: 'account' }] });
    const frames = await probe.heard(() => probe.okxData('account'), 4);
    const details = frames.map(({ data }) => data[0]?.details as readonly Json[]);
    expect(details[0]?.map(({ ccy }) => ccy)).toEqual(['USDT', 'BTC', 'ETH']);
    expect(details[0]?.[0]).toMatchObject({
      cashBal: expect.stringMatching(/^\d+\.\d{8}$/),
      availBal: expect.any(String),
      frozenBal: expect.any(String),
    });
    for (const later of details.slice(1)) expect(later.length).toBeLessThan(3);
  });

  it.each([
    ['no key', { apiKey: '' }, '60001'],
    ['no sign', { sign: '' }, '60002'],
    ['no passphrase', { passphrase: '' }, '60003'],
    ['a timestamp that is none', { timestamp: '2026-01-01T00:00:00Z' }, '60004'],
    ['an old timestamp', { timestamp: '1704876947' }, '60006'],
    ['an unknown key', { apiKey: 'stranger' }, '60005'],
    ['a wrong sign', { sign: 'x'.repeat(44) }, '60007'],
    ['a wrong passphrase', { passphrase: 'wrong' }, '60024'],
  ])('refuses a login with %s and closes', async (_what, changes, code) => {
    await using probe = await on('private');
    probe.send(login(changes));
    expect(await probe.heard(() => probe.frames, 1)).toMatchObject([{ event: 'error', code }]);
    await probe.closing();
  });
});

describe('OKX limits', () => {
  it('close a socket on which nothing moved', async () => {
    await using idle = await startSimulator({ exchange: 'okx', idleMs: 200 });
    await using silent = await Probe.open(idle.connection.public_ws_url);
    await using pinging = await Probe.open(idle.connection.public_ws_url);
    const beat = setInterval(() => pinging.send('ping'), 50);
    try {
      expect(await silent.closing()).toMatchObject({ code: 4004 });
      expect(pinging.closed).toBeNull();
    } finally {
      clearInterval(beat);
    }
  });

  it('refuse the fourth connection within a second and the 481st request of an hour, when asked to', async () => {
    await using strict = await startSimulator({ exchange: 'okx', enforceLimits: true });
    const url = strict.connection.public_ws_url;
    await using probe = await Probe.open(url);
    await Promise.all([Probe.open(url), Probe.open(url)]);
    await expect(Probe.open(url)).rejects.toThrow('429');
    for (let i = 0; i < 481; i += 1) probe.okx('subscribe', 'tickers', 'BTC-USDT');
    await probe.heard(() => probe.frames.filter(({ code }) => code === '60014'), 1);
    expect(probe.frames.filter(({ event }) => event === 'subscribe').length).toBe(480);
  });
});
