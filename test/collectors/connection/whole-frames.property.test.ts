import { once } from 'node:events';
import type { AddressInfo, Socket as Stream } from 'node:net';
import { setImmediate } from 'node:timers/promises';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { type OpenSocket, openWebSocket } from '../../../src/collectors/connection/socket.ts';

// Whatever a server sends in whatever pieces: what is told of it is what `ws` alone would tell.

const MAX_FRAME_BYTES = 70_000;
/** What a paused stream takes in at least; of more it is chance how much it had when it was given up. */
const PAUSED_BYTES = 65_536;

/** The whole frame, unmasked, its length spelled in the shortest way or in a longer one. */
function frame(first: number, body: Buffer | string, spell: 'shortest' | 'long' = 'shortest'): Buffer {
  const bytes = Buffer.from(body as string);
  const { length } = bytes;
  if (length > 65_535 || spell === 'long') {
    const head = Buffer.alloc(10, 0);
    head.set([first, 127]);
    head.writeBigUInt64BE(BigInt(length), 2);
    return Buffer.concat([head, bytes]);
  }
  if (length < 126) return Buffer.concat([Buffer.from([first, length]), bytes]);
  return Buffer.concat([Buffer.from([first, 126, length >> 8, length & 255]), bytes]);
}

const json = fc.json({ maxDepth: 1 });
const text = fc.oneof(
  json,
  fc.string({ unit: 'binary', maxLength: 40 }),
  fc.constantFrom('', '\ufffd', '\ufeffa', 'é'.repeat(90)),
  fc.constantFrom(125, 126, 300, 65_535, 65_536, MAX_FRAME_BYTES).map((length) => 'x'.repeat(length)),
);
const common = fc.oneof(
  { arbitrary: text.map((body) => frame(0x81, body)), weight: 8 },
  {
    arbitrary: fc.constantFrom(frame(0x89, 'are you there'), frame(0x8a, ''), frame(0x89, 'p'.repeat(125))),
    weight: 2,
  },
  { arbitrary: json.map((body) => frame(0x81, body, 'long')), weight: 1 },
);
const closeWith = (code: number, reason: Buffer | string) =>
  frame(0x88, Buffer.concat([Buffer.from([code >> 8, code & 255]), Buffer.from(reason as string)]));
const rare = fc.oneof(
  fc
    .array(json, { minLength: 1, maxLength: 3 })
    .map((parts) =>
      Buffer.concat([
        frame(0x01, 'begin'),
        frame(0x89, 'between'),
        ...parts.map((part) => frame(0x00, part)),
        frame(0x80, 'end'),
      ]),
    ),
  fc.constantFrom(
    ...[frame(0x82, 'binary'), frame(0x88, ''), closeWith(1_001, 'going away'), closeWith(1_000, 'é')],
    ...[frame(0x81, Buffer.from([0xff])), frame(0x81, Buffer.from([0xe2, 0x82])), frame(0x81, Buffer.from('\ud800'))],
    ...[frame(0x81, 'x'.repeat(MAX_FRAME_BYTES + 1)), frame(0xc1, 'compressed'), frame(0x91, 'reserved')],
    ...[frame(0x83, 'opcode 3'), frame(0x80, 'continues nothing'), frame(0x09, 'ping in parts')],
    ...[frame(0x89, 'p'.repeat(126)), closeWith(999, 'no such code'), frame(0x88, '1')],
    ...[closeWith(1_000, Buffer.from([0xff])), Buffer.from([0x81, 0x85, 0, 0, 0, 0, 1, 2, 3, 4, 5])],
    ...[
      Buffer.from([0x81, 127, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0]),
      Buffer.from([0x81, 127, 0, 1, 0, 0, 0, 0, 0, 1, 65]),
      Buffer.from([0x81, 126, 1]),
    ],
  ),
);

/** `ws` as it is documented. */
const openPlain: OpenSocket = (url, { maxFrameBytes }, handlers) => {
  const socket = new WebSocket(url, { perMessageDeflate: false, maxPayload: maxFrameBytes });
  let [failure, stream]: [string, Stream | null] = ['', null];
  socket.on('upgrade', (response) => {
    stream = response.socket;
  });
  socket.on('open', handlers.opened);
  socket.on('message', (data: Buffer, isBinary) => {
    if (isBinary) return handlers.binary(data.length);
    handlers.arrived();
    handlers.frame(String(data));
  });
  socket.on('ping', handlers.alive);
  socket.on('pong', handlers.alive);
  socket.on('error', (error) => {
    failure ||= error.message;
    if (String('code' in error && error.code).startsWith('WS_ERR_')) handlers.violated(failure);
  });
  socket.on('close', (code, reason) => handlers.closed(code, failure || String(reason)));
  return {
    get bytesRead() {
      return stream?.bytesRead ?? 0;
    },
    send: (message) => socket.send(message),
    ping: () => socket.ping(),
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(1_000),
    terminate: () => socket.terminate(),
  };
};

interface Script {
  readonly chunks: readonly Buffer[];
  /** Reading stops at this frame until all is sent; then it goes on, or the socket is given up. */
  readonly pauseAt: number | null;
  readonly afterPause: 'resume' | 'terminate';
}

const scripts: fc.Arbitrary<Script> = fc
  .record({
    before: fc.array(common, { maxLength: 12 }),
    odd: fc.option(rare, { nil: Buffer.alloc(0) }),
    after: fc.array(common, { maxLength: 4 }),
    cuts: fc.array(fc.nat({ max: 2_000 }), { maxLength: 12 }),
    pauseAt: fc.option(fc.nat({ max: 8 }), { nil: null, freq: 2 }),
    afterPause: fc.constantFrom('resume', 'terminate'),
  })
  .map(({ before, odd, after, cuts, ...rest }) => ({
    ...rest,
    chunks: cut(Buffer.concat([...before, odd, ...after]), cuts),
  }));

function cut(bytes: Buffer, cuts: readonly number[]): readonly Buffer[] {
  const chunks: Buffer[] = [];
  let at = 0;
  for (const length of cuts) {
    chunks.push(bytes.subarray(at, at + length));
    at += length;
  }
  return [...chunks, bytes.subarray(at)].filter(({ length }) => length > 0);
}

describe('whole frames read ahead of ws', () => {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  let url = '';

  beforeAll(async () => {
    if (!server.address()) await once(server, 'listening');
    url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  afterAll(() => server.close());

  async function told(open: OpenSocket, script: Script): Promise<readonly string[]> {
    const events: string[] = [];
    const opened = Promise.withResolvers<void>();
    const closed = Promise.withResolvers<void>();
    const connected = once(server, 'connection') as Promise<[WebSocket, { readonly socket: Stream }]>;
    let frames = 0;
    let paused = false;
    let arrivals = 0;
    let [isClosed, isViolated] = [false, false];
    const socket = open(
      url,
      { maxFrameBytes: MAX_FRAME_BYTES },
      {
        opened: () => opened.resolve(),
        arrived: () => {
          arrivals += 1;
        },
        frame: (body) => {
          if (arrivals === 0) events.push('a frame that did not arrive');
          events.push(`text ${body}`);
          if (frames++ === script.pauseAt) socket.pause();
          paused ||= frames > (script.pauseAt ?? Infinity);
        },
        binary: (bytes) => events.push(`${bytes} bytes`),
        alive: () => events.push('alive'),
        violated: () => {
          isViolated = true;
          events.push('violated');
        },
        closed: (code, reason) => {
          events.push(`closed ${code} ${isViolated ? 'in its own words' : reason}`);
          isClosed = true;
          closed.resolve();
        },
      },
    );
    const [[peer, { socket: stream }]] = await Promise.all([connected, opened.promise]);
    peer.on('error', () => undefined);
    const before = socket.bytesRead;
    let sent = 0;
    for (const chunk of script.chunks) {
      stream.write(chunk);
      sent += chunk.length;
      await setImmediate();
    }
    const until = (done: () => boolean) =>
      vi.waitFor(() => expect(isClosed || done()).toBe(true), { timeout: 10_000, interval: 1 });
    const hasRead = (bytes: number) => socket.bytesRead - before >= bytes;
    await until(() => paused || hasRead(sent));
    if (paused) {
      await until(() => hasRead(Math.min(sent, PAUSED_BYTES)));
      if (script.afterPause === 'terminate' && sent <= PAUSED_BYTES) socket.terminate();
      else socket.resume();
    }
    await until(() => hasRead(sent));
    stream.end();
    await closed.promise;
    return events;
  }

  it('tells once of the arrival of frames that came together', async () => {
    const [one, two, half] = [frame(0x81, '1'), frame(0x81, '2'), frame(0x81, 'x'.repeat(300))];
    const seen: string[] = [];
    const connected = once(server, 'connection') as Promise<[WebSocket, { readonly socket: Stream }]>;
    const { promise: closed, resolve } = Promise.withResolvers<void>();
    const nothing = () => undefined;
    openWebSocket(
      url,
      { maxFrameBytes: MAX_FRAME_BYTES },
      {
        ...{ opened: nothing, binary: nothing, alive: nothing, violated: nothing, closed: () => resolve() },
        arrived: () => seen.push('arrived'),
        frame: (body) => seen.push(body.slice(0, 1)),
      },
    );
    const [, { socket: stream }] = await connected;
    const say = async (bytes: readonly Buffer[], count: number) => {
      stream.write(Buffer.concat(bytes));
      await vi.waitFor(() => expect(seen).toHaveLength(count), { interval: 1 });
    };
    await say([one, two, half.subarray(0, 9)], 3);
    await say([half.subarray(9), one], 6);
    stream.end();
    await closed;
    expect(seen).toEqual(['arrived', '1', '2', 'arrived', 'x', '1']);
  });

  it('tells what ws alone tells', async () => {
    await fc.assert(
      fc.asyncProperty(scripts, async (script) => {
        expect(await told(openWebSocket, script)).toEqual(await told(openPlain, script));
      }),
      { numRuns: 150 },
    );
  }, 60_000);
});
