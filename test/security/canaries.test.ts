import { expect, it } from 'vitest';
import { CanarySearch, canary } from './canaries.ts';

const secret = canary('key');
const hitsOf = (text: string) => {
  const search = new CanarySearch({ key: secret });
  search.text('here', text);
  return search.hits;
};

it.each([
  ['as it is', secret],
  ['in an address', `?token=${encodeURIComponent(secret)}&x`],
  ['in JSON', JSON.stringify({ secret })],
  ['in Base64', Buffer.from(secret).toString('base64')],
  ['in Base64, behind one byte', Buffer.from(`:${secret}`).toString('base64')],
  ['in Base64, between others', Buffer.from(`user:${secret}@host`).toString('base64')],
  ['in Base64 of addresses', Buffer.from(`ab${secret}`).toString('base64url')],
  ['in hexadecimal', Buffer.from(secret).toString('hex')],
])('finds a secret %s', (_how, text) => {
  expect(hitsOf(`before ${text} after`)).toMatchObject([{ secret: 'key', place: 'here' }]);
});

it('finds nothing where there is none', () => {
  expect(hitsOf(`${canary('key')} [redacted]`)).toEqual([]);
});
