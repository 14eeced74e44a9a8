import type { Socket as Stream } from 'node:net';
import { WebSocket } from 'ws';
import { messageOf } from '../../runtime/errors.ts';
import { networkTroubleOf } from '../../runtime/network-trouble.ts';
import { Outgoing } from '../../runtime/outgoing.ts';
import { tlsTroubleOf } from '../../runtime/tls-trouble.ts';
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
  /** Bytes came with whole text frames in them, which follow one by one: when they came is the same for all. */
  arrived(): void;
  frame(text: string): void;
  /** A binary frame; no exchange we know sends one. */
  binary(bytes: number): void;
  /** The other side showed a sign of life that carries no data (ping or pong frame). */
  alive(): void;
  /** It broke the protocol or a bound, in words; the socket is cut and `closed` follows. */
  violated(what: string): void;
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
/** No exchange we know sends fragments; each costs more than its bytes. */
const MAX_FRAGMENTS = 1_024;
/** Pieces a frame arrives in that is not here yet; one of a megabyte takes some hundreds. */
const MAX_PIECES = 16_384;

/**
 * Opens sockets to where connections may lead. Compression stays off and frames are bounded: a small compressed frame may cost
 * hundreds of megabytes. Redirects are not followed: whoever answers does not decide where we go.
 */
export const webSocketOpener =
  (outgoing: Outgoing): OpenSocket =>
  (url, limits, handlers) => {
    try {
      outgoing.check(new URL(url));
    } catch (error) {
      return refusedSocket(handlers, messageOf(error));
    }
    return openSocket(url, limits, handlers, outgoing);
  };

/** To public addresses, and to this machine where the URL says so. */
export const openWebSocket = webSocketOpener(new Outgoing());

/** Nothing was opened; says so as if it had been closed at once. */
function refusedSocket(handlers: SocketHandlers, reason: string): Socket {
  const nothing = () => {};
  queueMicrotask(() => handlers.closed(1006, reason));
  return {
    bytesRead: 0,
    send: nothing,
    ping: nothing,
    pause: nothing,
    resume: nothing,
    close: nothing,
    terminate: nothing,
  };
}

function openSocket(
  url: string,
  { maxFrameBytes }: { readonly maxFrameBytes: number },
  handlers: SocketHandlers,
  outgoing: Outgoing,
): Socket {
  const socket = new WebSocket(url, {
    lookup: outgoing.lookup,
    // Said here, because a variable of the environment would turn it off for everybody else.
    rejectUnauthorized: true,
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    maxFragments: MAX_FRAGMENTS,
    maxBufferedChunks: MAX_PIECES,
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
    if (stream) WholeFrames.read(stream, { maxFrameBytes, arrived: handlers.arrived, frame: handlers.frame });
    handlers.opened();
  });
  socket.on('message', (data: Buffer, isBinary: boolean) => {
    if (isBinary) return handlers.binary(data.byteLength);
    handlers.arrived();
    handlers.frame(data.toString());
  });
  socket.on('ping', handlers.alive);
  socket.on('pong', handlers.alive);
  socket.on('unexpected-response', (_request, { statusCode = 0, headers }) => {
    failure = `the handshake was answered with HTTP ${statusCode}`;
    refusal = { status: statusCode, retryAfterMs: retryAfterMs(headers['retry-after']) };
    socket.terminate();
  });
  socket.on('error', (error) => {
    const violation = violationOf(error, maxFrameBytes);
    failure ||= violation ?? tlsTroubleOf(error, new URL(url).host) ?? networkTroubleOf(error) ?? error.message;
    if (violation === null) return;
    handlers.violated(violation);
    socket.terminate(); // `ws` has said why and would now wait half a minute for the other side to hang up
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
}

/** What the other side did that no exchange does, and the rule; null for any other trouble. */
function violationOf(error: Error, maxFrameBytes: number): string | null {
  const code = 'code' in error ? String(error.code) : '';
  if (!code.startsWith('WS_ERR_')) return null;
  if (code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH') return `a frame is longer than ${maxFrameBytes} bytes`;
  if (code === 'WS_ERR_TOO_MANY_BUFFERED_PARTS')
    return `a frame came in more than ${MAX_FRAGMENTS} fragments or ${MAX_PIECES} pieces`;
  return `a frame breaks the WebSocket protocol: ${error.message}`;
}

/** Dates are ignored: the clocks of the two sides may differ. */
function retryAfterMs(seconds: string | undefined): number {
  return /^\d{1,9}$/.test(seconds ?? '') ? Math.min(Number(seconds) * 1_000, MAX_RETRY_AFTER_MS) : 0;
}
