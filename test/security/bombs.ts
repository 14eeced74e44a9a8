import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Writable } from 'node:stream';
import { createGzip, deflateRawSync } from 'node:zlib';
import { accept, type RestAttack, type SocketAttack } from './hostile-exchange.ts';

const MIB = 1024 * 1024;
const SPACES = Buffer.alloc(MIB, ' ');
const DEEP = '['.repeat(50_000) + ']'.repeat(50_000);

/** The head of a frame, its length spelled out. */
function headOf(first: number, length: number): Buffer {
  const head = Buffer.alloc(10);
  head.set([first, 127]);
  head.writeBigUInt64BE(BigInt(length), 2);
  return head;
}

const frame = (first: number, body: Buffer): Buffer => Buffer.concat([headOf(first, body.length), body]);

const next = (stream: Writable, event: 'close' | 'drain'): Promise<void> =>
  new Promise((resolve) => stream.once(event, () => resolve()));

/** Writes again and again, as fast as it is taken, until the other side hangs up or it was written so often. */
async function flood(to: Writable, bytes: Buffer, times: number): Promise<void> {
  const gone = next(to, 'close');
  for (let left = times; left > 0 && !to.destroyed; left -= 1)
    if (!to.write(bytes)) await Promise.race([next(to, 'drain'), gone]);
}

/** Takes the socket, sends, and goes on waiting until the other side hangs up. */
const sending =
  (send: (socket: Socket) => unknown, more = ''): SocketAttack =>
  async (socket, request) => {
    const gone = next(socket, 'close');
    socket.resume().on('end', () => socket.end()); // the server's sockets stay half open otherwise
    accept(socket, request, more);
    await send(socket);
    await gone;
  };

/** As much as a frame may have, of what any exchange may say. */
export const HARMLESS_FRAME: SocketAttack = sending((socket) =>
  socket.end(frame(0x81, Buffer.from('{"result":null,"id":0}'.padEnd(MIB)))),
);

let packed: Buffer | null = null;
/** 95 MiB of spaces, 95 kB long. Packing it takes a while. */
function deflated(): Buffer {
  packed ??= frame(0xc1, deflateRawSync(Buffer.alloc(95 * MIB, ' ')));
  return packed;
}
const fragments = (size: number) =>
  Buffer.from(Array.from({ length: 10_000 }, () => [0x00, size, ...Array(size).fill(32)]).flat());

/** What is sent on a socket, and what the server then says of it; `amount` is how much of it at most. */
export const SOCKET_BOMBS: readonly {
  readonly name: string;
  readonly said: RegExp;
  readonly attack: (amount: number) => SocketAttack;
}[] = [
  {
    name: 'compression it insists on',
    said: /Sec-WebSocket-Extensions/,
    attack: () => {
      const bytes = deflated();
      return sending((socket) => socket.write(bytes), 'Sec-WebSocket-Extensions: permessage-deflate\r\n');
    },
  },
  {
    name: '95 MiB of spaces in a compressed frame nobody agreed to',
    said: /RSV1/,
    attack: () => {
      const bytes = deflated();
      return sending((socket) => socket.write(bytes));
    },
  },
  {
    name: 'a frame of a gigabyte',
    said: /longer than 1048576 bytes/,
    attack: (amount) =>
      sending(async (socket) => {
        socket.write(headOf(0x81, 1024 * MIB));
        await flood(socket, SPACES, amount);
      }),
  },
  {
    name: 'a frame of more bytes than a number can count',
    said: /payload length/,
    attack: () => sending((socket) => socket.write(Buffer.from([0x81, 127, 255, 255, 255, 255, 0, 0, 0, 0]))),
  },
  {
    name: 'a message in fragments of one byte without end',
    said: /more than 1024 fragments/,
    attack: (amount) =>
      sending(async (socket) => {
        socket.write(Buffer.from([0x01, 1, 32]));
        await flood(socket, fragments(1), amount);
      }),
  },
  {
    name: 'a message in empty fragments without end',
    said: /more than 1024 fragments/,
    attack: (amount) =>
      sending(async (socket) => {
        socket.write(Buffer.from([0x01, 0]));
        await flood(socket, fragments(0), amount);
      }),
  },
  {
    name: 'JSON 50,000 levels deep',
    said: /nests deeper than 64/,
    attack: () =>
      sending((socket) => {
        socket.end(frame(0x81, Buffer.from(DEEP)));
      }),
  },
];

const gzipped =
  (write: (zip: Writable) => Promise<void>): RestAttack =>
  (response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' });
    const zip = createGzip();
    zip.on('error', () => {}).pipe(response);
    response.on('close', () => zip.destroy()).on('error', () => {});
    void write(zip).then(() => zip.end());
  };

const plain =
  (write: (response: ServerResponse) => unknown): RestAttack =>
  (response) => {
    response.on('error', () => {});
    response.writeHead(200, { 'content-type': 'application/json' });
    void Promise.resolve(write(response)).then(() => response.end());
  };

/** As much as an answer may have, of what any exchange may say. */
const LONG_ANSWER = Buffer.from('{"lastUpdateId":1,"bids":[],"asks":[]}'.padEnd(2 * MIB));
const long = plain((response) => flood(response, LONG_ANSWER, 1));

/** What a request is answered with, what the server then says of it, and the same without harm; `amount` as above, in MiB. */
export const REST_BOMBS: readonly {
  readonly name: string;
  readonly said: RegExp;
  readonly harmless: RestAttack;
  readonly attack: (amount: number) => RestAttack;
}[] = [
  {
    name: 'a gigabyte of spaces, a megabyte zipped',
    said: /larger than \d+ bytes/,
    harmless: gzipped((zip) => flood(zip, LONG_ANSWER, 1)),
    attack: (amount) => gzipped((zip) => flood(zip, SPACES, amount)),
  },
  {
    name: 'spaces without end',
    said: /larger than \d+ bytes/,
    harmless: long,
    attack: (amount) => plain((response) => flood(response, SPACES, amount)),
  },
  {
    name: 'JSON 50,000 levels deep',
    said: /nests deeper than 64/,
    harmless: long,
    attack: () => plain((response) => response.write(DEEP)),
  },
  {
    name: 'JSON a million levels deep',
    said: /nests deeper than 64/,
    harmless: long,
    attack: () => plain((response) => response.write('['.repeat(MIB - 1) + ']'.repeat(MIB - 1))),
  },
];
