import { EventEmitter } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { LIMITS } from '../../src/runtime/limits.ts';
import { Refusals } from '../../src/runtime/refusals.ts';
import { capConnections } from '../../src/server/connection-caps.ts';
import { open } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { type Served, serve } from './served.ts';

const counted = async ({ server }: Served, rule: string): Promise<number> => {
  const page = await (await fetch(`${server.url}/metrics`)).text();
  return Number(page.match(new RegExp(`refusals_total\\{rule="${rule}"\\} (\\d+)`))?.[1] ?? 0);
};

describe('a WebSocket', () => {
  it('that begins 50,000 operations at once is closed with 4290 by the 101st, and has none left', async () => {
    await using served = await serve();
    const client = await open(served.url);
    await client.introduce();
    const other = await open(served.url);
    await other.introduce();
    other.subscribe('1', LiveTrades);
    await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(1));
    const subscribed = vi.spyOn(served.market.feed, 'subscribe');
    for (let n = 0; n < 50_000; n += 1) client.subscribe(String(n), LiveTrades);
    expect((await client.closed).code).toBe(4290);
    expect(subscribed.mock.calls.length).toBeLessThanOrEqual(100);
    await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(1));
    expect(await counted(served, 'subscribes_per_second')).toBe(1);
    served.market.trade(1);
    await vi.waitFor(() => expect(other.frames.at(-1)?.payload?.data.trades.edges).toHaveLength(1));
    other.socket.terminate();
  });

  it('that sends a message that is too large is closed with 1009', async () => {
    await using served = await serve();
    const client = await open(served.url);
    client.send({ type: 'ping', payload: { text: 'x'.repeat(70_000) } });
    expect((await client.closed).code).toBe(1009);
    expect(await counted(served, 'message_bytes')).toBe(1);
  });

  it.each([
    [64, 'is answered'],
    [65, 'is closed'],
  ])('that sends a message in %i parts %s', async (parts, then) => {
    await using served = await serve();
    const client = await open(served.url);
    const text = JSON.stringify({ type: 'ping', payload: { text: 'x'.repeat(100) } });
    for (let part = 0; part < parts; part += 1)
      client.socket.send(part === parts - 1 ? text.slice(part) : text.charAt(part), { fin: part === parts - 1 });
    if (then === 'is closed') expect((await client.closed).code).toBe(1008);
    else await vi.waitFor(() => expect(client.frames).toMatchObject([{ type: 'pong' }]));
    client.socket.terminate();
  });

  it('that does not introduce itself is closed with 4408 in time, however many there are', async () => {
    await using served = await serve({ limits: { ...LIMITS, init_seconds: 1 } });
    const clients = await Promise.all(Array.from({ length: 200 }, () => open(served.url)));
    const codes = await Promise.all(clients.map(({ closed }) => closed));
    expect(new Set(codes.map(({ code }) => code))).toEqual(new Set([4408]));
    expect(await counted(served, 'init_seconds')).toBe(200);
  });

  it('that asks on and never reads is cut', async () => {
    await using served = await serve({ limits: { ...LIMITS, unread_bytes: 1_024 } });
    const client = await open(served.url);
    client.socket.pause();
    const payload = { text: 'x'.repeat(60_000) };
    const asking = setInterval(() => client.send({ type: 'ping', payload }), 1);
    await vi.waitFor(async () => expect(await counted(served, 'unread_bytes')).toBe(1), { timeout: 10_000 });
    clearInterval(asking);
    client.socket.terminate();
  });
});

describe('connections', () => {
  it('above the cap are cut before anything is read, and there is room again when others leave', async () => {
    await using served = await serve({ limits: { ...LIMITS, connections: 2 } });
    const dial = () => connectTcp(served.server.port, '127.0.0.1');
    const isOpen = (socket: ReturnType<typeof dial>) =>
      new Promise<boolean>((resolve) => {
        socket.on('close', () => resolve(false)).on('error', () => {});
        socket.on('data', () => resolve(true));
        socket.write('GET /livez HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n');
      });
    const [a, b, c] = [dial(), dial(), dial()];
    expect(await Promise.all([a, b, c].map(isOpen))).toEqual([true, true, false]);
    a.destroy();
    await vi.waitFor(async () => {
      const d = dial();
      expect(await isOpen(d)).toBe(true);
      d.destroy();
    });
    b.destroy();
  });

  it.each([
    ['203.0.113.7', 1],
    ['127.0.0.1', 0],
    ['::1', 0],
    ['::ffff:127.0.0.1', 0],
  ])('from %s above its share are cut %i times', (remoteAddress, cut) => {
    const server = Object.assign(new EventEmitter(), { maxConnections: 0, maxHeadersCount: 0 });
    const refusals = new Refusals();
    capConnections(server as never, { ...LIMITS, connections_per_address: 2 }, refusals);
    const arrive = () => {
      const socket = Object.assign(new EventEmitter(), { remoteAddress, destroy: vi.fn() });
      server.emit('connection', socket);
      return socket;
    };
    const sockets = [arrive(), arrive(), arrive()];
    expect(sockets.map(({ destroy }) => destroy.mock.calls.length)).toEqual([0, 0, cut]);
    expect(refusals.counts.get('connections_per_address') ?? 0).toBe(cut);
    for (const socket of sockets) socket.emit('close');
    expect(arrive().destroy).not.toHaveBeenCalled();
  });

  it('from one network of IPv6 share one share', () => {
    const server = Object.assign(new EventEmitter(), { maxConnections: 0, maxHeadersCount: 0 });
    capConnections(server as never, { ...LIMITS, connections_per_address: 2 }, new Refusals());
    const arrive = (remoteAddress: string) => {
      const socket = Object.assign(new EventEmitter(), { remoteAddress, destroy: vi.fn() });
      server.emit('connection', socket);
      return socket.destroy.mock.calls.length;
    };
    const cut = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1'].map(arrive);
    expect(cut).toEqual([0, 0, 1, 0]);
  });

  it('that cannot be taken are counted, and end nothing', () => {
    const server = Object.assign(new EventEmitter(), { maxConnections: 0, maxHeadersCount: 0 });
    const refusals = new Refusals();
    capConnections(server as never, LIMITS, refusals);
    server.emit('error', new Error('accept EMFILE'));
    expect(refusals.counts.get('connections')).toBe(1);
  });
});
