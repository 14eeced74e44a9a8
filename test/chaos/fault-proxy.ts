import { once } from 'node:events';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { portToComeBackTo } from '../support/port.ts';
import { type Direction, Link, type Weather } from './fault-link.ts';

/** What happens to somebody who connects; `refuse` closes the port, so that the kernel says no. */
export type Door = 'open' | 'refuse' | 'reset';

export interface ProxyCounts {
  connections: number;
  /** Reset at the door; who was refused never came as far. */
  reset: number;
  cut: number;
  halfClosed: number;
  bytesUp: number;
  bytesDown: number;
  bytesDropped: number;
}

export interface FaultProxyOptions {
  /** Where it leads; read for every connection, so that a target may move. */
  readonly target: () => { readonly host: string; readonly port: number };
  /** Sees every piece before it goes on, and of which link; `hold` keeps it, and what follows, back until the link is cut. */
  readonly tap?: (bytes: Buffer, direction: Direction, link: object) => 'pass' | 'hold';
}

const PASS: Weather = { kind: 'pass' };

/** A TCP proxy on loopback that breaks what goes through it, as switched. Disposing it resets everything. */
export class FaultProxy implements AsyncDisposable {
  readonly counts: ProxyCounts = {
    connections: 0,
    reset: 0,
    cut: 0,
    halfClosed: 0,
    bytesUp: 0,
    bytesDown: 0,
    bytesDropped: 0,
  };
  readonly options: FaultProxyOptions;
  readonly #links = new Set<Link>();
  #server: Server | null = null;
  readonly #port: number;
  #door: Door = 'open';
  #weather: Weather = PASS;

  private constructor(options: FaultProxyOptions, port: number) {
    this.options = options;
    this.#port = port;
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options, await portToComeBackTo());
    await proxy.#listen();
    return proxy;
  }

  get port(): number {
    return this.#port;
  }

  get open(): number {
    return this.#links.size;
  }

  /** The same address with this proxy's port. */
  through(url: string): string {
    const through = new URL(url);
    through.hostname = '127.0.0.1';
    through.port = String(this.#port);
    return /^\w+:\/\/[^/]+$/.test(url) ? through.href.replace(/\/$/, '') : through.href;
  }

  /** Every value of a connection's configuration that is an address leads through this proxy. */
  connectionThrough<T extends object>(connection: T): T {
    const entries = Object.entries(connection).map(([key, value]) => [
      key,
      key.endsWith('_url') ? this.through(String(value)) : value,
    ]);
    return Object.fromEntries(entries) as T;
  }

  /** The weather for links that are open, for those to come, or for both. Links that lost bytes are reset when it clears. */
  set(weather: Weather, where: 'all' | 'open' | 'new' = 'all'): void {
    if (where !== 'open') this.#weather = weather;
    if (where !== 'new') for (const link of [...this.#links]) link.set(weather);
  }

  async door(door: Door): Promise<void> {
    this.#door = door;
    if (door === 'refuse' && this.#server !== null) {
      const server = this.#server;
      this.#server = null;
      server.close(); // stops listening at once; open links are not its business
    } else if (door !== 'refuse' && this.#server === null) await this.#listen();
  }

  /** Ends the open links, or the oldest `count` of them; tells how many. */
  cut(how: 'rst' | 'fin' = 'rst', count = Number.POSITIVE_INFINITY): number {
    const cut = [...this.#links].slice(0, count);
    for (const link of cut) link.cut(how);
    return cut.length;
  }

  /** No more in this direction: the receiver is told so by a FIN, the sender is not. The other direction goes on. */
  halfClose(direction: Direction): number {
    const open = [...this.#links];
    for (const link of open) link.halfClose(direction);
    return open.length;
  }

  /** Every link that is open now is cut when exactly so many more bytes have gone through it in this direction. */
  cutAfter(bytes: number, direction: Direction, how: 'rst' | 'fin' = 'fin'): void {
    for (const link of this.#links) link.pipes[direction].cutAfter(bytes, how);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.cut();
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    server.close();
    await once(server, 'close');
  }

  async #listen(): Promise<void> {
    const server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#connected(near));
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
  }

  #connected(near: Socket): void {
    if (this.#door !== 'open') {
      this.counts.reset += 1;
      near.on('error', () => {}).resetAndDestroy();
      return;
    }
    this.counts.connections += 1;
    const far = connect({ ...this.options.target(), allowHalfOpen: true, noDelay: true });
    const link = new Link(this, near, far, this.#weather);
    this.#links.add(link);
    link.onGone = () => this.#links.delete(link);
  }
}
