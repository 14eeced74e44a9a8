import { randomBytes } from 'node:crypto';
import type { Socket } from 'node:net';
import type { WebSocket } from 'ws';
import type { Clock } from '../runtime/clock.ts';
import type { Fault } from './fault.ts';
import type { Faults } from './faults.ts';
import { hash32 } from './hash.ts';
import { encodeFrame, type OutFrame } from './out-frame.ts';
import type { SocketState } from './simulator-state.ts';

export interface ClientSetup {
  readonly id: number;
  readonly endpoint: string;
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly clock: Clock;
  readonly faults: Faults;
  /** Bytes that may wait for a client that does not read; more, and it is cut. */
  readonly maxWaitingBytes: number;
  /** Told once when the socket is cut because its client does not read. */
  readonly onSlow: () => void;
}

/** One connected socket: everything sent to it passes the faults here and is counted. */
export class Client {
  readonly id: number;
  readonly endpoint: string;
  /** As OKX names connections in its acks. */
  readonly connId: string = randomBytes(4).toString('hex');
  /** Feed topics joined. */
  readonly topics = new Set<string>();
  readonly openedAt: number;
  framesSent = 0;
  framesDropped = 0;
  /** Requests the client sent that count against the exchange's limit. */
  requests = 0;
  bytesSent = 0;
  /** Monotonic ms of the last frame in either direction, and of the last pong. */
  lastActive: number;
  lastPong: number;
  frozen = false;
  #cut = false;
  readonly #setup: ClientSetup;
  /** Frames a slow fault holds back, encoded, each with the time it may leave. */
  readonly #late: { bytes: Buffer; due: number }[] = [];
  #lateBytes = 0;
  /** Frames a reorder fault has collected. */
  #shuffled: string[] = [];
  #trickledAt = 0;

  constructor(setup: ClientSetup) {
    this.id = setup.id;
    this.endpoint = setup.endpoint;
    this.#setup = setup;
    this.openedAt = setup.clock.monotonic();
    this.lastActive = this.openedAt;
    this.lastPong = this.openedAt;
  }

  state(): SocketState {
    const { id, endpoint, connId, requests, framesSent, framesDropped, bytesSent, waitingBytes } = this;
    return {
      id,
      endpoint,
      connId,
      subscriptions: [...this.topics],
      requests,
      framesSent,
      framesDropped,
      bytesSent,
      waitingBytes,
      halfOpen: this.frozen,
    };
  }

  get waitingBytes(): number {
    return this.#setup.ws.bufferedAmount + this.#lateBytes;
  }

  /** A frame of the protocol itself (ack, pong, error): only freezing and slowness touch it. */
  send(text: string): void {
    const { ws, clock, faults } = this.#setup;
    if (this.frozen || this.#cut || ws.readyState !== ws.OPEN) {
      this.framesDropped += 1;
      return;
    }
    const slow = faults.quiet ? null : faults.find('slow', { endpoint: this.endpoint });
    if (slow !== null || this.#late.length > 0) this.#delay(encodeFrame('text', Buffer.from(text)), slow);
    else ws.send(text);
    this.framesSent += 1;
    this.bytesSent += text.length;
    this.lastActive = clock.monotonic();
    if (this.waitingBytes > this.#setup.maxWaitingBytes) {
      this.#setup.onSlow();
      this.cut('rst');
    }
  }

  /** A data frame, in the wording of this socket. */
  deliver(frame: OutFrame, text: string): void {
    const { faults } = this.#setup;
    if (faults.quiet) return this.send(text);
    const place = { symbol: frame.nativeSymbol, channel: frame.channel, endpoint: this.endpoint };
    if (
      faults.strike('mute', place) ||
      (frame.trades && frame.nativeSymbol && faults.withholds(frame.nativeSymbol, frame.trades.last))
    ) {
      this.framesDropped += 1;
      return;
    }
    const garbage = faults.strike('garbage', place);
    if (garbage !== null) this.send(garbage.text ?? GARBAGE[this.framesSent % GARBAGE.length] ?? '');
    const oversize = faults.strike('oversize', place);
    if (oversize !== null) this.send(`{"pad":"${'x'.repeat(oversize.bytes ?? 4_194_304)}"}`);
    const whole = faults.strike('truncated', place) === null;
    const times = faults.strike('duplicate', place)?.times ?? 1;
    for (let i = 0; i < times; i += 1) this.#ordered(frame, whole ? text : text.slice(0, text.length >> 1));
  }

  pong(payload: Buffer): void {
    if (this.frozen || this.#cut) return;
    this.lastActive = this.#setup.clock.monotonic();
    if (this.#late.length > 0) this.#delay(encodeFrame('pong', payload), null);
    else this.#setup.ws.pong(payload);
  }

  ping(payload: string): void {
    if (!this.frozen && !this.#cut) this.#setup.ws.ping(payload);
  }

  /** Lets go what slow and reorder faults hold and may leave now; called on every tick. */
  flush(): void {
    const { faults, socket, clock } = this.#setup;
    if (this.#shuffled.length > 0 && !faults.active.some(({ fault }) => fault.kind === 'reorder')) this.#shuffle();
    if (this.#late.length === 0 || this.frozen || this.#cut) return;
    const now = clock.monotonic();
    const slow = faults.find('slow', { endpoint: this.endpoint });
    if (slow?.bytes !== undefined && slow.bytes > 0) return this.#trickle(slow.bytes, slow.everyMs ?? 100, now);
    while (this.#late[0] !== undefined && (slow === null || this.#late[0].due <= now)) {
      socket.write(this.#late[0].bytes);
      this.#lateBytes -= this.#late[0].bytes.length;
      this.#late.shift();
    }
  }

  /** Groups what one tick sends into few writes. */
  cork(): void {
    this.#setup.socket.cork();
  }

  uncork(): void {
    this.#setup.socket.uncork();
  }

  /** Neither reads nor sends from now on, but stays open. */
  freeze(): void {
    this.frozen = true;
    this.#setup.ws.pause();
  }

  /** An orderly close, after what was sent. */
  close(code: number, reason: string): void {
    this.#setup.ws.close(code, reason);
  }

  /** A close without WebSocket manners. */
  cut(how: 'rst' | 'fin' | 'mid-frame'): void {
    const { ws, socket } = this.#setup;
    this.#cut = true;
    if (how === 'rst') socket.resetAndDestroy();
    else if (how === 'fin') socket.destroySoon();
    else {
      const frame = encodeFrame('text', Buffer.from('{"arg":{"channel":"trades"},"data":[]}'));
      socket.end(frame.subarray(0, frame.length >> 1));
    }
    if (how !== 'rst') ws.pause();
  }

  #ordered(frame: OutFrame, text: string): void {
    const { faults } = this.#setup;
    const reorder = faults.strike('reorder', {
      symbol: frame.nativeSymbol,
      channel: frame.channel,
      endpoint: this.endpoint,
    });
    if (reorder === null) return this.send(text);
    this.#shuffled.push(text);
    if (this.#shuffled.length >= (reorder.window ?? 10)) this.#shuffle();
  }

  #shuffle(): void {
    const held = this.#shuffled.map((text, i) => ({ text, rank: hash32(this.id, this.framesSent, i) }));
    this.#shuffled = [];
    for (const { text } of held.sort((a, b) => a.rank - b.rank)) this.send(text);
  }

  #delay(bytes: Buffer, slow: Fault | null): void {
    this.#late.push({ bytes, due: this.#setup.clock.monotonic() + (slow?.delayMs ?? 0) });
    this.#lateBytes += bytes.length;
  }

  #trickle(bytes: number, everyMs: number, now: number): void {
    if (now - this.#trickledAt < everyMs) return;
    this.#trickledAt = now;
    for (let left = bytes; left > 0 && this.#late[0] !== undefined; ) {
      const first = this.#late[0];
      const part = first.bytes.subarray(0, left);
      this.#setup.socket.write(part);
      left -= part.length;
      this.#lateBytes -= part.length;
      first.bytes = first.bytes.subarray(part.length);
      if (first.bytes.length === 0) this.#late.shift();
    }
  }
}

/** What broken servers and proxies have put on sockets; each must cost a client one counted frame and nothing else. */
const GARBAGE: readonly string[] = [
  '<html><body>502 Bad Gateway</body></html>',
  '{"arg":{"channel":"trades","instId":"BTC-USDT"},"data":[{"px":12}]}',
  '{"stream":7,"data":{"e":"trade","p":"NaN","q":"-1"}}',
  '[]',
  'null',
  '{"arg":{"channel":"__proto__","instId":"constructor"},"data":{}}',
  '',
];
