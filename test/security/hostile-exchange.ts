import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, request, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer, type ServerOptions } from 'node:https';
import { type AddressInfo, connect, type Socket } from 'node:net';

/** What one socket is done to, from its upgrade request on; over when the promise is. */
export type SocketAttack = (socket: Socket, request: IncomingMessage) => Promise<void>;
/** What one request is answered with. */
export type RestAttack = (response: ServerResponse, request: IncomingMessage) => void;

interface Upstream {
  readonly host: string;
  readonly port: number;
}

export interface HostileExchangeOptions {
  /** Whom it stands before: what is not attacked goes there. */
  readonly upstream: Upstream;
  readonly tls?: ServerOptions;
}

/** An exchange that turned evil, or somebody between: passes on what a good one says until it is told to attack. */
export class HostileExchange implements AsyncDisposable {
  /** Of every new socket, while there is one. */
  socketAttack: SocketAttack | null = null;
  /** Of every request whose path begins so, while there is one. */
  restAttack: { readonly path: string; readonly attack: RestAttack } | null = null;
  /** Sockets and requests that were attacked. */
  attacks = 0;
  readonly #server: Server;
  readonly #upstream: Upstream;
  readonly #sockets = new Set<Socket>();
  readonly #isSecure: boolean;

  private constructor({ upstream, tls }: HostileExchangeOptions) {
    this.#upstream = upstream;
    this.#isSecure = tls !== undefined;
    this.#server = tls ? createSecureServer(tls) : createServer();
    this.#server.on('request', (asked: IncomingMessage, answer: ServerResponse) => this.#answer(asked, answer));
    this.#server.on('upgrade', (asked: IncomingMessage, socket: Socket) => this.#upgrade(asked, socket));
    this.#server.on('connection', (socket: Socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
    });
  }

  static async start(options: HostileExchangeOptions): Promise<HostileExchange> {
    const exchange = new HostileExchange(options);
    exchange.#server.listen(0, '127.0.0.1');
    await once(exchange.#server, 'listening');
    return exchange;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** The addresses of a connection's configuration, leading here. */
  connectionThrough<T extends object>(connection: T, host = '127.0.0.1'): T {
    const through = (url: string) => {
      const moved = new URL(url);
      moved.protocol = `${/^ws|http/.exec(moved.protocol)?.[0]}${this.#isSecure ? 's' : ''}:`;
      moved.host = `${host}:${this.port}`;
      return moved.href;
    };
    const entries = Object.entries(connection).map(([key, value]) => [
      key,
      key.endsWith('_url') ? through(String(value)) : value,
    ]);
    return Object.fromEntries(entries) as T;
  }

  /** Cuts every socket, so that the next ones can be attacked. */
  cut(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #answer(asked: IncomingMessage, answer: ServerResponse): void {
    if (this.restAttack && asked.url?.startsWith(this.restAttack.path)) {
      this.attacks += 1;
      return this.restAttack.attack(answer, asked);
    }
    const { method, url, headers } = asked;
    const passed = request({ ...this.#upstream, method, path: url, headers }, (found) => {
      answer.writeHead(found.statusCode ?? 502, found.headers);
      found.pipe(answer);
    });
    passed.on('error', () => answer.destroy());
    asked.pipe(passed);
  }

  #upgrade(asked: IncomingMessage, socket: Socket): void {
    socket.on('error', () => {});
    if (this.socketAttack) {
      this.attacks += 1;
      return void this.socketAttack(socket, asked);
    }
    const passed = connect(this.#upstream.port, this.#upstream.host);
    const head = asked.rawHeaders.reduce(
      (text, part, at) => text + part + (at % 2 === 0 ? ': ' : '\r\n'),
      `GET ${asked.url} HTTP/1.1\r\n`,
    );
    passed.write(`${head}\r\n`);
    passed.pipe(socket).pipe(passed);
    passed.on('error', () => socket.destroy()).on('close', () => socket.destroy());
    socket.on('close', () => passed.destroy());
  }
}

/** Takes the WebSocket, with more lines in the head where they are given. */
export function accept(socket: Socket, { headers }: IncomingMessage, more = ''): void {
  const answer = createHash('sha1')
    .update(`${headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`)
    .digest('base64');
  socket.write(
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${answer}\r\n${more}\r\n`,
  );
}
