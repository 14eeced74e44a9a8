import { WebSocket } from 'ws';

/** A subscriber that never reads; it comes back when the server has closed it. */
export class Stuck implements Disposable {
  readonly #port: number;
  readonly #document: string;
  #socket: WebSocket;
  #isSubscribed = false;
  /** How often the server has closed it. */
  closed = 0;

  constructor(port: number, document: string) {
    this.#port = port;
    this.#document = document;
    this.#socket = this.#open();
  }

  /** Told by the server, as who does not read does not notice. */
  see(isGone: boolean): void {
    if (!isGone || !this.#isSubscribed) return;
    this.closed += 1;
    this.#socket.terminate();
    this.#socket = this.#open();
  }

  #open(): WebSocket {
    this.#isSubscribed = false;
    const socket = new WebSocket(`ws://127.0.0.1:${this.#port}/graphql`, 'graphql-transport-ws');
    socket.once('open', () => socket.send('{"type":"connection_init"}'));
    socket.once('message', () => {
      socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: this.#document } }));
      socket.once('message', () => {
        socket.pause();
        this.#isSubscribed = true;
      });
    });
    socket.on('error', () => {});
    return socket;
  }

  [Symbol.dispose](): void {
    this.#socket.terminate();
  }
}
