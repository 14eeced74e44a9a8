/** An OKX whose trades are made as they are due: contiguous ids a market, and a size that tells when the trade was sent. */
import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep, setImmediate as turn } from 'node:timers/promises';
import { type WebSocket, WebSocketServer } from 'ws';
import { monotonic } from '../fan-out/monotonic.ts';
import { answer } from '../frame/answer.ts';

/** How trades are sent for a while, to each market in turn. */
export interface Sending {
  readonly seconds: number;
  /** Trades a second over all markets; null: as fast as the socket takes them. */
  readonly rate: number | null;
}

export interface Sent {
  readonly trades: number;
  readonly seconds: number;
}

/** What a market has had since the start. */
export interface MarketSent {
  readonly symbol: string;
  readonly trades: number;
  readonly lastId: number;
}

/** The id of a market's first trade; the next is one more. */
const FIRST_ID = 1_040_968_614;
const TICK_MS = 2;
const CHUNK_TRADES = 200;
const LONGEST_FRAME = 512;
const TEXT = 0x81;

const markets: Market[] = [];
const waiting = new Map<string, Market>();
const complete = Promise.withResolvers<void>();
let next = 0;

interface Market {
  readonly instId: string;
  socket: Socket | null;
  count: number;
}

answer({
  async open(symbols: readonly string[]) {
    for (const instId of symbols) markets.push({ instId, socket: null, count: 0 });
    for (const market of markets) waiting.set(market.instId, market);
    const server = createServer((request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).end(restAnswer(request));
    });
    new WebSocketServer({ server, perMessageDeflate: false }).on('connection', (socket, request) =>
      socket.on('message', (data) => react(socket, request.socket, String(data))),
    );
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  },
  subscribed: () => complete.promise,
  async send({ seconds, rate }: Sending): Promise<Sent> {
    const [startedAt, first] = [monotonic(), next];
    const passed = () => (monotonic() - startedAt) / 1e3;
    while (passed() < seconds) {
      const due = rate === null ? CHUNK_TRADES : Math.floor(passed() * rate) - (next - first);
      for (let left = due; left > 0; left -= CHUNK_TRADES) await sendTrades(Math.min(left, CHUNK_TRADES));
      await (rate === null ? turn() : sleep(TICK_MS));
    }
    return { trades: next - first, seconds: passed() };
  },
  sent: (): readonly MarketSent[] =>
    markets.map(({ instId, count }) => ({ symbol: instId, trades: count, lastId: FIRST_ID + count - 1 })),
});

/** The next trades, in one write for each socket; resolves when it takes more. */
async function sendTrades(count: number): Promise<void> {
  const bySocket = Map.groupBy(
    Array.from({ length: count }, () => markets[next++ % markets.length] as Market),
    ({ socket }) => socket,
  );
  for (const [socket, due] of bySocket) {
    if (!socket) throw new Error('A market has no subscriber');
    const bytes = Buffer.allocUnsafe(due.length * LONGEST_FRAME);
    let end = 0;
    for (const market of due) end = writeFrame(bytes, end, nextTrade(market));
    if (!socket.write(bytes.subarray(0, end))) await once(socket, 'drain');
  }
}

/** With today's field set, each a single fill. */
function nextTrade(market: Market): string {
  const [{ instId, count }, sentAt] = [market, monotonic().toFixed(3)];
  market.count += 1;
  const price = (64_040 + (count % 997) / 10).toFixed(1);
  const side = count % 3 === 0 ? 'buy' : 'sell';
  return `{"arg":{"channel":"trades","instId":"${instId}"},"data":[{"instId":"${instId}","tradeId":"${FIRST_ID + count}","px":"${price}","sz":"${sentAt}","side":"${side}","ts":"${Date.now()}","count":"1","source":"0","seqId":${79_706_765_242 + next}}]}`;
}

/** A WebSocket text frame of a server, from 126 to 65,535 bytes. */
function writeFrame(bytes: Buffer, at: number, text: string): number {
  bytes[at] = TEXT;
  bytes[at + 1] = 126;
  bytes.writeUInt16BE(text.length, at + 2);
  return at + 4 + bytes.write(text, at + 4, 'latin1');
}

function react(socket: WebSocket, raw: Socket, text: string): void {
  if (text === 'ping') return socket.send('pong');
  const { op, id, args } = JSON.parse(text) as {
    readonly op: string;
    readonly id?: string;
    readonly args: readonly { readonly channel: string; readonly instId: string }[];
  };
  if (op !== 'subscribe') return;
  for (const arg of args) {
    socket.send(JSON.stringify({ ...(id ? { id } : {}), event: 'subscribe', arg, connId: 'a4d3ae55' }));
    const market = waiting.get(arg.instId);
    if (market) market.socket = raw;
    waiting.delete(arg.instId);
  }
  if (waiting.size === 0) complete.resolve();
}

/** Nothing was traded before, and nothing is missing; there are no other paths that a client of trades needs. */
const restAnswer = ({ url = '' }: IncomingMessage): string =>
  url.includes('/public/time')
    ? JSON.stringify({ code: '0', msg: '', data: [{ ts: String(Date.now()) }] })
    : JSON.stringify({ code: '0', msg: '', data: [] });
