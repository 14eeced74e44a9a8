import type { Socket as Stream } from 'node:net';
import { WebSocket } from 'ws';
import { WholeFrames } from './whole-frames.ts';

/** The exchange answered the opening handshake with an HTTP error. */
export interface HandshakeRefusal {
  readonly status: number;
  /** What it asks us to wait; 0 where it says nothing. */
  readonly retryAfterMs: number;
}

/** What a socket tells its owner. After `closed` nothing more comes. */
export interface SocketHandlers {
  opened(): void;
  frame(text: string): void;
  /** A binary frame; no exchange we know sends one. */
  binary(bytes: number): void;
  /** The other side showed a sign of life that carries no data (ping or pong frame). */
  alive(): void;
  closed(code: number, reason: string, refusal?: HandshakeRefusal): void;
}

export interface Socket {
  /** Bytes received so far: a slow frame that is still incomplete is a sign of life too. */
  readonly bytesRead: number;
  /** Dropped silently unless the socket is open; `closed` has told why. */
  send(text: string): void;
  ping(): void;
  /** Stops reading, so that the exchange's frames wait in the kernel and then at the exchange. */
  pause(): void;
  resume(): void;
  close(): void;
  /** Closes without the closing handshake. */
  terminate(): void;
}

/** Opens a client socket; the seam through which every exchange is reached. */
export type OpenSocket = (url: string, limits: { readonly maxFrameBytes: number }, handlers: SocketHandlers) => Socket;

const HANDSHAKE_TIMEOUT_MS = 10_000;
/** The longest ban of Binance; anything above is not meant. */
const MAX_RETRY_AFTER_MS = 3 * 86_400_000;

/** Compression stays off and frames are bounded: a small compressed frame may cost hundreds of megabytes. */
export const openWebSocket: OpenSocket = (url, { maxFrameBytes }, handlers) => {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
  });
  let failure = '';
  let refusal: HandshakeRefusal | undefined;
  let stream: Stream | null = null;
  socket.on('upgrade', (response) => {
    stream = response.socket;
  });
  socket.on('open', () => {
    if (stream) WholeFrames.read(stream, { maxFrameBytes, frame: handlers.frame });
    handlers.opened();
  });
  socket.on('message', (data: Buffer, isBinary: boolean) =>
    isBinary ? handlers.binary(data.byteLength) : handlers.frame(data.toString()),
  );
  socket.on('ping', handlers.alive);
  socket.on('pong', handlers.alive);
  socket.on('unexpected-response', (_request, { statusCode = 0, headers }) => {
    failure = `the handshake was answered with HTTP ${statusCode}`;
    refusal = { status: statusCode, retryAfterMs: retryAfterMs(headers['retry-after']) };
    socket.terminate();
  });
  socket.on('error', (error) => {
    failure ||= error.message;
  });
  socket.on('close', (code, reason) => handlers.closed(code, failure || reason.toString(), refusal));
  return {
    get bytesRead() {
      return stream?.bytesRead ?? 0;
    },
    send: (text) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(text);
    },
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    },
    pause: () => socket.pause(),
    resume: () => socket.resume(),
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
};

/** Dates are ignored: the clocks of the two sides may differ. */
function retryAfterMs(seconds: string | undefined): number {
  return /^\d{1,9}$/.test(seconds ?? '') ? Math.min(Number(seconds) * 1_000, MAX_RETRY_AFTER_MS) : 0;
}
