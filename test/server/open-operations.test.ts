import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { Access } from '../../src/access/access.ts';
import { LOCAL, READER } from '../../src/access/principal.ts';
import { LIMITS, type Limits } from '../../src/runtime/limits.ts';
import { Refusals } from '../../src/runtime/refusals.ts';
import { OpenOperations } from '../../src/server/open-operations.ts';
import { TokenPlace } from '../access/tokens.ts';
import { open } from './clients.ts';
import { LiveTrades } from './documents.ts';
import { type Served, serve } from './served.ts';

describe('operations over WebSockets and event streams', () => {
  let access: Access;
  let served: Served;
  let tokens: readonly string[];
  const limits: Limits = { ...LIMITS, operations_per_principal: 3, operations: 5 };
  beforeEach(async () => {
    const place = new TokenPlace();
    tokens = ['ada', 'bob'].map((name) => place.token(name, 'read'));
    access = place.open();
    served = await serve({ access, limits });
  });
  afterEach(async () => {
    await served[Symbol.asyncDispose]();
    access[Symbol.dispose]();
  });

  const headersOf = (who: number) => ({ authorization: `Bearer ${tokens[who]}` });
  const subscribed = (count: number) => vi.waitFor(() => expect(served.market.feed.subscribers).toBe(count));
  const socketOf = async (who: number) => {
    const client = await open(served.url, headersOf(who));
    await client.introduce();
    return client;
  };
  const stream = (who: number, signal?: AbortSignal) =>
    fetch(served.url, {
      ...{ method: 'POST', body: JSON.stringify({ query: String(LiveTrades) }), signal: signal ?? null },
      headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headersOf(who) },
    });
  const refusedWith = (client: Awaited<ReturnType<typeof socketOf>>, id: string) =>
    vi.waitFor(() => {
      const frame = client.frames.find((one) => one.type === 'error' && one.id === id);
      expect(frame?.payload[0].extensions).toEqual({ code: 'TOO_MANY_SUBSCRIPTIONS' });
    });
  const counted = async (rule: string) => {
    const page = await (await fetch(`${served.server.url}/metrics`, { headers: headersOf(0) })).text();
    return Number(page.match(new RegExp(`refusals_total\\{rule="${rule}"\\} (\\d+)`))?.[1] ?? 0);
  };

  it('are bounded of one token, whatever they come over, and of everybody', async () => {
    const [one, two] = await Promise.all([socketOf(0), socketOf(0)]);
    one.subscribe('1', LiveTrades);
    two.subscribe('1', LiveTrades);
    const leave = new AbortController();
    expect((await stream(0, leave.signal)).status).toBe(200);
    await subscribed(3);

    two.subscribe('2', LiveTrades);
    await refusedWith(two, '2');
    const refused = await stream(0);
    expect([refused.status, refused.headers.get('retry-after')]).toEqual([429, '5']);
    expect(await refused.text()).toContain('TOO_MANY_SUBSCRIPTIONS');
    expect(await counted('operations_per_principal')).toBe(2);

    const other = await socketOf(1);
    for (const id of ['1', '2', '3']) other.subscribe(id, LiveTrades);
    await refusedWith(other, '3');
    await subscribed(5);
    expect(await counted('operations')).toBe(1);

    leave.abort();
    await subscribed(4);
    await vi.waitFor(() => {
      other.subscribe(crypto.randomUUID(), LiveTrades);
      expect(served.market.feed.subscribers).toBe(5);
    });
    for (const { socket } of [one, two, other]) socket.terminate();
    await subscribed(0);
  });

  it.each([
    [
      'are completed',
      async (client: Awaited<ReturnType<typeof socketOf>>) => client.send({ type: 'complete', id: '1' }),
    ],
    [
      'are cut off with their socket',
      async (client: Awaited<ReturnType<typeof socketOf>>) => client.socket.terminate(),
    ],
  ])('leave room when they %s', async (_how, end) => {
    const client = await socketOf(0);
    for (const id of ['1', '2', '3']) client.subscribe(id, LiveTrades);
    await subscribed(3);
    expect((await stream(0)).status).toBe(429);
    await end(client);
    const leave = new AbortController();
    await vi.waitFor(async () => expect((await stream(0, leave.signal)).status).toBe(200));
    leave.abort();
    client.socket.terminate();
    await subscribed(0);
  });

  it('leave room when they fail, or are questions that were answered', async () => {
    const client = await socketOf(0);
    for (let n = 0; n < 10; n += 1) {
      client.subscribe(`q${n}`, '{ health { status } }');
      client.subscribe(`f${n}`, 'subscription { trades(symbols: [""]) { cursor } }');
      await vi.waitFor(() =>
        expect(client.frames.filter(({ type }) => ['complete', 'error'].includes(type))).toHaveLength(2 * (n + 1)),
      );
      await (
        await fetch(served.url, {
          ...{ method: 'POST', body: JSON.stringify({ query: 'subscription { trades(after: "x") { cursor } }' }) },
          headers: { 'content-type': 'application/json', accept: 'text/event-stream', ...headersOf(0) },
        })
      ).text();
    }
    for (const id of ['1', '2', '3']) client.subscribe(id, LiveTrades);
    await subscribed(3);
    expect(JSON.stringify(client.frames)).not.toContain('TOO_MANY_SUBSCRIPTIONS');
    client.socket.terminate();
  });
});

describe('what is open at a time', () => {
  const limits: Limits = { ...LIMITS, operations_per_principal: 1, operations: 4 };
  const codeOf = (places: OpenOperations, principal: typeof READER, address: string) =>
    places.enter({ principal, address })?.extensions.code ?? null;

  it('is counted by address of whoever shows no token, a network of IPv6 as one', () => {
    const places = new OpenOperations(limits, new Refusals());
    expect(codeOf(places, READER, '192.0.2.1')).toBeNull();
    expect(codeOf(places, READER, '192.0.2.2')).toBeNull();
    expect(codeOf(places, READER, '192.0.2.1')).toBe('TOO_MANY_SUBSCRIPTIONS');
    expect(codeOf(places, READER, '2001:db8:0:1::1')).toBeNull();
    expect(codeOf(places, READER, '2001:db8:0:1::2')).toBe('TOO_MANY_SUBSCRIPTIONS');
    places.leave({ principal: READER, address: '192.0.2.1' });
    expect(codeOf(places, READER, '192.0.2.1')).toBeNull();
  });

  it('is bounded by the server alone where this machine needs no token', () => {
    const refusals = new Refusals();
    const places = new OpenOperations(limits, refusals);
    for (let n = 0; n < 4; n += 1) expect(codeOf(places, LOCAL, '127.0.0.1')).toBeNull();
    expect(codeOf(places, LOCAL, '127.0.0.1')).toBe('TOO_MANY_SUBSCRIPTIONS');
    expect([...refusals.counts]).toEqual([['operations', 1]]);
  });
});
