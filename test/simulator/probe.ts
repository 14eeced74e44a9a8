import { vi } from 'vitest';
import { WebSocket } from 'ws';

export type Json = Record<string, unknown>;

/** A real `ws` client that keeps everything it hears. */
export class Probe implements AsyncDisposable {
  readonly socket: WebSocket;
  /** Text frames in order of arrival. */
  readonly texts: string[] = [];
  /** Payloads of the server's ping frames. */
  readonly pings: string[] = [];
  /** Set when the socket has closed. */
  closed: { readonly code: number; readonly reason: string } | null = null;

  private constructor(socket: WebSocket) {
    this.socket = socket;
    socket.on('message', (data) => this.texts.push(data.toString()));
    socket.on('ping', (payload) => this.pings.push(payload.toString()));
    socket.on('error', () => {});
    socket.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
  }

  static async open(url: string, options: { autoPong?: boolean; maxPayload?: number } = {}): Promise<Probe> {
    const probe = new Probe(new WebSocket(url, { perMessageDeflate: false, ...options }));
    await new Promise<void>((resolve, reject) => {
      probe.socket.once('open', resolve);
      probe.socket.once('error', reject);
    });
    return probe;
  }

  send(message: unknown): void {
    this.socket.send(typeof message === 'string' ? message : JSON.stringify(message));
  }

  okx(op: string, channel: string, ...symbols: string[]): void {
    this.send({ op, args: symbols.map((instId) => ({ channel, instId })) });
  }

  /** All JSON objects heard so far; bare texts are left out. */
  get frames(): readonly Json[] {
    return this.texts.filter((text) => text.startsWith('{')).map((text) => JSON.parse(text) as Json);
  }

  /** Data frames of an OKX channel. */
  okxData(channel: string): readonly { arg: Json; action?: string; data: readonly Json[] }[] {
    return this.frames.filter(
      (frame) => (frame.arg as Json | undefined)?.channel === channel && 'data' in frame,
    ) as never;
  }

  /** Payloads of a Binance combined stream, as text. */
  streamTexts(stream: string): readonly string[] {
    const head = `{"stream":"${stream}","data":`;
    return this.texts.filter((text) => text.startsWith(head)).map((text) => text.slice(head.length, -1));
  }

  /** Waits until `count` values of `list` are there and returns them. */
  async heard<T>(list: () => readonly T[], count: number): Promise<readonly T[]> {
    return vi.waitFor(
      () => {
        const found = list();
        if (found.length >= count) return found;
        throw new Error(`heard ${found.length} of ${count}; last: ${this.texts.at(-1)?.slice(0, 200)}`);
      },
      { timeout: 10_000, interval: 10 },
    );
  }

  async closing(): Promise<{ readonly code: number; readonly reason: string }> {
    return vi.waitFor(
      () => {
        if (this.closed) return this.closed;
        throw new Error('the socket is still open');
      },
      { timeout: 10_000, interval: 10 },
    );
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.terminate();
  }
}
