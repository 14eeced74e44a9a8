import { createServer, type Server, type Socket } from 'node:net';
import type { PGlite } from '@electric-sql/pglite';
import {
  asksForRows,
  CANCEL_REQUEST,
  COPY_IN,
  closeStatement,
  GSS_REQUEST,
  MessageReader,
  message,
  SSL_REQUEST,
  SYNC,
  text,
  withOwnStatements,
  withoutCopyIn,
} from './wire-messages.ts';

/** A transaction whose client says nothing for this long is rolled back, since it keeps all others waiting. */
const IDLE_TRANSACTION_MS = 10_000;
/** Rows of one COPY are kept until all are here, so that nobody waits for its client meanwhile. */
const LONGEST_COPY = 64 * 1_048_576;
const STARTUP = Buffer.concat([
  Buffer.from([0, 3, 0, 0]),
  ...['user', 'postgres', 'database', 'postgres', ''].map(text),
]);

/**
 * Speaks the Postgres wire protocol for PGlite, which has a single session: what one client sends up to its Sync runs as
 * one group, nobody's messages come in between, and an open transaction keeps the session until it ends.
 */
export class WireServer {
  readonly #db: PGlite;
  readonly #server: Server;
  readonly #clients = new Set<Client>();
  readonly #waiting: { readonly client: Client; readonly group: Uint8Array; readonly done: () => void }[] = [];
  #greeting: Uint8Array = new Uint8Array();
  #owner: Client | null = null;
  #busy = false;
  #count = 0;

  constructor(db: PGlite) {
    this.#db = db;
    this.#server = createServer((socket) => {
      const client = new Client(socket, `${++this.#count}:`, this);
      this.#clients.add(client);
    });
  }

  async listen(path: string): Promise<void> {
    this.#greeting = await this.#db.execProtocolRaw(message('', STARTUP));
    await new Promise<void>((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(path, resolve);
    });
  }

  /** What a new client is told: authenticated, parameters, ready. Asked once, so that it never meets an open transaction. */
  get greeting(): Uint8Array {
    return this.#greeting;
  }

  /** Resolves when the group has run; clients send one group at a time, so the queue is as short as their number. */
  run(client: Client, group: Uint8Array): Promise<void> {
    return new Promise((done) => {
      this.#waiting.push({ client, group, done });
      void this.#work();
    });
  }

  async #work(): Promise<void> {
    if (this.#busy) return;
    this.#busy = true;
    for (;;) {
      const at = this.#waiting.findIndex(({ client }) => this.#owner === null || client === this.#owner);
      const [next] = at < 0 ? [] : this.#waiting.splice(at, 1);
      if (next === undefined) break;
      const held = await this.#execute(next.client, next.group);
      this.#owner = held ? next.client : null;
      next.client.holds(held);
      next.done();
    }
    this.#busy = false;
  }

  /** Whether the client keeps the session: inside a transaction, or before its Sync. */
  async #execute(client: Client, group: Uint8Array): Promise<boolean> {
    let tail: Uint8Array = new Uint8Array();
    await this.#db.execProtocolRawStream(group, {
      onRawData: (data) => {
        const copy = client.copies ? withoutCopyIn(Buffer.from(data)) : Buffer.from(data);
        client.send(copy);
        tail = copy.length >= 6 ? copy.subarray(-6) : Buffer.concat([tail, copy]).subarray(-6);
      },
    });
    const idle = tail.length === 6 && tail[0] === 0x5a && tail[5] === 0x49; // ReadyForQuery, idle
    return !idle;
  }

  /** Gives back what a client that left still holds: its transaction and its prepared statements. */
  async left(client: Client, statements: Iterable<string>): Promise<void> {
    this.#clients.delete(client);
    const rollback = this.#owner === client ? [message('Q', text('rollback'))] : [];
    await this.run(client, Buffer.concat([...rollback, ...Array.from(statements, closeStatement), SYNC]));
  }

  async close(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    for (const client of this.#clients) client.destroy();
    await closed;
  }
}

/** One connected socket. */
class Client {
  readonly #socket: Socket;
  readonly #prefix: string;
  readonly #server: WireServer;
  readonly #reader = new MessageReader();
  readonly #statements = new Set<string>();
  #group: Buffer[] = [];
  #started = false;
  #reading = false;
  #copying = 0;
  #idle: NodeJS.Timeout | undefined;

  constructor(socket: Socket, prefix: string, server: WireServer) {
    this.#socket = socket;
    this.#prefix = prefix;
    this.#server = server;
    socket.on('data', (bytes) => {
      this.#reader.push(bytes);
      void this.#read();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      clearTimeout(this.#idle);
      void server.left(this, this.#statements);
    });
  }

  send(bytes: Uint8Array): void {
    if (this.#socket.writable) this.#socket.write(bytes);
  }

  /** Whether what it sent is a COPY and its rows. */
  get copies(): boolean {
    return this.#copying > 0;
  }

  destroy(): void {
    this.#socket.destroy();
  }

  holds(session: boolean): void {
    clearTimeout(this.#idle);
    if (session) this.#idle = setTimeout(() => this.destroy(), IDLE_TRANSACTION_MS);
  }

  async #read(): Promise<void> {
    if (this.#reading) return;
    this.#reading = true;
    for (let next = this.#reader.next(); next !== null && !this.#socket.destroyed; next = this.#reader.next()) {
      if (!this.#started) this.#greet(next.bytes);
      else if (next.type === 'X') this.#socket.end();
      else {
        this.#group.push(withOwnStatements(next, this.#prefix, this.#statements));
        if (this.copies || asksForRows(next)) this.#copy(next.bytes);
        // Done and Fail end a copy.
        if ((this.copies ? 'cf' : 'SQH').includes(next.type)) await this.#run();
      }
    }
    this.#reading = false;
  }

  async #run(): Promise<void> {
    await this.#server.run(this, Buffer.concat(this.#group.splice(0)));
    this.#copying = 0;
  }

  #copy(bytes: Buffer): void {
    if (!this.copies) this.send(COPY_IN);
    this.#copying += bytes.length;
    if (this.#copying > LONGEST_COPY) this.destroy();
  }

  #greet(first: Buffer): void {
    const code = first.readInt32BE(4);
    if (code === SSL_REQUEST || code === GSS_REQUEST) this.send(Buffer.from('N'));
    else if (code === CANCEL_REQUEST) this.#socket.end();
    else {
      this.#started = true;
      this.#reader.started();
      this.send(this.#server.greeting);
    }
  }
}
