import { randomBytes } from 'node:crypto';

/** Names something that went wrong inside: a client is told this and nothing else of it, and the log has the rest beside it. */
export const newIncident = (): string => randomBytes(8).toString('hex');
