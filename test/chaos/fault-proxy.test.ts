import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { afterEach, expect, it, vi } from 'vitest';
import { FaultProxy } from './fault-proxy.ts';

const cleanUps: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
});

/** A client connected through a proxy, and the socket it leads to. */
async function linked() {
  const accepted: Socket[] = [];
  const target = createServer({ allowHalfOpen: true }, (socket) => accepted.push(socket.on('error', () => {})));
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  const { port } = target.address() as AddressInfo;
  const proxy = await FaultProxy.start({ target: () => ({ host: '127.0.0.1', port }) });
  cleanUps.push(
    () => target.close(),
    () => proxy[Symbol.asyncDispose](),
  );
  const near = await joined(proxy);
  const far = await vi.waitFor(() => accepted[0] ?? Promise.reject(new Error('nobody yet')));
  return { proxy, near, far, accepted };
}

async function joined(proxy: FaultProxy): Promise<Socket> {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true }).on('error', () => {});
  cleanUps.push(() => socket.destroy());
  await once(socket, 'connect');
  return socket;
}

/** Everything a socket has got, and how it ended. */
function listen(socket: Socket) {
  const got = { text: '', at: [] as number[], ended: false, error: '' };
  socket.on('data', (bytes) => {
    got.text += bytes.toString('latin1');
    got.at.push(performance.now());
  });
  socket.on('end', () => {
    got.ended = true;
  });
  socket.on('error', (error: NodeJS.ErrnoException) => {
    got.error = error.code ?? 'unknown';
  });
  return got;
}

it('passes bytes and the end of them both ways, and counts', async () => {
  const { proxy, near, far } = await linked();
  const [got, answered] = [listen(far), listen(near)];
  near.end('question');
  await vi.waitFor(() => expect(got).toMatchObject({ text: 'question', ended: true }));
  far.end('answer'); // the client's end has not closed the other direction
  await vi.waitFor(() => expect(answered).toMatchObject({ text: 'answer', ended: true }));
  await vi.waitFor(() => expect(proxy.open).toBe(0));
  expect(proxy.counts).toMatchObject({ connections: 1, cut: 0, bytesUp: 8, bytesDown: 6 });
});

it.each(['rst', 'fin'] as const)('cuts by %s, as both ends see', async (how) => {
  const { proxy, near, far } = await linked();
  const ends = [listen(near), listen(far)];
  expect(proxy.cut(how)).toBe(1);
  const sign = how === 'rst' ? { error: 'ECONNRESET' } : { ended: true, error: '' };
  for (const end of ends) await vi.waitFor(() => expect(end).toMatchObject(sign));
  expect([proxy.open, proxy.counts.cut]).toEqual([0, 1]);
});

it('drops without a word: neither bytes nor the end of one side reach the other, until it clears', async () => {
  const { proxy, near, far } = await linked();
  const [client, server] = [listen(near), listen(far)];
  proxy.set({ kind: 'drop' }, 'open');
  near.write('lost');
  far.write('lost too');
  await vi.waitFor(() => expect(proxy.counts.bytesDropped).toBe(12));
  far.resetAndDestroy();
  const other = await joined(proxy); // new links are not concerned
  other.write('arrives');
  await vi.waitFor(() => expect(proxy.counts.bytesUp).toBe(7));
  expect([client, server]).toEqual([
    { text: '', at: [], ended: false, error: '' },
    { text: '', at: [], ended: false, error: '' },
  ]);
  proxy.set({ kind: 'pass' });
  await vi.waitFor(() => expect(client.error).toBe('ECONNRESET'));
});

it('drops in one direction only', async () => {
  const { proxy, near, far } = await linked();
  const [client, server] = [listen(near), listen(far)];
  proxy.set({ kind: 'drop', direction: 'down' });
  far.write('lost');
  near.write('arrives');
  await vi.waitFor(() => expect(server.text).toBe('arrives'));
  await vi.waitFor(() => expect(proxy.counts.bytesDropped).toBe(4));
  expect(client.text).toBe('');
});

it('closes one half: the receiver sees the end, the other direction goes on', async () => {
  const { proxy, near, far } = await linked();
  const [client, server] = [listen(near), listen(far)];
  proxy.halfClose('down');
  await vi.waitFor(() => expect(client.ended).toBe(true));
  near.write('still heard');
  await vi.waitFor(() => expect(server.text).toBe('still heard'));
  expect(server.ended).toBe(false);
});

it.each(['rst', 'fin'] as const)('cuts by %s after exactly so many bytes', async (how) => {
  const { proxy, near, far } = await linked();
  const client = listen(near);
  proxy.cutAfter(7, 'down', how);
  far.write('0123');
  await vi.waitFor(() => expect(client.text).toBe('0123'));
  far.write('456789');
  await vi.waitFor(() => expect(client.ended || client.error !== '').toBe(true));
  expect(client.text).toBe('0123456');
  expect(proxy.counts).toMatchObject({ bytesDown: 7, cut: 1 });
});

it('freezes and goes on where it stood, nothing lost', async () => {
  const { proxy, near, far } = await linked();
  const server = listen(far);
  proxy.set({ kind: 'freeze' });
  for (let piece = 0; piece < 50; piece += 1) near.write('x'.repeat(100_000));
  await vi.waitFor(() => expect(near.writableLength).toBeGreaterThan(0)); // held back, not swallowed
  expect(server.text).toBe('');
  proxy.set({ kind: 'pass' });
  await vi.waitFor(() => expect(server.text.length).toBe(5_000_000));
});

it('slows: late by the latency, and in slices', async () => {
  const { proxy, near, far } = await linked();
  const server = listen(far);
  proxy.set({ kind: 'slow', latencyMs: 60, bytes: 2, everyMs: 20 });
  const sentAt = performance.now();
  near.write('12345678');
  await vi.waitFor(() => expect(server.text).toBe('12345678'));
  expect((server.at[0] ?? 0) - sentAt).toBeGreaterThan(55);
  expect((server.at.at(-1) ?? 0) - (server.at[0] ?? 0)).toBeGreaterThan(50); // four slices
});

it('refuses at the port, resets at the door, and opens again on the same port', async () => {
  const { proxy, near, accepted } = await linked();
  const { port } = proxy;
  const refused = async () => {
    const socket = connect(port, '127.0.0.1');
    const got = listen(socket);
    await once(socket, 'close').catch(() => {});
    return got.error;
  };
  await proxy.door('refuse');
  expect(await refused()).toBe('ECONNREFUSED');
  await proxy.door('reset');
  expect(await refused()).toBe('ECONNRESET');
  expect(near.destroyed).toBe(false);
  await proxy.door('open');
  await joined(proxy);
  await vi.waitFor(() => expect(accepted).toHaveLength(2));
  expect([proxy.port, proxy.counts.reset]).toEqual([port, 1]);
});

it('holds from the piece on that its tap says', async () => {
  const target = createServer((socket) => socket.on('error', () => {}).on('data', (bytes) => got.push(String(bytes))));
  const got: string[] = [];
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  const { port } = target.address() as AddressInfo;
  await using proxy = await FaultProxy.start({
    target: () => ({ host: '127.0.0.1', port }),
    tap: (bytes) => (bytes.includes('commit') ? 'hold' : 'pass'),
  });
  cleanUps.push(() => target.close());
  const near = await joined(proxy);
  near.write('begin');
  await vi.waitFor(() => expect(got).toEqual(['begin']));
  near.write('commit');
  near.write('more');
  (await joined(proxy)).write('of another link');
  await vi.waitFor(() => expect(got).toEqual(['begin', 'of another link']));
});

it('puts its own port into the addresses of a connection', async () => {
  const { proxy } = await linked();
  expect(
    proxy.connectionThrough({ public_ws_url: 'ws://127.0.0.1:1/ws/v5', rest_url: 'http://[::1]:1', ping_interval: 25 }),
  ).toEqual({
    public_ws_url: `ws://127.0.0.1:${proxy.port}/ws/v5`,
    rest_url: `http://127.0.0.1:${proxy.port}`,
    ping_interval: 25,
  });
});
