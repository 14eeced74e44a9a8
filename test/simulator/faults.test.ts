import { describe, expect, it, vi } from 'vitest';
import type { Fault } from '../../src/simulator/fault.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { placeOf } from '../../src/simulator/tape.ts';
import { type Json, Probe } from './probe.ts';

const start = () => startSimulator({ exchange: 'okx', seed: 'faults', rate: 200, symbols: ['BTC-USDT', 'ETH-USDT'] });

/** A socket that hears the single trades of both instruments. */
async function listening(simulator: Simulator): Promise<Probe> {
  const probe = await Probe.open(simulator.connection.business_ws_url);
  probe.okx('subscribe', 'trades-all', 'BTC-USDT', 'ETH-USDT');
  await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), 3);
  await probe.heard(() => placesOf(probe, simulator, 'ETH-USDT'), 3);
  return probe;
}

const placesOf = (probe: Probe, simulator: Simulator, symbol: string): readonly number[] =>
  probe.texts
    .filter(
      (text) => text.startsWith(`{"arg":{"channel":"trades-all","instId":"${symbol}"},"data"`) && text.endsWith(']}'),
    )
    .map((text) => placeOf(simulator.tape(symbol), /"tradeId":"(\d+)"/.exec(text)?.[1] ?? '') ?? -1);

const consecutive = (places: readonly number[]) =>
  places.every((place, i) => i === 0 || place === (places[i - 1] ?? 0) + 1);

const pong = async (probe: Probe) => {
  const before = probe.texts.filter((text) => text === 'pong').length;
  probe.send('ping');
  await probe.heard(() => probe.texts.filter((text) => text === 'pong'), before + 1);
};

describe('faults on the socket', () => {
  it.each([
    ['rst', 1006],
    ['fin', 1006],
    ['mid-frame', 1006],
  ] as const)('cut %s ends the open sockets without a close frame, and new ones work', async (how, code) => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'cut', how });
    expect(await probe.closing()).toMatchObject({ code });
    await using next = await listening(simulator);
    expect(next.closed).toBeNull();
    expect(simulator.faults.active).toEqual([]);
  });

  it('cut with a count strikes again, and only the endpoint that is named', async () => {
    await using simulator = await start();
    await using other = await Probe.open(simulator.connection.public_ws_url);
    await using first = await listening(simulator);
    simulator.faults.add({ kind: 'cut', endpoint: 'business', count: 2, everyMs: 300 });
    await first.closing();
    await using second = await listening(simulator);
    await second.closing();
    expect(simulator.faults.active).toEqual([]);
    expect(other.closed).toBeNull();
  });

  it('half-open keeps the socket open and silent in both directions, until it is cleared', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'half-open' });
    probe.send('ping');
    await using fresh = await listening(simulator); // as long as this takes, the frozen one hears nothing
    const heard = probe.texts.length;
    await fresh.heard(() => placesOf(fresh, simulator, 'BTC-USDT'), 50);
    expect(probe.texts.length).toBe(heard);
    expect(probe.texts).not.toContain('pong');
    expect(probe.closed).toBeNull();
    expect(simulator.state().sockets.filter(({ halfOpen }) => halfOpen).length).toBe(1);
    simulator.faults.clear();
    await probe.closing();
    expect(fresh.closed).toBeNull();
  });

  it('mute silences one instrument, answers pings, and ends by its duration', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'mute', symbol: 'BTC-USDT', durationMs: 400 });
    const muted = placesOf(probe, simulator, 'BTC-USDT').length;
    const others = placesOf(probe, simulator, 'ETH-USDT').length;
    await pong(probe);
    await probe.heard(() => placesOf(probe, simulator, 'ETH-USDT'), others + 20);
    expect(placesOf(probe, simulator, 'BTC-USDT').length).toBeLessThanOrEqual(muted + 5); // what was on its way
    await vi.waitFor(() => expect(simulator.faults.active).toEqual([]), { timeout: 5000 });
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), muted + 20);
    expect(consecutive(placesOf(probe, simulator, 'BTC-USDT'))).toBe(false);
    expect(consecutive(placesOf(probe, simulator, 'ETH-USDT'))).toBe(true);
  });

  it('mute without a symbol silences everything, a first subscription too', async () => {
    await using simulator = await start();
    simulator.faults.add({ kind: 'mute' });
    await using probe = await Probe.open(simulator.connection.business_ws_url);
    probe.okx('subscribe', 'trades-all', 'BTC-USDT');
    await pong(probe);
    await vi.waitFor(() => expect(simulator.state().sockets[0]?.framesDropped).toBeGreaterThan(20));
    expect(probe.okxData('trades-all')).toEqual([]);
    expect(probe.frames).toMatchObject([{ event: 'subscribe' }]);
  });

  it('gap withholds exactly so many trades, which REST has', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'gap', symbol: 'BTC-USDT', trades: 25 });
    const skipped = simulator.faults.active[0]?.skipped ?? { first: -1, last: -1 };
    expect(skipped.last - skipped.first).toBe(24);
    const places = () => placesOf(probe, simulator, 'BTC-USDT');
    await probe.heard(() => places().filter((place) => place > skipped.last), 5);
    expect(places().filter((place) => place >= skipped.first && place <= skipped.last)).toEqual([]);
    expect(places()).toContain(skipped.first - 1);
    expect(places()).toContain(skipped.last + 1);
    expect(consecutive(placesOf(probe, simulator, 'ETH-USDT'))).toBe(true);
    const answer = await fetch(`${simulator.connection.rest_url}/api/v5/market/trades?instId=BTC-USDT&limit=500`);
    const ids = ((await answer.json()) as { data: Json[] }).data.map(({ tradeId }) =>
      placeOf(simulator.tape('BTC-USDT'), String(tradeId)),
    );
    for (let place = skipped.first; place <= skipped.last; place += 1) expect(ids).toContain(place);
    const range = simulator.state().instruments[0]?.sentRange;
    expect(range?.first).toBeLessThanOrEqual(skipped.first);
    expect(range?.last).toBeGreaterThan(skipped.last);
    await vi.waitFor(() => expect(simulator.faults.active).toEqual([]));
  });

  it('garbage puts frames that are not data between the data, of which none is missing', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'garbage', count: 3, text: '<html>' });
    await probe.heard(() => probe.texts.filter((text) => text === '<html>'), 3);
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), 30);
    expect(probe.texts.filter((text) => text === '<html>').length).toBe(3);
    expect(consecutive(placesOf(probe, simulator, 'BTC-USDT'))).toBe(true);
    simulator.faults.add({ kind: 'garbage', symbol: 'ETH-USDT' });
    await probe.heard(() => probe.texts.filter((text) => text === 'null' || text === '[]'), 2);
  });

  it('truncated sends the first half of a frame', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'truncated', symbol: 'BTC-USDT', count: 2 });
    const halves = () =>
      probe.texts.filter(
        (text) => text.startsWith('{"arg":{"channel":"trades-all","instId":"BTC-USDT"}') && !text.endsWith('}'),
      );
    await probe.heard(halves, 2);
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), 30);
    expect(halves().length).toBe(2);
    for (const half of halves()) expect(() => JSON.parse(half)).toThrow();
  });

  it('oversize sends one frame of the given size', async () => {
    await using simulator = await start();
    await using probe = await Probe.open(simulator.connection.business_ws_url, { maxPayload: 1_000_000 });
    simulator.faults.add({ kind: 'oversize', count: 1, bytes: 2_000_000 });
    probe.okx('subscribe', 'trades-all', 'BTC-USDT');
    expect(await probe.closing()).toMatchObject({ code: 1006 }); // this client gives up on more than its limit
  });

  it('duplicate sends frames several times in a row', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'duplicate', symbol: 'BTC-USDT', times: 3 });
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), 40);
    const places = placesOf(probe, simulator, 'BTC-USDT').slice(-15);
    const counts = Map.groupBy(places, (place) => place);
    expect([...counts.values()].slice(1, -1).every(({ length }) => length === 3)).toBe(true);
    expect(consecutive(placesOf(probe, simulator, 'ETH-USDT'))).toBe(true);
  });

  it('reorder shuffles within its window and loses nothing', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    const before = placesOf(probe, simulator, 'BTC-USDT').length;
    simulator.faults.add({ kind: 'reorder', symbol: 'BTC-USDT', window: 8 });
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), before + 64);
    simulator.faults.clear();
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), before + 100);
    const places = placesOf(probe, simulator, 'BTC-USDT');
    expect(consecutive(places)).toBe(false);
    const sorted = places.toSorted((a, b) => a - b);
    expect(consecutive(sorted)).toBe(true);
    for (const [i, place] of places.entries()) expect(Math.abs(place - (sorted[i] ?? 0))).toBeLessThan(8);
  });

  it('slow delays everything and keeps the order', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'slow', delayMs: 300 });
    const asked = performance.now();
    await pong(probe);
    expect(performance.now() - asked).toBeGreaterThanOrEqual(295);
    simulator.faults.clear();
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), 100);
    expect(consecutive(placesOf(probe, simulator, 'BTC-USDT'))).toBe(true);
  });

  it('slow trickles single bytes that make whole frames', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', rate: 0 });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    simulator.faults.add({ kind: 'slow', bytes: 1, everyMs: 20 });
    const asked = performance.now();
    await pong(probe); // six bytes: a header of two and the text
    expect(performance.now() - asked).toBeGreaterThanOrEqual(100);
  });

  it('error-frame sends any code, naming a channel or none', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'error-frame', code: '63999', message: 'Internal system error' });
    simulator.faults.add({ kind: 'error-frame', code: '60018', channel: 'trades-all', symbol: 'BTC-USDT' });
    const errors = await probe.heard(() => probe.frames.filter(({ event }) => event === 'error'), 2);
    expect(errors).toMatchObject([
      { code: '63999', msg: 'Internal system error', connId: expect.any(String) },
      { code: '60018', arg: { channel: 'trades-all', instId: 'BTC-USDT' } },
    ]);
  });

  it('notice announces the end with 64008 and closes', async () => {
    await using simulator = await start();
    await using probe = await listening(simulator);
    simulator.faults.add({ kind: 'notice', closeAfterMs: 200 });
    expect(await probe.heard(() => probe.frames.filter(({ event }) => event === 'notice'), 1)).toMatchObject([
      { code: '64008' },
    ]);
    expect(await probe.closing()).toMatchObject({ code: 1001 });
  });

  it('refuse answers new sockets by status or resets them, so many times', async () => {
    await using simulator = await start();
    simulator.faults.add({ kind: 'refuse', count: 1 });
    await expect(Probe.open(simulator.connection.public_ws_url)).rejects.toThrow('503');
    simulator.faults.add({ kind: 'refuse', count: 1, status: 0 });
    await expect(Probe.open(simulator.connection.public_ws_url)).rejects.toThrow('ECONNRESET');
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    expect(simulator.state().counters).toMatchObject({ connections: 1, refused: 2 });
    await pong(probe);
  });

  it('refuse-subscribe and refuse-login answer with a code', async () => {
    await using simulator = await start();
    simulator.faults.add({ kind: 'refuse-subscribe', symbol: 'BTC-USDT', code: '60012', count: 1 });
    simulator.faults.add({ kind: 'refuse-login' });
    await using probe = await Probe.open(simulator.connection.business_ws_url);
    probe.okx('subscribe', 'trades-all', 'ETH-USDT', 'BTC-USDT');
    expect(await probe.heard(() => probe.frames.filter(({ event }) => event !== undefined), 2)).toMatchObject([
      { event: 'subscribe' },
      { event: 'error', code: '60012' },
    ]);
    probe.okx('subscribe', 'trades-all', 'BTC-USDT');
    await probe.heard(() => placesOf(probe, simulator, 'BTC-USDT'), 1);
    probe.send({ op: 'login', args: [{}] });
    await probe.heard(() => probe.frames.filter(({ code }) => code === '60009'), 1);
  });
});

describe('faults on REST', () => {
  const ask = (simulator: Simulator) =>
    fetch(`${simulator.connection.rest_url}/api/v5/market/trades?instId=BTC-USDT&limit=500`);

  it('answer 503, reset, 429 with Retry-After, something else than JSON, or late; each ends by its count', async () => {
    await using simulator = await start();
    const faults: Fault[] = [
      { kind: 'rest-down', count: 1 },
      { kind: 'rest-limit', count: 1, retryAfterS: 7 },
      { kind: 'rest-garbage', count: 1 },
      { kind: 'rest-slow', count: 1, delayMs: 200 },
    ];
    simulator.faults.add({ kind: 'rest-down', count: 1, status: 0 });
    await expect(ask(simulator)).rejects.toThrow('fetch failed');
    for (const fault of faults) {
      simulator.faults.add(fault);
      const asked = performance.now();
      const answer = await ask(simulator);
      const text = await answer.text();
      if (fault.kind === 'rest-down') expect(answer.status).toBe(503);
      if (fault.kind === 'rest-limit')
        expect([answer.status, answer.headers.get('retry-after'), JSON.parse(text).code]).toEqual([429, '7', '50011']);
      if (fault.kind === 'rest-garbage') expect(() => JSON.parse(text)).toThrow();
      if (fault.kind === 'rest-slow') expect(performance.now() - asked).toBeGreaterThanOrEqual(195);
    }
    expect((await ask(simulator)).status).toBe(200);
    expect(simulator.state().counters.restRequests).toBe(6);
  });

  it('strike one path and leave the others', async () => {
    await using simulator = await start();
    simulator.faults.add({ kind: 'rest-down', path: '/api/v5/market/history' });
    expect((await ask(simulator)).status).toBe(200);
    expect((await fetch(`${simulator.connection.rest_url}/api/v5/market/history-trades?instId=BTC-USDT`)).status).toBe(
      503,
    );
  });

  it('shorten how far back it reaches', async () => {
    await using simulator = await start();
    simulator.faults.add({ kind: 'rest-horizon', horizonMs: 1000 });
    const { data } = (await (await ask(simulator)).json()) as { data: Json[] };
    expect(data.length).toBeGreaterThan(100);
    expect(data.length).toBeLessThan(300);
    for (const { ts } of data) expect(Number(ts)).toBeGreaterThan(Date.now() - 2000);
  });
});

describe('faults on Binance', () => {
  it('announce serverShutdown, refuse by code 2, ban by 418 and withhold by either name of the symbol', async () => {
    await using simulator = await startSimulator({ exchange: 'binance', rate: 200, symbols: ['BTC-USDT'] });
    simulator.faults.add({ kind: 'refuse-subscribe', count: 1 });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    const subscribe = { method: 'SUBSCRIBE', params: ['btcusdt@trade'], id: 1 };
    probe.send(subscribe);
    expect(await probe.heard(() => probe.frames, 1)).toMatchObject([{ code: 2 }]);
    probe.send(subscribe);
    await probe.heard(() => probe.streamTexts('btcusdt@trade'), 3);
    simulator.faults.add({ kind: 'gap', symbol: 'BTC-USDT', trades: 10 });
    simulator.faults.add({ kind: 'mute', symbol: 'BTCUSDT', channel: 'aggTrade' });
    expect(simulator.faults.active.map(({ fault }) => fault.symbol)).toEqual(['BTCUSDT', 'BTCUSDT']);
    simulator.faults.add({ kind: 'rest-limit', status: 418, retryAfterS: 120, count: 1 });
    const answer = await fetch(`${simulator.connection.rest_url}/api/v3/time`);
    expect([answer.status, answer.headers.get('retry-after')]).toEqual([418, '120']);
    simulator.faults.add({ kind: 'error-frame', code: '3', message: 'Invalid JSON' });
    await probe.heard(() => probe.frames.filter(({ code }) => code === 3), 1);
    simulator.faults.add({ kind: 'notice', closeAfterMs: 100 });
    await probe.heard(() => probe.streamTexts('!serverShutdown'), 1);
    await probe.closing();
  });
});

describe('a socket that does not read', () => {
  it('is cut when too much waits for it, and counted once', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', rate: 200, maxWaitingBytes: 1_000_000 });
    await using reading = await listening(simulator);
    await using stuck = await Probe.open(simulator.connection.public_ws_url);
    stuck.okx('subscribe', 'tickers', 'BTC-USDT');
    await stuck.heard(() => stuck.okxData('tickers'), 1);
    stuck.socket.pause();
    simulator.faults.add({ kind: 'oversize', channel: 'tickers', bytes: 4_000_000 });
    await vi.waitFor(() => expect(simulator.state().sockets.length).toBe(1), { timeout: 10_000 });
    expect(simulator.state().counters.cutForNotReading).toBe(1);
    expect(consecutive(placesOf(reading, simulator, 'BTC-USDT'))).toBe(true);
    expect(reading.closed).toBeNull();
  });

  it('and one too many are turned away', async () => {
    await using simulator = await startSimulator({ exchange: 'okx', maxSockets: 1 });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    await expect(Probe.open(simulator.connection.public_ws_url)).rejects.toThrow('503');
    await pong(probe);
  });

  it('nor may it send frames of any size', async () => {
    await using simulator = await startSimulator({ exchange: 'okx' });
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    probe.send('x'.repeat(300_000));
    expect(await probe.closing()).toMatchObject({ code: 1009 });
    expect(simulator.state().counters.badFrames).toBe(1);
  });
});
