import type { IncomingMessage } from 'node:http';

/** Where a request comes from, as its socket says; empty once that is gone. */
export const addressOf = ({ socket }: IncomingMessage): string => socket.remoteAddress ?? '';
