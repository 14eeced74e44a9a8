import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { WebSocket } from 'ws';
import { open } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { type Served, serve } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const subscribed = (count: number) => vi.waitFor(() => expect(served.market.feed.subscribers).toBe(count));

describe('a socket of graphql-transport-ws', () => {
  it.each([
    ['text that is no JSON', 'hello', 4400],
    ['a message without a type', '{}', 4400],
    ['a message of another type', '{"type":"start","id":"1"}', 4400],
    ['what only a server says', '{"type":"connection_ack"}', 4400],
    ['a subscription without a document', '{"type":"subscribe","id":"1","payload":{}}', 4400],
    ['a second introduction', '{"type":"connection_init"}', 4429],
  ])('is closed for %s', async (_what, text, code) => {
    const client = await open(served.url);
    await client.introduce();
    client.socket.send(text);
    expect((await client.closed).code).toBe(code);
  });

  it('is closed for an id that is in use', async () => {
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('1', LiveTrades);
    client.subscribe('1', LiveTrades);
    expect((await client.closed).code).toBe(4409);
    await subscribed(0);
  });

  it.each([
    ['a bad message', 'hello'],
    ['a second introduction', '{"type":"connection_init"}'],
    ['an id that is in use', JSON.stringify({ type: 'subscribe', id: '1', payload: { query: '{ __typename }' } })],
    ['a message that is too large', 'x'.repeat(70_000)],
  ])('runs nothing any more once it is closed for %s, though the client never answers', async (_what, text) => {
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('1', LiveTrades);
    await subscribed(1);
    client.socket.pause();
    client.socket.send(text);
    await subscribed(0);
    client.socket.terminate();
  });

  it('is closed when it speaks another protocol', async () => {
    const socket = new WebSocket(served.url.replace('http', 'ws'));
    const code = await new Promise((resolve) => socket.on('close', resolve));
    expect(code).toBe(4406);
  });

  it('answers pings with what they carry', async () => {
    const client = await open(served.url);
    client.send({ type: 'ping' });
    client.send({ type: 'pong' });
    client.send({ type: 'ping', payload: { at: 1 } });
    await vi.waitFor(() => expect(client.frames).toHaveLength(2));
    expect(client.frames).toEqual([{ type: 'pong' }, { type: 'pong', payload: { at: 1 } }]);
    client.socket.terminate();
  });

  it('completes a query after its result, and a subscription when the feed ends', async () => {
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('q', '{ __typename }');
    client.subscribe('s', LiveTrades);
    await subscribed(1);
    served.market.feed[Symbol.dispose]();
    await vi.waitFor(() => expect(client.frames).toHaveLength(4));
    expect(client.frames.slice(1)).toEqual([
      { id: 'q', type: 'next', payload: { data: { __typename: 'Query' } } },
      { id: 'q', type: 'complete' },
      { id: 's', type: 'complete' },
    ]);
    client.socket.terminate();
  });

  it('says nothing more of what the client has completed, even before it began, and lets the id be used again', async () => {
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('1', LiveTrades);
    client.send({ type: 'complete', id: '1' });
    client.subscribe('1', '{ __typename }');
    await vi.waitFor(() => expect(client.frames).toContainEqual({ id: '1', type: 'complete' }));
    await subscribed(0);
    served.market.trade(1);
    expect(client.frames.slice(1)).toEqual([
      { id: '1', type: 'next', payload: { data: { __typename: 'Query' } } },
      { id: '1', type: 'complete' },
    ]);
    client.socket.terminate();
  });
});
