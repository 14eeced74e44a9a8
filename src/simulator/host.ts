import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Clock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import { Client } from './client.ts';
import type { Dialect } from './dialect.ts';
import type { Fault, FaultKind } from './fault.ts';
import type { Faults } from './faults.ts';

export interface HostSetup {
  readonly dialect: Dialect;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly enforceLimits: boolean;
  /** Answers plain HTTP requests. */
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
  readonly maxSockets: number;
  readonly maxWaitingBytes: number;
}

/** Above what the exchanges allow, so that their own answer to an oversized request can be given. */
const MAX_CLIENT_FRAME = 256 * 1024;

const CONGESTED_BYTES = 1024 * 1024;

/** How often heartbeats and idle times are looked at. */
const TEND_MS = 50;

/** One HTTP server with its WebSocket clients. */
export class Host implements AsyncDisposable {
  readonly clients = new Set<Client>();
  readonly counters = { connections: 0, refused: 0, cutForNotReading: 0, badFrames: 0 };
  readonly #setup: HostSetup;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: MAX_CLIENT_FRAME,
    perMessageDeflate: false,
    autoPong: false,
    clientTracking: false,
  });
  #connects: number[] = [];
  #lastId = 0;
  #tendedAt = 0;

  constructor(setup: HostSetup) {
    this.#setup = setup;
    this.#server = createServer({ requestTimeout: 15_000, headersTimeout: 10_000 }, setup.answer);
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  /** Resolves with the port that was opened. @throws {AppError} BAD_USER_INPUT when the port cannot be opened. */
  async listen(host: string, port: number): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', (cause) =>
        reject(
          new AppError(
            'BAD_USER_INPUT',
            `The simulator cannot listen on ${host}:${port} (${cause.message}); choose another port, 0 for any`,
            { cause },
          ),
        ),
      );
      this.#server.listen(port, host, resolve);
    });
    return (this.#server.address() as AddressInfo).port;
  }

  /** Everything that happens with time; `now` in ms since epoch. */
  tick(now: number): void {
    const { dialect, clock, faults } = this.#setup;
    faults.tick();
    dialect.feed.tick(now);
    for (const client of this.clients) client.flush();
    const monotonic = clock.monotonic();
    if (monotonic - this.#tendedAt < TEND_MS) return;
    this.#tendedAt = monotonic;
    for (const client of this.clients) if (!client.frozen) dialect.tend(client, monotonic);
  }

  /** Whether a client that reads is so far behind that a replay should wait. */
  get congested(): boolean {
    for (const client of this.clients) if (!client.frozen && client.waitingBytes > CONGESTED_BYTES) return true;
    return false;
  }

  /** Faults that act on the open sockets. */
  strike(fault: Fault): void {
    const { dialect, clock } = this.#setup;
    const struck = [...this.clients].filter(
      (client) => fault.endpoint === undefined || fault.endpoint === client.endpoint,
    );
    for (const client of struck) {
      if (fault.kind === 'cut') client.cut(fault.how ?? 'rst');
      else if (fault.kind === 'half-open') client.freeze();
      else if (fault.kind === 'error-frame') dialect.sendError(client, fault);
      else if (fault.kind === 'notice') dialect.announceEnd(client, clock.now());
    }
    if (fault.kind === 'notice') this.#closeLater(struck, fault.closeAfterMs ?? 30_000);
  }

  mend(kind: FaultKind): void {
    if (kind === 'half-open') for (const client of this.clients) if (client.frozen) client.cut('rst');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const client of this.clients) client.cut('rst');
    this.#sockets.close();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #closeLater(clients: readonly Client[], ms: number): void {
    const timer = setTimeout(() => {
      for (const client of clients) client.close(1001, 'service upgrade');
    }, ms);
    timer.unref();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', () => socket.destroy());
    const { dialect, faults } = this.#setup;
    const url = new URL(request.url ?? '/', 'http://simulator');
    const endpoint = dialect.endpointOf(url.pathname);
    if (endpoint === null) return this.#refuse(socket, 404);
    const refused = faults.strike('refuse', { endpoint });
    if (refused !== null) return this.#refuse(socket, refused.status ?? 503);
    if (this.clients.size >= this.#setup.maxSockets) return this.#refuse(socket, 503);
    if (this.#tooManyConnects()) return this.#refuse(socket, 429);
    this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#welcome(ws, socket as Socket, endpoint, url));
  }

  #welcome(ws: WebSocket, socket: Socket, endpoint: string, url: URL): void {
    const { dialect, clock, faults, maxWaitingBytes } = this.#setup;
    this.counters.connections += 1;
    this.#lastId += 1;
    const onSlow = () => {
      this.counters.cutForNotReading += 1;
    };
    const client = new Client({ id: this.#lastId, endpoint, ws, socket, clock, faults, maxWaitingBytes, onSlow });
    this.clients.add(client);
    const leave = () => {
      this.clients.delete(client);
      dialect.feed.leaveAll(client);
      ws.terminate();
    };
    socket.once('close', leave);
    ws.on('error', () => {
      this.counters.badFrames += 1;
    });
    ws.on('pong', () => {
      client.lastPong = clock.monotonic();
      dialect.heard?.(client);
    });
    ws.on('ping', (payload) => {
      client.pong(payload);
      dialect.heard?.(client);
    });
    ws.on('message', (data, isBinary) => {
      client.lastActive = clock.monotonic();
      dialect.heard?.(client);
      if (isBinary) this.counters.badFrames += 1;
      else dialect.received(client, data.toString());
    });
    dialect.connected(client, url);
  }

  #refuse(socket: Duplex, status: number): void {
    this.counters.refused += 1;
    if (status === 0) return void (socket as Socket).resetAndDestroy();
    socket.end(`HTTP/1.1 ${status} Refused\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
  }

  #tooManyConnects(): boolean {
    if (!this.#setup.enforceLimits) return false;
    const { count, perMs } = this.#setup.dialect.connectLimit;
    const now = this.#setup.clock.monotonic();
    this.#connects = this.#connects.filter((at) => now - at < perMs);
    if (this.#connects.length >= count) return true;
    this.#connects.push(now);
    return false;
  }
}
