import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocket } from 'ws';
import { sleep, within } from '../chaos/wait.ts';
import { QUERY_BOMBS } from './query-bombs.ts';

const INIT = JSON.stringify({ type: 'connection_init' });
const TRADES =
  'subscription { trades(exchange: "okx") { cursor edges { node { tradeId symbol price size side exchangeTime receivedAt } } } }';
const subscribe = (id: number) => JSON.stringify({ id: String(id), type: 'subscribe', payload: { query: TRADES } });
/** The server cuts off whose headers take longer. */
const HEADERS_MS = 10_000;

async function open(server: string): Promise<WebSocket> {
  const socket = new WebSocket(`${server.replace('http', 'ws')}/graphql`, GRAPHQL_TRANSPORT_WS_PROTOCOL);
  socket.on('error', () => {});
  await once(socket, 'open');
  return socket;
}

const closedWith = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', resolve));

/** Subscribes again and again on one socket; resolves with the code it is closed with. */
export async function subscribeFlood(server: string, count: number): Promise<number> {
  const socket = await open(server);
  const closed = closedWith(socket);
  socket.send(INIT);
  for (let id = 0; id < count && socket.readyState === socket.OPEN; id += 1) {
    socket.send(subscribe(id));
    if (id % 500 === 0) await sleep(0);
  }
  socket.close(); // where it was not closed yet
  return closed;
}

/** Sockets that say nothing: the codes they are closed with, and how long that took since the last was open, ms. */
export async function silentSockets(
  server: string,
  count: number,
): Promise<{ readonly codes: readonly number[]; readonly ms: number }> {
  const closings: Promise<number>[] = [];
  for (let k = 0; k < count; k += 100) {
    const opened = await Promise.all(Array.from({ length: Math.min(100, count - k) }, () => open(server)));
    closings.push(...opened.map(closedWith));
  }
  const openedAt = performance.now();
  return { codes: await Promise.all(closings), ms: performance.now() - openedAt };
}

/** Requests whose headers never end, a line a second; resolves with how many were cut off. */
export async function slowHeaders(server: string, count: number): Promise<number> {
  const { hostname, port } = new URL(server);
  let cut = 0;
  const sockets: Socket[] = [];
  for (let k = 0; k < count; k += 1) {
    const socket = connect(Number(port), hostname);
    socket.on('error', () => {}).on('data', () => {});
    socket.once('close', () => {
      cut += 1;
    });
    socket.write('POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n');
    sockets.push(socket);
  }
  let drip = 0;
  const allCut = () => {
    drip += 1;
    for (const socket of sockets) if (socket.writable) socket.write(`x-${drip}: y\r\n`);
    return cut === count;
  };
  await within(HEADERS_MS * 4, allCut, 1_000);
  const cutOff = cut;
  for (const socket of sockets) socket.destroy();
  return cutOff;
}

/** Status of a request with a body of so many bytes. */
export const largeBody = (server: string, bytes: number): Promise<number> =>
  fetch(`${server}/graphql`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ query: '{ __typename }', pad: 'x'.repeat(bytes) }),
  }).then(
    ({ status }) => status,
    () => 413, // it hangs up while the body is still on its way
  );

/** Subscribers of every trade that do not read, for a while. */
export async function deafSubscribers(server: string, count: number, ms: number): Promise<void> {
  const sockets = await Promise.all(Array.from({ length: count }, () => open(server)));
  for (const socket of sockets) {
    socket.send(INIT);
    socket.send(subscribe(1));
    socket.pause();
  }
  await sleep(ms);
  for (const socket of sockets) socket.terminate();
}

interface Refusals {
  readonly refused: number;
  /** Of each, from sending it to its refusal, ms. */
  readonly times: readonly number[];
}

/** Refused, too, and sent first: V8 compiles what it runs for the first time, which is no work of a bomb. */
const COLD = '{ nobody }';

/** Sends the bombs one by one by a way that tells whether one was refused. */
async function bombard(send: (query: string) => Promise<boolean>): Promise<Refusals> {
  const times: number[] = [];
  let refused = 0;
  await send(COLD);
  for (const query of QUERY_BOMBS) {
    const sentAt = performance.now();
    if (await send(query)) refused += 1;
    times.push(performance.now() - sentAt);
  }
  return { refused, times };
}

export const bombsByPost = (server: string): Promise<Refusals> =>
  bombard(async (query) => {
    const response = await fetch(`${server}/graphql`, {
      ...{ method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify({ query }) },
    });
    const { data, errors } = (await response.json()) as { readonly data?: unknown; readonly errors?: unknown[] };
    return (data ?? null) === null && (errors ?? []).length > 0;
  });

/** Each on a socket of its own, as one that is too large closes it. */
export async function bombsBySocket(server: string): Promise<Refusals> {
  const ready = await Promise.all(
    [COLD, ...QUERY_BOMBS].map(async () => {
      const socket = await open(server);
      socket.send(INIT);
      await once(socket, 'message');
      return socket;
    }),
  );
  return bombard(async (query) => {
    const socket = ready.pop();
    if (socket === undefined) throw new Error('There is a socket for each bomb');
    const answered = new Promise<string>((resolve) => socket.once('message', (data) => resolve(String(data))));
    const closed = closedWith(socket).then((code) => JSON.stringify({ type: code > 1_001 ? 'error' : 'closed' }));
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } }));
    const { type } = JSON.parse(await Promise.race([answered, closed])) as { readonly type: string };
    socket.terminate();
    return type === 'error';
  });
}
