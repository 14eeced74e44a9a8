import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { temporary } from '../support/temporary.ts';
import { connect, open, results } from './clients.ts';
import { serve } from './served.ts';

const KNOWN = 'query Known { __typename }';
const LIVE = 'subscription Live { trades(symbols: ["BTC-USDT"]) { cursor edges { node { price } } } }';

function fileOf(documents: unknown): string {
  const path = join(temporary(), 'trusted.json');
  writeFileSync(path, typeof documents === 'string' ? documents : JSON.stringify(documents));
  return path;
}

const serveTrusted = () => serve({ trustedDocuments: fileOf({ known: KNOWN, live: LIVE }) });

describe('a server with trusted documents', () => {
  it.each([['known'], [KNOWN]])('answers %s', async (query) => {
    await using served = await serveTrusted();
    for (let times = 0; times < 2; times += 1)
      expect(await served.ask(query)).toEqual({ data: { __typename: 'Query' } });
  });

  it.each([['{ __typename }'], ['unknown'], [`${KNOWN} `], ['__proto__']])(
    'refuses %s over every door',
    async (query) => {
      await using served = await serveTrusted();
      const { errors = [] } = await served.ask(query);
      expect(errors[0]?.extensions?.code).toBe('DOCUMENT_NOT_TRUSTED');
      const { client } = connect(served.url);
      await expect(results(client, query).next()).rejects.toMatchObject([
        { extensions: { code: 'DOCUMENT_NOT_TRUSTED' } },
      ]);
      await client.dispose();
      const events = await fetch(`${served.url}?${new URLSearchParams({ query })}`, {
        headers: { accept: 'text/event-stream' },
      });
      expect(await events.text()).toContain('DOCUMENT_NOT_TRUSTED');
    },
  );

  it('streams a trusted subscription by its id', async () => {
    await using served = await serveTrusted();
    const client = await open(served.url);
    await client.introduce();
    client.subscribe('1', 'live');
    await vi.waitFor(() => expect(served.market.feed.subscribers).toBe(1));
    served.market.trade(1);
    await vi.waitFor(() => expect(client.frames.at(-1)?.payload?.data.trades.edges).toHaveLength(1));
    client.socket.terminate();
  });
});

it.each([
  ['no JSON', 'hello', 'cannot be read'],
  ['a list', [], 'one JSON object'],
  ['a number for a document', { a: 1 }, '"a" is no document'],
  ['a document that does not fit the schema', { b: '{ nonsense }' }, '"b" is no document'],
  ['a document that is none', { c: '{' }, '"c" is no document'],
])('a server does not start with a file of %s', async (_what, documents, message) => {
  await expect(serve({ trustedDocuments: fileOf(documents) })).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining(message),
  });
});
