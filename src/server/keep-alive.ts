import type { WebSocket } from 'ws';
import type { Clock } from '../runtime/clock.ts';

const LOOK_MS = 15_000;
/** Who is sent something all the time is asked only at every fourth look: nothing between us forgets the connection meanwhile. */
const LOOKS_WHILE_BUSY = 4;
const SOCKETS_A_TURN = 256;

/** What is known of a socket since the last look. */
interface Pulse {
  /** Bytes that were unread when it was asked; null: it has answered. */
  unread: number | null;
  sent: number;
  looks: number;
}

/** What a socket writes to. */
interface Written {
  /** All it was ever given. */
  readonly bytesWritten: number;
}

/**
 * Cuts sockets whose client is gone: no pong, and nothing read either since the last look. Few at a time, so that nobody waits
 * for it: with ten thousand a ping and its pong take as long as everything that is sent in a second.
 */
export class KeepAlive implements Disposable {
  readonly #pulses = new Map<WebSocket, Pulse & { readonly stream: Written }>();
  readonly #timer: Disposable;

  constructor(clock: Clock) {
    this.#timer = clock.every(LOOK_MS, () => this.#turn([...this.#pulses.keys()], 0));
  }

  watch(socket: WebSocket, stream: Written): void {
    const pulse = { stream, unread: null, sent: 0, looks: 0 };
    this.#pulses.set(socket, pulse);
    socket.on('pong', () => {
      pulse.unread = null;
    });
  }

  forget(socket: WebSocket): void {
    this.#pulses.delete(socket);
  }

  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
  }

  #turn(sockets: readonly WebSocket[], from: number): void {
    for (const socket of sockets.slice(from, from + SOCKETS_A_TURN)) this.#look(socket);
    if (from + SOCKETS_A_TURN < sockets.length) setImmediate(() => this.#turn(sockets, from + SOCKETS_A_TURN));
  }

  #look(socket: WebSocket): void {
    const pulse = this.#pulses.get(socket);
    if (!pulse || socket.readyState !== socket.OPEN) return;
    if (pulse.unread !== null && socket.bufferedAmount >= pulse.unread) return socket.terminate();
    const { bytesWritten } = pulse.stream;
    const isBusy = bytesWritten !== pulse.sent;
    pulse.sent = bytesWritten;
    pulse.looks += 1;
    if (pulse.unread === null && isBusy && pulse.looks < LOOKS_WHILE_BUSY) return;
    pulse.looks = 0;
    pulse.unread = socket.bufferedAmount;
    socket.ping();
    pulse.sent = pulse.stream.bytesWritten;
  }
}
