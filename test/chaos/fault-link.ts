import type { Socket } from 'node:net';
import type { FaultProxy } from './fault-proxy.ts';

/** `up`: from the client to the target; `down`: what the target sends. */
export type Direction = 'up' | 'down';

/** What happens to bytes. Frozen ones wait; dropped ones are gone while both ends believe that the connection stands. */
export type Weather =
  | { readonly kind: 'pass' }
  | { readonly kind: 'freeze' }
  | { readonly kind: 'drop'; readonly direction?: Direction }
  /** Each byte `latencyMs` late, and of what is due `bytes` every `everyMs`. */
  | { readonly kind: 'slow'; readonly latencyMs?: number; readonly bytes?: number; readonly everyMs?: number };

/** Bytes that may wait in one direction before its source is no longer read. */
const MAX_WAITING = 1024 * 1024;

/** One client and its connection to the target. */
export class Link {
  readonly pipes: Readonly<Record<Direction, Pipe>>;
  readonly proxy: FaultProxy;
  onGone: () => void = () => {};
  #weather: Weather;
  #gone = false;

  constructor(proxy: FaultProxy, near: Socket, far: Socket, weather: Weather) {
    this.proxy = proxy;
    this.#weather = weather;
    this.pipes = { up: new Pipe(this, 'up', near, far), down: new Pipe(this, 'down', far, near) };
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', (broken) => this.#closed(broken));
    }
  }

  get weather(): Weather {
    return this.#weather;
  }

  set(weather: Weather): void {
    const lossy = this.pipes.up.lost || this.pipes.down.lost;
    this.#weather = weather;
    if (lossy && weather.kind !== 'drop') return this.cut('rst');
    for (const pipe of Object.values(this.pipes)) pipe.pump();
  }

  cut(how: 'rst' | 'fin'): void {
    if (this.#gone) return;
    this.#gone = true;
    this.proxy.counts.cut += 1;
    for (const { from } of Object.values(this.pipes)) {
      if (how === 'rst') from.resetAndDestroy();
      else from.destroy(); // sends a FIN: nothing of ours is unread
    }
    this.onGone();
  }

  halfClose(direction: Direction): void {
    this.proxy.counts.halfClosed += 1;
    this.pipes[direction].halfClose();
  }

  /** The end of one side reaches the other, unless nothing does. */
  #closed(broken: boolean): void {
    const { up, down } = this.pipes;
    if (this.#gone || (this.#weather.kind === 'drop' && !(up.from.destroyed && down.from.destroyed))) return;
    if (!broken && !(up.ended && down.ended)) return;
    this.#gone = true;
    for (const { from } of [up, down]) {
      if (broken) from.resetAndDestroy();
      else from.destroy();
    }
    this.onGone();
  }
}

class Pipe {
  readonly from: Socket;
  readonly #to: Socket;
  readonly #link: Link;
  readonly #direction: Direction;
  #queue: { readonly bytes: Buffer; readonly at: number }[] = [];
  #waiting = 0;
  #held = false;
  #closed = false;
  #timer: NodeJS.Timeout | undefined;
  #budget = Number.POSITIVE_INFINITY;
  #cutHow: 'rst' | 'fin' = 'fin';
  lost = false;
  /** Its source has sent everything, and it has arrived. */
  ended = false;
  #sourceEnded = false;

  constructor(link: Link, direction: Direction, from: Socket, to: Socket) {
    this.#link = link;
    this.#direction = direction;
    this.from = from;
    this.#to = to;
    from.on('data', (bytes) => this.#take(bytes));
    from.on('end', () => {
      this.#sourceEnded = true;
      this.pump();
    });
    from.on('close', () => clearTimeout(this.#timer));
    to.on('drain', () => this.pump());
  }

  cutAfter(bytes: number, how: 'rst' | 'fin'): void {
    this.#budget = bytes;
    this.#cutHow = how;
  }

  halfClose(): void {
    this.#closed = true;
    this.#to.end();
  }

  #take(bytes: Buffer): void {
    if (this.#link.proxy.options.tap?.(bytes, this.#direction, this.#link) === 'hold') this.#held = true;
    this.#queue.push({ bytes, at: performance.now() });
    this.#waiting += bytes.length;
    this.pump();
    if (this.#waiting > MAX_WAITING) this.from.pause();
  }

  /** Passes on what the weather lets through. */
  pump(): void {
    clearTimeout(this.#timer);
    const { weather } = this.#link;
    while (this.#queue[0] !== undefined && !this.#held && weather.kind !== 'freeze') {
      const { bytes, at } = this.#queue[0];
      if (this.#closed || (weather.kind === 'drop' && (weather.direction ?? this.#direction) === this.#direction)) {
        this.lost ||= !this.#closed;
        this.#link.proxy.counts.bytesDropped += bytes.length;
        this.#shift(bytes.length);
        continue;
      }
      if (this.#to.writableNeedDrain || this.#to.destroyed) return;
      if (weather.kind !== 'slow') {
        if (!this.#write(bytes.length)) return;
        continue;
      }
      const wait = at + (weather.latencyMs ?? 0) - performance.now();
      if (wait <= 0 && !this.#write(Math.min(bytes.length, weather.bytes ?? bytes.length))) return;
      if (wait > 0 || weather.bytes !== undefined) {
        this.#timer = setTimeout(() => this.pump(), Math.max(1, wait, wait > 0 ? 0 : (weather.everyMs ?? 100)));
        return;
      }
    }
    if (this.#sourceEnded && this.#queue.length === 0 && !this.ended && weather.kind !== 'drop') {
      this.ended = true;
      this.#to.end();
    }
  }

  /** Whether the link still stands afterwards. */
  #write(wanted: number): boolean {
    const count = Math.min(wanted, this.#budget);
    const bytes = this.#shift(count);
    this.#budget -= count;
    this.#link.proxy.counts[this.#direction === 'up' ? 'bytesUp' : 'bytesDown'] += count;
    if (this.#budget > 0) {
      this.#to.write(bytes);
      return true;
    }
    this.#held = true;
    this.#to.write(bytes, () => this.#link.cut(this.#cutHow));
    return false;
  }

  #shift(count: number): Buffer {
    const head = this.#queue[0];
    if (head === undefined) return Buffer.alloc(0);
    const bytes = head.bytes.subarray(0, count);
    if (count === head.bytes.length) this.#queue.shift();
    else this.#queue[0] = { bytes: head.bytes.subarray(count), at: head.at };
    this.#waiting -= count;
    if (this.#waiting <= MAX_WAITING && this.from.isPaused()) this.from.resume();
    return bytes;
  }
}
