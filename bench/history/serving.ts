import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { answer } from '../frame/answer.ts';

/** What a server under test is told. */
export interface ServingPlan {
  readonly database: string;
  /** The exchange that is collected from meanwhile, by those who do that. */
  readonly collected?: { readonly connection: object; readonly symbols: readonly string[] };
}

/** A process under test: it opens a server and says where GraphQL, or what stands for it, is asked. */
export function serving(open: (plan: ServingPlan) => Promise<string>): void {
  answer({ open });
}

export async function listening(
  handle: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
): Promise<string> {
  const server = createServer((request, response) => void handle(request, response));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
