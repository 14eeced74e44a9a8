/** An OKX that sends frames it made beforehand as fast as the socket takes them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { answer } from '../frame/answer.ts';

/** What is sent is a multiple of it. */
const CHUNK_FRAMES = 250;
const START_ID = 1_040_968_613;

let chunks: { readonly frames: number; readonly bytes: Buffer }[] = [];
let client: Socket | null = null;
const wanted = new Set<string>();
let all = 0;
const subscribed = Promise.withResolvers<void>();

answer({
  async open({ symbols, frames }: { readonly symbols: readonly string[]; readonly frames: number }) {
    chunks = prepare(symbols, frames);
    all = symbols.length;
    const server = createServer((_request, response) => response.writeHead(404).end('{}'));
    const wss = new WebSocketServer({ server, perMessageDeflate: false });
    wss.on('connection', (socket, request) => {
      client = request.socket;
      socket.on('message', (data) => react(socket, String(data)));
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/ws/v5/public`;
  },
  subscribed: () => subscribed.promise,
  async send(frames: number) {
    for (let left = frames; left > 0; ) {
      const chunk = chunks.shift();
      if (!chunk || !client) throw new Error('There is nobody to send to, or nothing left');
      left -= chunk.frames;
      if (!client.write(chunk.bytes)) await once(client, 'drain');
    }
  },
});

function react(socket: WebSocket, text: string): void {
  if (text === 'ping') return socket.send('pong');
  const request = JSON.parse(text) as {
    readonly op: string;
    readonly id?: string;
    readonly args: readonly { readonly channel: string; readonly instId: string }[];
  };
  if (request.op !== 'subscribe') return;
  for (const arg of request.args) {
    socket.send(
      JSON.stringify({ ...(request.id ? { id: request.id } : {}), event: 'subscribe', arg, connId: 'a4d3ae55' }),
    );
    wanted.add(arg.instId);
  }
  if (wanted.size === all) subscribed.resolve();
}

/** Today's field set, market by market in turn, each with ids of its own and none left out; some stand for several fills. */
function prepare(symbols: readonly string[], frames: number) {
  const made: { frames: number; bytes: Buffer }[] = [];
  const ids = symbols.map((_, k) => START_ID + k * 10_000_000);
  const start = Date.now() - 3_600_000;
  for (let from = 0; from < frames; from += CHUNK_FRAMES) {
    const parts: Buffer[] = [];
    for (let k = from; k < Math.min(frames, from + CHUNK_FRAMES); k += 1) {
      const market = k % symbols.length;
      const instId = symbols[market] ?? '';
      const count = k % 7 === 0 ? 2 : 1;
      const tradeId = (ids[market] ?? 0) + count;
      ids[market] = tradeId;
      const trade = {
        ...{ instId, tradeId: String(tradeId), px: (64_040 + (k % 997) / 10).toFixed(1) },
        ...{ sz: ((k % 8_999) / 1e5 + 0.00001).toFixed(8), side: k % 3 === 0 ? 'buy' : 'sell' },
        ...{ ts: String(start + (k >> 3)), count: String(count), source: '0', seqId: 79_706_765_242 + k },
      };
      parts.push(framed(JSON.stringify({ arg: { channel: 'trades', instId }, data: [trade] })));
    }
    made.push({ frames: parts.length, bytes: Buffer.concat(parts) });
  }
  return made;
}

/** A WebSocket text frame of a server, from 126 to 65,535 bytes. */
function framed(text: string): Buffer {
  const body = Buffer.from(text);
  const head = Buffer.from([0x81, 126, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([head, body]);
}
