import type { OpenSocket, SocketHandlers } from '../../src/collectors/connection/socket.ts';

/** One socket whose other side is the test. */
export class HandSocket {
  readonly url: string;
  readonly sent: string[] = [];
  state: 'connecting' | 'open' | 'closed' = 'connecting';
  reading = true;
  /** Moved by the test: frames said whole do not count. */
  bytesRead = 0;
  readonly #handlers: SocketHandlers;

  constructor(url: string, handlers: SocketHandlers) {
    this.url = url;
    this.#handlers = handlers;
  }

  open(): void {
    this.state = 'open';
    this.#handlers.opened();
  }

  say(frame: unknown): void {
    this.#handlers.arrived();
    this.#handlers.frame(typeof frame === 'string' ? frame : JSON.stringify(frame));
  }

  /** The other side ends it. */
  cut(): void {
    this.state = 'closed';
    this.#handlers.closed(1006, '');
  }

  /** The opening handshake is answered with an HTTP error. */
  refuse(status: number, retryAfterMs = 0): void {
    this.state = 'closed';
    this.#handlers.closed(1006, `the handshake was answered with HTTP ${status}`, { status, retryAfterMs });
  }

  /** What was asked for, frame by frame. */
  asked(op: string): readonly (readonly string[])[] {
    return this.#requests(op).map(({ args = [], params = [] }) => [
      ...args.map(({ channel, instId }) => `${channel}:${instId}`),
      ...params,
    ]);
  }

  /** What is subscribed as OKX sees it, e.g. "trades:BTC-USDT". */
  subscriptions(): ReadonlySet<string> {
    const subscribed = new Set<string>();
    for (const text of this.sent.filter((each) => each.startsWith('{'))) {
      const { op, args = [] } = JSON.parse(text) as Request;
      for (const { channel, instId } of args)
        if (op === 'subscribe') subscribed.add(`${channel}:${instId}`);
        else subscribed.delete(`${channel}:${instId}`);
    }
    return subscribed;
  }

  /** Answers every OKX subscription that was asked for so far. */
  acknowledge(): void {
    for (const { args = [] } of this.#requests('subscribe'))
      for (const arg of args) this.say({ event: 'subscribe', arg });
  }

  #requests(op: string): readonly Request[] {
    return this.sent
      .filter((text) => text.startsWith('{'))
      .map((text) => JSON.parse(text) as Request)
      .filter((request) => (request.op ?? request.method) === op);
  }
}

interface Request {
  readonly op?: string;
  readonly method?: string;
  readonly id?: unknown;
  readonly args?: readonly { readonly channel: string; readonly instId?: string }[];
  readonly params?: readonly string[];
}

/** Every socket that was opened, oldest first. */
export function handSockets(): { readonly sockets: HandSocket[]; readonly openSocket: OpenSocket } {
  const sockets: HandSocket[] = [];
  const openSocket: OpenSocket = (url, _limits, handlers) => {
    const socket = new HandSocket(url, handlers);
    sockets.push(socket);
    return {
      get bytesRead() {
        return socket.bytesRead;
      },
      send: (text) => {
        if (socket.state === 'open') socket.sent.push(text);
      },
      ping: () => {
        if (socket.state === 'open') socket.sent.push('(ping)');
      },
      pause: () => {
        socket.reading = false;
      },
      resume: () => {
        socket.reading = true;
      },
      close: () => {
        socket.state = 'closed';
      },
      terminate: () => {
        socket.state = 'closed';
      },
    };
  };
  return { sockets, openSocket };
}
