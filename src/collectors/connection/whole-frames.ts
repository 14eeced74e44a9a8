import { isUtf8 } from 'node:buffer';
import type { Socket } from 'node:net';

/** First bytes of frames that are whole and not compressed. */
const [TEXT, PING, PONG] = [0x81, 0x89, 0x8a];
const MAX_CONTROL_BYTES = 125;
/** Where the second byte says that the length follows. */
const [LENGTH_16, LENGTH_64] = [126, 127];
/** A piece costs some hundred bytes beside its own: a frame that drips in is put together from time to time. */
const MAX_PIECES = 1_024;

export interface WholeFrameOptions {
  readonly maxFrameBytes: number;
  /** Told before the first of the frames that came together. */
  readonly arrived: () => void;
  readonly frame: (text: string) => void;
}

/**
 * Reads the text frames of a WebSocket that `ws` has just opened, ahead of it: a third of the work, and nearly all that an exchange
 * sends. `ws` gets whole pings and pongs. At anything else (a close, a fragment, a binary, too long or malformed frame) it gets the
 * stream back for good, from the first byte of that frame on, and does what it always does.
 */
export class WholeFrames {
  readonly #stream: Socket;
  readonly #options: WholeFrameOptions;
  /** How `ws` takes bytes. */
  readonly #pass: (bytes: Buffer) => void;
  /** Of one frame that is not all here yet. */
  #held: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = 0;

  /** Changes nothing where `ws` does not listen to its stream as it used to. */
  static read(stream: Socket, options: WholeFrameOptions): void {
    const [pass, ...more] = stream.listeners('data');
    if (pass && more.length === 0) new WholeFrames(stream, options, pass as (bytes: Buffer) => void);
  }

  private constructor(stream: Socket, options: WholeFrameOptions, pass: (bytes: Buffer) => void) {
    this.#stream = stream;
    this.#options = options;
    this.#pass = pass;
    stream.on('data', this.#take).off('data', pass);
    stream.prependListener('close', this.#takeRest);
  }

  readonly #take = (chunk: Buffer): void => {
    if (this.#heldBytes === 0) return this.#read(chunk);
    this.#held.push(chunk);
    this.#heldBytes += chunk.length;
    const isWhole = this.#heldBytes >= this.#neededBytes;
    if (!isWhole && this.#held.length < MAX_PIECES) return;
    const bytes = Buffer.concat(this.#held);
    this.#held = [bytes];
    if (!isWhole) return;
    this.#held = [];
    this.#heldBytes = 0;
    this.#read(bytes);
  };

  /** What a paused stream had received when it was closed; `ws` would read it out now. */
  readonly #takeRest = (): void => {
    const rest: Buffer | null = this.#stream.readableLength > 0 ? this.#stream.read() : null;
    if (rest) this.#take(rest);
  };

  #read(bytes: Buffer): void {
    let hasArrived = false;
    for (let at = 0; at < bytes.length; ) {
      const left = bytes.length - at;
      if (left < 2) return this.#hold(bytes, at, 2);
      const first = bytes[at];
      const second = bytes[at + 1] as number;
      const head = second === LENGTH_16 ? 4 : second === LENGTH_64 ? 10 : 2;
      if (left < head) return this.#hold(bytes, at, head);
      const length =
        head === 2 ? second : head === 4 ? bytes.readUInt16BE(at + 2) : Number(bytes.readBigUInt64BE(at + 2));
      const isControl = (first === PING || first === PONG) && second <= MAX_CONTROL_BYTES;
      const isText = first === TEXT && second <= LENGTH_64 && length <= this.#options.maxFrameBytes;
      if (!isControl && !isText) return this.#handBack(bytes, at);
      if (left < head + length) return this.#hold(bytes, at, head + length);
      const end = at + head + length;
      if (isControl) this.#pass.call(this.#stream, bytes.subarray(at, end));
      else {
        const text = bytes.toString('utf8', at + head, end);
        if (text.includes('\ufffd') && !isUtf8(bytes.subarray(at + head, end))) return this.#handBack(bytes, at);
        if (!hasArrived) this.#options.arrived();
        hasArrived = true;
        this.#options.frame(text);
      }
      at = end;
    }
  }

  #hold(bytes: Buffer, from: number, neededBytes: number): void {
    this.#held = [bytes.subarray(from)];
    this.#heldBytes = bytes.length - from;
    this.#neededBytes = neededBytes;
  }

  #handBack(bytes: Buffer, from: number): void {
    this.#stream.on('data', this.#pass).off('data', this.#take);
    this.#stream.off('close', this.#takeRest);
    this.#pass.call(this.#stream, bytes.subarray(from)); // last, because at a close or an error `ws` stops listening
  }
}
