/** Many subscribers in one process, each of one market, as light as they can be: they read trades off the socket and note their times. */
import { connect, type Socket } from 'node:net';
import { monotonic } from '../fan-out/monotonic.ts';
import { answer } from '../frame/answer.ts';

export interface Subscribers {
  readonly port: number;
  /** What each of them sends. */
  readonly documents: readonly string[];
}

export interface Taken {
  /** From the exchange to the subscriber, ms, of all subscribers and trades since `begin`. */
  readonly p50: number;
  readonly p99: number;
  readonly trades: number;
  /** Trades that came twice or not in their order. */
  readonly twice: number;
}

const AT_ONCE = 16;
const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];
const [ID, SIZE] = ['"tradeId":"', '"size":"'];

let times: number[] = [];
let begunAt = 0;
let twice = 0;

class Subscriber {
  readonly #socket: Socket;
  readonly #document: string;
  readonly #subscribed = Promise.withResolvers<void>();
  #rest: Buffer | null = null;
  #isUpgraded = false;
  #last = 0;

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

  /** The id of the newest trade it has. */
  get last(): number {
    return this.#last;
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
      else if (length === 127 && bytes.length - at >= 10) [length, head] = [Number(bytes.readBigUInt64BE(at + 2)), 10];
      else if (length >= 126) break;
      if (bytes.length - at < head + length) break;
      this.#frame((bytes[at] ?? 0) & 15, bytes.toString('latin1', at + head, at + head + length));
      at += head + length;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #frame(kind: number, text: string): void {
    if (kind === PING) return this.#send(PONG, text);
    if (kind === CLOSE) fail(new Error(`The server closed: ${text.slice(2)}`));
    if (kind !== TEXT) return;
    if (text.includes('"next"')) this.#trades(text);
    else if (text.includes('"connection_ack"')) {
      this.#send(TEXT, JSON.stringify({ id: '1', type: 'subscribe', payload: { query: this.#document } }));
      this.#subscribed.resolve();
    } else if (text.includes('"error"') || text.includes('"complete"')) fail(new Error(text.slice(0, 500)));
  }

  #trades(text: string): void {
    const now = monotonic();
    for (let at = text.indexOf(ID); at >= 0; at = text.indexOf(ID, at)) {
      const id = numberAt(text, at + ID.length);
      at = text.indexOf(SIZE, at) + SIZE.length;
      const sentAt = numberAt(text, at);
      if (sentAt >= begunAt) times.push(now - sentAt);
      if (id <= this.#last) twice += 1;
      this.#last = Math.max(this.#last, id);
    }
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

const numberAt = (text: string, at: number): number => Number(text.slice(at, text.indexOf('"', at)));

const subscribers: Subscriber[] = [];

answer({
  async open({ port, documents }: Subscribers) {
    const left = [...documents];
    const worker = async () => {
      for (let document = left.shift(); document !== undefined; document = left.shift()) {
        const one = new Subscriber(port, document);
        subscribers.push(one);
        await one.subscribed;
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
  },
  /** How many have seen a trade. */
  reached: () => subscribers.filter(({ last }) => last > 0).length,
  /** How many have the newest trade of their market. */
  upToDate: (newest: readonly number[]) =>
    subscribers.filter(({ last }, k) => last === newest[k % newest.length]).length,
  /** Trades that are sent from now on count. */
  begin() {
    times = [];
    begunAt = monotonic();
    twice = 0;
  },
  taken(): Taken {
    const sorted = Float64Array.from(times).sort();
    const at = (share: number) => sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
    return { p50: at(0.5), p99: at(0.99), trades: sorted.length, twice };
  },
});

function fail(error: Error): void {
  console.error(error.message);
  process.exit(1);
}
