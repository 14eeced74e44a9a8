import { WebSocket } from 'ws';

/** What a socket tells its owner. After `closed` nothing more comes. */
export interface SocketHandlers {
  opened(): void;
  frame(text: string): void;
  /** A binary frame; no exchange we know sends one. */
  binary(bytes: number): void;
  /** The other side showed a sign of life that carries no data (ping or pong frame). */
  alive(): void;
  closed(code: number, reason: string): void;
}

export interface Socket {
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

/** Compression stays off and frames are bounded: a small compressed frame may cost hundreds of megabytes. */
export const openWebSocket: OpenSocket = (url, { maxFrameBytes }, handlers) => {
  const socket = new WebSocket(url, {
    perMessageDeflate: false,
    maxPayload: maxFrameBytes,
    handshakeTimeout: HANDSHAKE_TIMEOUT_MS,
    followRedirects: false,
  });
  let failure = '';
  socket.on('open', handlers.opened);
  socket.on('message', (data: Buffer, isBinary: boolean) =>
    isBinary ? handlers.binary(data.byteLength) : handlers.frame(data.toString()),
  );
  socket.on('ping', handlers.alive);
  socket.on('pong', handlers.alive);
  socket.on('error', (error) => {
    failure = error.message;
  });
  socket.on('close', (code, reason) => handlers.closed(code, failure || reason.toString()));
  return {
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
