import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocket } from 'ws';
import { Ground } from '../chaos/ground.ts';
import { atLeast, atMost, greatest, inTime, quantile } from '../chaos/result.ts';
import type { Scenario } from '../chaos/scenario.ts';
import { sleep, until, within } from '../chaos/wait.ts';
import { Probe } from './probe.ts';
import { residentMb } from './resident.ts';

export interface ClientsSize {
  /** Trades a second of each of four markets. */
  readonly rate: number;
  readonly subscribes: number;
  readonly silent: number;
  readonly slow: number;
  readonly deaf: number;
  readonly deafMs: number;
}

const INIT = JSON.stringify({ type: 'connection_init' });
const TRADES =
  'subscription { trades(exchange: "okx") { cursor edges { node { tradeId symbol price size side exchangeTime receivedAt } } } }';
const subscribe = (id: number, query: string) =>
  JSON.stringify({ id: String(id), type: 'subscribe', payload: { query } });
/** Longer than any goal. */
const PATIENCE_MS = 60_000;
/** A second and more after the limit: they are closed one after the other. */
const SILENT_GOAL_MS = 5_000;
const HEADERS_MS = 10_000;

/** Clients that want to stop others from being served: each is refused, or survived, while one that behaves gets its answers. */
export const clients: Scenario<ClientsSize> = async (setting, protocol, size) => {
  await using ground = await Ground.open({ place: await setting.place(), seed: setting.seed, rate: size.rate });
  const { server } = ground;
  await server.start();
  await ground.begun();
  ground.subscribe('who behaves');
  const url = `${server.url.replace('http', 'ws')}/graphql`;
  const open = async (): Promise<WebSocket> => {
    const socket = new WebSocket(url, GRAPHQL_TRANSPORT_WS_PROTOCOL);
    socket.on('error', () => {});
    await once(socket, 'open');
    return socket;
  };
  const closedWith = (socket: WebSocket): Promise<number> => new Promise((resolve) => socket.once('close', resolve));
  /** What it costs others: the longest answer and the memory, MB. */
  const costOf = async (what: string, attack: () => Promise<void>) => {
    const memory = residentMb(server.pid);
    await using probe = new Probe(`${server.url}/livez`);
    await attack();
    const times = await probe.end();
    const grown = Math.round(residentMb(server.pid) - memory);
    protocol.figures[`${what}: answer p99 ms`] = quantile(times, 0.99);
    protocol.figures[`${what}: answer max ms`] = greatest(times);
    protocol.figures[`${what}: MB more`] = grown;
    setting.say(`${what}: an answer took ${greatest(times)} ms at most, ${grown} MB more`);
    return { p99: quantile(times, 0.99), most: greatest(times), grown };
  };

  let code = 0;
  const flood = await costOf('subscribes', async () => {
    const socket = await open();
    const closed = closedWith(socket);
    socket.send(INIT);
    for (let id = 0; id < size.subscribes && socket.readyState === socket.OPEN; id += 1) {
      socket.send(subscribe(id, TRADES));
      if (id % 500 === 0) await sleep(0);
    }
    code = await closed;
  });

  let unintroduced = 0;
  let silentMs = 0;
  const silence = await costOf('silent sockets', async () => {
    const closings: Promise<number>[] = [];
    for (let k = 0; k < size.silent; k += 100) {
      const opened = await Promise.all(Array.from({ length: Math.min(100, size.silent - k) }, open));
      closings.push(...opened.map(closedWith));
    }
    const openedAt = performance.now();
    const codes = await Promise.all(closings);
    unintroduced = codes.filter((each) => each === 4408).length;
    silentMs = performance.now() - openedAt;
  });

  let cut = 0;
  const slow = await costOf('slow headers', async () => {
    const { hostname, port } = new URL(server.url);
    const sockets: Socket[] = [];
    for (let k = 0; k < size.slow; k += 1) {
      const socket = connect(Number(port), hostname);
      socket.on('error', () => {}).on('data', () => {});
      socket.once('close', () => {
        cut += 1;
      });
      socket.write('POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\n');
      sockets.push(socket);
    }
    let drip = 0;
    await within(
      HEADERS_MS * 4,
      async () => {
        drip += 1;
        for (const socket of sockets) if (socket.writable) socket.write(`x-${drip}: y\r\n`);
        return cut === sockets.length;
      },
      1_000,
    );
    for (const socket of sockets) socket.destroy();
  });

  const large = await fetch(`${server.url}/graphql`, {
    ...{ method: 'POST', headers: { 'content-type': 'application/json' } },
    body: JSON.stringify({ query: '{ __typename }', pad: 'x'.repeat(24_000_000) }),
  }).then(
    ({ status }) => status,
    () => 413,
  ); // it hangs up while the body is still on its way

  const deafness = await costOf('deaf subscribers', async () => {
    const sockets = await Promise.all(Array.from({ length: size.deaf }, open));
    for (const socket of sockets) {
      socket.send(INIT);
      socket.send(subscribe(1, TRADES));
      socket.pause();
    }
    await sleep(size.deafMs);
    for (const socket of sockets) socket.terminate();
  });

  await until('it answers afterwards', PATIENCE_MS, async () => (await fetch(`${server.url}/readyz`)).status === 200);
  Object.assign(protocol.counts, { ...size, closedWith: code, unintroduced, cut });
  protocol.goals.push(
    atLeast('closed for too many subscribes with a code of its own', code, 4_000),
    atMost('MB more by subscribes', flood.grown, 60),
    inTime('an answer beside subscribes', flood.most, 250),
    atLeast('silent sockets closed with 4408', unintroduced, size.silent),
    inTime('all silent sockets closed', silentMs, SILENT_GOAL_MS),
    inTime('an answer beside silent sockets', silence.most, 500),
    atLeast('slow headers cut off', cut, size.slow),
    inTime('an answer beside slow headers, p99', slow.p99, 100),
    atLeast('status of a body of 24 MB', large, 413),
    atMost('status of a body of 24 MB', large, 413),
    atMost('MB more by deaf subscribers', deafness.grown, 100 + size.deaf),
    inTime('an answer beside deaf subscribers, p99', deafness.p99, 100),
  );
  await ground.judge(protocol.findings);
};
