import { createClient } from 'graphql-ws';
import { expect, vi } from 'vitest';
import { WebSocket } from 'ws';
import type { Answer } from './served.ts';

/** A graphql-ws client on a socket of its own; `next` waits for the following result of a subscription. */
export function connect(url: string, options: { readonly headers?: Record<string, string> } = {}) {
  class Socket extends WebSocket {
    constructor(address: string, protocols: string) {
      super(address, protocols, { headers: options.headers ?? {} });
    }
  }
  const closed = Promise.withResolvers<{ code: number; reason: string }>();
  const client = createClient({
    url: url.replace('http', 'ws'),
    webSocketImpl: Socket,
    retryAttempts: 0,
    on: { closed: (event) => closed.resolve(event as { code: number; reason: string }) },
  });
  return { client, closed: closed.promise };
}

/** A subscription's results one by one. */
export const results = (
  client: ReturnType<typeof createClient>,
  query: unknown,
  variables: Record<string, unknown> = {},
) =>
  // biome-ignore lint/suspicious/noExplicitAny: answers of documents written in the test itself
  client.iterate<any>({ query: String(query), variables });

/** The first answer to a document, or why there is none, on a socket of its own. */
export async function overWebSocket(url: string, query: string): Promise<Answer> {
  const { client } = connect(url);
  try {
    return (await results(client, query).next()).value as Answer;
  } catch (errors) {
    return { errors } as Answer;
  } finally {
    await client.dispose();
  }
}

/** A raw socket that speaks the sub-protocol by hand. */
export async function open(url: string, headers: Record<string, string> = {}) {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { headers });
  // biome-ignore lint/suspicious/noExplicitAny: frames as they come
  const frames: any[] = [];
  const closed = new Promise<{ code: number }>((resolve) => socket.on('close', (code) => resolve({ code })));
  socket.on('message', (data) => frames.push(JSON.parse(String(data))));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    socket,
    frames,
    closed,
    introduce: async () => {
      socket.send(JSON.stringify({ type: 'connection_init' }));
      await vi.waitFor(() => expect(frames).toContainEqual({ type: 'connection_ack' }));
    },
    send: (frame: unknown) => socket.send(JSON.stringify(frame)),
    subscribe: (id: string, query: unknown, variables: Record<string, unknown> = {}) =>
      socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: String(query), variables } })),
  };
}
