import { setTimeout as sleep } from 'node:timers/promises';
import type { Bench, Contender, Figures, Goal, Metric, Row, Turn } from '../frame/bench.ts';
import { Subject } from '../frame/subject.ts';
import type { Received, Subscribers } from './clients.ts';
import { ourDocument, peerDocument } from './documents.ts';
import type { Published, Schedule, Used } from './publishing.ts';

const CPU = 'CPU of a delivery';
const ALL = 'an event to all';
const STALL = 'longest stall';
const MEMORY = 'memory of a subscriber';

const metric = (name: string, unit: string): Metric => ({ name, unit, better: 'less' });

interface Size {
  readonly subscribers: number;
  readonly documents: number;
  readonly warmUp: number;
  readonly events: number;
  readonly gapMs: number;
  readonly rounds: number;
}

/** From this many on a subscriber's memory shows. */
const MEMORABLE = 1_000;
const CLIENT_PROCESSES = 2;
/** A subscription says nothing when it is ready, so the first events are repeated until all have seen one. */
const READY_TRIES = 40;
const READY_WAIT_MS = 250;

const contender = (name: string, role: Contender['role'], file: string, size: Size): Contender => ({
  ...{ name, role },
  async run(turn: Turn): Promise<Figures> {
    await using server = new Subject(new URL(file, import.meta.url), ['--expose-gc']);
    const port = await server.ask<number>('open');
    await using stack = new AsyncDisposableStack();
    const processes = Math.min(CLIENT_PROCESSES, size.subscribers);
    const clients = Array.from({ length: processes }, () =>
      stack.use(new Subject(new URL('./clients.ts', import.meta.url))),
    );
    const publish = (events: number) =>
      server.ask<Published>('publish', { events, gapMs: size.gapMs } satisfies Schedule);
    const before = await server.usage();
    const count = size.subscribers / processes;
    const documentOf = role === 'peer' ? peerDocument : ourDocument;
    const documents = Array.from({ length: size.documents }, (_, k) => documentOf(k));
    await each(clients, (one) => one.ask('open', { port, count, documents } satisfies Subscribers));
    for (let k = 0; (await each(clients, (one) => one.ask<number>('reached'))).some((seen) => seen < count); k += 1) {
      if (k === READY_TRIES) throw new Error('Not all subscribers see events');
      await publish(1);
      await sleep(READY_WAIT_MS);
    }
    /** Events one after another, and what they took. */
    const deliver = async (events: number) => {
      await each(clients, (one) => one.ask('begin', events));
      await server.ask('begin');
      const { at } = await publish(events);
      const received = await each(clients, (one) => one.ask<Received>('received'));
      const times = at.map((from, k) => Math.max(...received.map(({ lastAt }) => lastAt[k] ?? Number.NaN)) - from);
      return { used: await server.ask<Used>('used'), times: times.toSorted((a, b) => a - b) };
    };
    await deliver(size.warmUp);
    const { used, times } = await server.profiled(turn, () => deliver(size.events));
    const { rssBytes } = await server.usage();
    return {
      [CPU]: (used.cpuSeconds * 1e6) / (size.events * size.subscribers),
      [`${ALL}, p50`]: times[Math.floor(times.length / 2)] ?? Number.NaN,
      [`${ALL}, p99`]: times[Math.ceil(times.length * 0.99) - 1] ?? Number.NaN,
      [STALL]: used.stallMs,
      ...(size.subscribers < MEMORABLE ? {} : { [MEMORY]: (rssBytes - before.rssBytes) / 1e3 / size.subscribers }),
    };
  },
});

const each = <T>(clients: readonly Subject[], ask: (client: Subject) => Promise<T>): Promise<T[]> =>
  Promise.all(clients.map(ask));

function rowOf(size: Size): Row {
  const { subscribers, documents, events, rounds } = size;
  const isLarge = subscribers >= 10_000;
  const ahead: readonly Goal[] =
    subscribers === 1
      ? []
      : [
          ...(documents === 1 ? [{ metric: CPU, against: 'limit', atLeast: 0.85 }] : []),
          { metric: CPU, against: 'best peer', atLeast: 3.5 },
        ];
  return {
    what: `${subscribers.toLocaleString('en-US')} × ${documents === 1 ? 'the same document' : `${documents} documents`}`,
    work: `${events} trades to ${subscribers.toLocaleString('en-US')} ${subscribers === 1 ? 'subscriber' : 'subscribers'}, one every ${size.gapMs} ms`,
    metrics: [
      metric(CPU, 'µs'),
      metric(`${ALL}, p50`, 'ms'),
      metric(`${ALL}, p99`, 'ms'),
      metric(STALL, 'ms'),
      ...(subscribers < MEMORABLE ? [] : [metric(MEMORY, 'kB')]),
    ],
    growth: { by: documents === 1 ? 'subscribers' : `subscribers of ${documents} documents`, size: subscribers },
    // the largest row alone takes as long as all before it
    ...{ rounds: isLarge && documents > 1 ? 1 : rounds, boundSeconds: 150 },
    contenders: [
      contender('one string by `ws`', 'limit', './limit.ts', size),
      contender('the server', 'ours', './ours.ts', size),
      contender('Yoga and graphql-ws', 'peer', './yoga.ts', size),
      contender('Mercurius with JIT', 'peer', './mercurius.ts', size),
      contender('graphql-ws and graphql-js', 'peer', './graphql-ws.ts', size),
    ],
    goals: [
      ...ahead,
      ...(isLarge
        ? [
            { metric: `${ALL}, p99`, atMost: 250 },
            { metric: STALL, atMost: 50 },
            { metric: MEMORY, atMost: 12 },
          ]
        : []),
    ],
  };
}

const SIZES: readonly Omit<Size, 'documents'>[] = [
  { subscribers: 1, warmUp: 400, events: 400, gapMs: 3, rounds: 3 },
  { subscribers: 100, warmUp: 150, events: 200, gapMs: 12, rounds: 3 },
  { subscribers: 1_000, warmUp: 30, events: 30, gapMs: 100, rounds: 3 },
  { subscribers: 10_000, warmUp: 4, events: 8, gapMs: 900, rounds: 2 },
];

export const fanOut: Bench = {
  name: 'fan-out',
  title:
    'One stream of trades to many WebSocket subscribers, each in the graphql-transport-ws protocol, on two client processes. The limit sends the bytes ours sends, made once for each document.',
  rows: (size) =>
    size === 'tiny'
      ? [1, 5].map((documents) => rowOf({ subscribers: 20, documents, warmUp: 20, events: 50, gapMs: 5, rounds: 1 }))
      : SIZES.flatMap((one) =>
          [1, 50].flatMap((documents) => (documents > one.subscribers ? [] : [rowOf({ ...one, documents })])),
        ),
};
