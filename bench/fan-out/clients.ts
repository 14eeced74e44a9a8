/** Many subscribers in one process, as light as they can be: they read frames off the socket and count the trades in them. */
import { connect, type Socket } from 'node:net';
import { answer } from '../frame/answer.ts';
import { monotonic } from './monotonic.ts';

export interface Subscribers {
  readonly port: number;
  readonly count: number;
  /** Subscriber k sends document k modulo their number. */
  readonly documents: readonly string[];
}

export interface Received {
  /** When the last subscriber had event k, by `monotonic`. */
  readonly lastAt: readonly number[];
}

const AT_ONCE = 32;
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];

const subscribers: Subscriber[] = [];
let lastAt: number[] = [];
let missing = Number.POSITIVE_INFINITY;
let complete = Promise.withResolvers<void>();

class Subscriber {
  readonly #socket: Socket;
  readonly #document: string;
  readonly #subscribed = Promise.withResolvers<void>();
  #rest: Buffer | null = null;
  #isUpgraded = false;
  #seen = 0;
  /** Of a payload with one trade. */
  #unit = 0;

  constructor(port: number, document: string) {
    this.#document = document;
    this.#socket = connect(port, '127.0.0.1', () => {
      this.#socket.setNoDelay(true);
      this.#socket.write(
        `GET /graphql HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n`,
      );
    });
    this.#socket.on('data', (chunk) => this.#read(chunk));
    this.#socket.on('error', fail);
  }

  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  get seen(): number {
    return this.#seen;
  }

  begin(): void {
    this.#seen = 0;
  }

  #read(chunk: Buffer): void {
    let bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = null;
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      if (!bytes.toString('latin1', 0, 16).includes(' 101 ')) fail(new Error(bytes.toString('latin1', 0, end)));
      this.#isUpgraded = true;
      this.#send(TEXT, '{"type":"connection_init"}');
      bytes = bytes.subarray(end + 4);
    }
    let at = 0;
    while (bytes.length - at >= 2) {
      let [length = 0, head] = [bytes[at + 1], 2];
      if (length === 126 && bytes.length - at >= 4) [length, head] = [bytes.readUInt16BE(at + 2), 4];
      else if (length >= 126) break;
      if (bytes.length - at < head + length) break;
      this.#frame((bytes[at] ?? 0) & 15, bytes, at + head, length);
      at += head + length;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #frame(kind: number, bytes: Buffer, start: number, length: number): void {
    if (kind === PING) return this.#send(PONG, bytes.toString('utf8', start, start + length));
    if (kind === CLOSE) fail(new Error(`The server closed: ${bytes.toString('latin1', start + 2, start + length)}`));
    if (kind !== TEXT) return;
    if (this.#unit > 0 && length < this.#unit * 1.3) return this.#trades(1);
    const text = bytes.toString('latin1', start, start + length);
    if (text.includes('"connection_ack"')) {
      this.#send(TEXT, JSON.stringify({ id: '1', type: 'subscribe', payload: { query: this.#document } }));
      this.#subscribed.resolve();
    } else if (text.includes('"next"')) {
      const trades = text.split('"price"').length - 1;
      if (trades === 0) fail(new Error(`No trade: ${text.slice(0, 500)}`));
      if (trades === 1) this.#unit = length;
      this.#trades(trades);
    } else if (text.includes('"error"') || text.includes('"complete"')) fail(new Error(text.slice(0, 500)));
  }

  #trades(count: number): void {
    const now = monotonic();
    for (let k = 0; k < count; k += 1) lastAt[this.#seen++] = now;
    missing -= count;
    if (missing <= 0) complete.resolve();
  }

  /** With a mask of zeros, which leaves the text as it is. */
  #send(kind: number, text: string): void {
    const body = Buffer.from(text);
    const head =
      body.length < 126
        ? [0x80 | kind, 0x80 | body.length]
        : [0x80 | kind, 0x80 | 126, body.length >> 8, body.length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]));
  }
}

answer({
  async open({ port, count, documents }: Subscribers) {
    const all = Array.from({ length: count }, (_, k) => k);
    const worker = async () => {
      for (let k = all.shift(); k !== undefined; k = all.shift()) {
        const one = new Subscriber(port, documents[k % documents.length] ?? '');
        subscribers.push(one);
        await one.subscribed;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  },
  /** How many have seen a trade. */
  reached: () => subscribers.filter(({ seen }) => seen > 0).length,
  begin(events: number) {
    for (const subscriber of subscribers) subscriber.begin();
    lastAt = [];
    complete = Promise.withResolvers();
    missing = events * subscribers.length;
  },
  async received(): Promise<Received> {
    await complete.promise;
    return { lastAt };
  },
});

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
