import type { Server } from 'node:http';
import type { Socket } from 'node:net';
import { networkOf } from '../access/network.ts';
import type { Limits } from '../runtime/limits.ts';
import type { Refusals } from '../runtime/refusals.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** How often slow requests are looked for, ms. */
const LOOK_MS = 2_000;
const MAX_HEADERS = 100;

/** For `createServer`: a request that comes slowly is answered 408 and cut. */
export const PATIENCE = {
  headersTimeout: HEADERS_TIMEOUT_MS,
  requestTimeout: REQUEST_TIMEOUT_MS,
  connectionsCheckingInterval: LOOK_MS,
  /** Of TLS. */
  handshakeTimeout: HEADERS_TIMEOUT_MS,
};

/** This machine's own: its proxies and tools speak for many. */
const isLoopback = (address: string): boolean => /^(::1|(::ffff:)?127\.)/.test(address);

/** Cuts connections above the caps before a byte of them is read; requests, event streams and WebSockets alike are connections. */
export function capConnections(
  server: Pick<Server, 'on' | 'maxConnections' | 'maxHeadersCount'>,
  limits: Limits,
  refusals: Refusals,
): void {
  server.maxConnections = limits.connections;
  server.maxHeadersCount = MAX_HEADERS;
  const count = () => refusals.count('connections');
  server.on('drop', count).on('error', count); // also one there is no file handle for, which would end the process
  const counts = new Map<string, number>();
  server.on('connection', (socket: Socket) => {
    const address = socket.remoteAddress;
    if (address === undefined || isLoopback(address)) return;
    const network = networkOf(address);
    const open = (counts.get(network) ?? 0) + 1;
    counts.set(network, open);
    socket.once('close', () => {
      const left = (counts.get(network) ?? 1) - 1;
      if (left > 0) counts.set(network, left);
      else counts.delete(network);
    });
    if (open <= limits.connections_per_address) return;
    refusals.count('connections_per_address');
    socket.destroy();
  });
}
