/** A subscriber over WebSocket, as light as it can be: it takes the server's frames off the socket, and sends the few a subscriber sends. */
import { connect, type Socket } from 'node:net';
import { fail } from './fail.ts';

const [TEXT, CLOSE, PING, PONG] = [1, 8, 9, 10];

export abstract class SubscriberSocket {
  readonly #socket: Socket;
  readonly #document: string;
  readonly #subscribed = Promise.withResolvers<void>();
  #rest: Buffer | null = null;
  #isUpgraded = false;

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

  /** Resolves when its subscription was sent. */
  get subscribed(): Promise<void> {
    return this.#subscribed.promise;
  }

  /** Takes a frame that may hold trades by its length alone; false: it is to be read. */
  protected known(_bytes: number): boolean {
    return false;
  }

  /** A `next` message, of so many bytes. */
  protected abstract next(text: string, bytes: number): void;

  #read(chunk: Buffer): void {
    let bytes = this.#rest ? Buffer.concat([this.#rest, chunk]) : chunk;
    this.#rest = null;
    if (!this.#isUpgraded) {
      const end = bytes.indexOf('\r\n\r\n');
      if (end < 0) {
        this.#rest = bytes;
        return;
      }
      if (!bytes.toString('latin1', 0, 16).includes(' 101 ')) fail(bytes.toString('latin1', 0, end));
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
      this.#frame((bytes[at] ?? 0) & 15, bytes, at + head, length);
      at += head + length;
    }
    if (at < bytes.length) this.#rest = Buffer.from(bytes.subarray(at));
  }

  #frame(kind: number, bytes: Buffer, start: number, length: number): void {
    if (kind === TEXT && this.known(length)) return;
    const text = bytes.toString('latin1', start, start + length);
    if (kind === PING) return this.#send(PONG, text);
    if (kind === CLOSE) fail(`The server closed: ${text.slice(2)}`);
    if (kind !== TEXT) return;
    if (text.includes('"next"')) this.next(text, length);
    else if (text.includes('"connection_ack"')) {
      this.#send(TEXT, JSON.stringify({ id: '1', type: 'subscribe', payload: { query: this.#document } }));
      this.#subscribed.resolve();
    } else if (text.includes('"error"') || text.includes('"complete"')) fail(text.slice(0, 500));
  }

  /** With a mask of zeros, which leaves the text as it is. */
  #send(kind: number, text: string): void {
    const body = Buffer.from(text, 'latin1');
    const head =
      body.length < 126
        ? [0x80 | kind, 0x80 | body.length]
        : [0x80 | kind, 0x80 | 126, body.length >> 8, body.length & 0xff];
    this.#socket.write(Buffer.concat([Buffer.from([...head, 0, 0, 0, 0]), body]));
  }
}

/** Opens one for each document, so many at once; in the order of the documents. */
export async function openAll<T extends SubscriberSocket>(
  documents: readonly string[],
  atOnce: number,
  open: (document: string) => T,
): Promise<void> {
  const left = documents.values();
  const worker = async () => {
    for (const document of left) await open(document).subscribed;
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
}
