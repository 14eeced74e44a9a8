import { expect, test } from 'vitest';
import { unreached } from '../../src/cli/unreached.ts';

/** What `fetch` throws. */
const failed = (code: string) =>
  new TypeError('fetch failed', { cause: Object.assign(new Error(`connect ${code}`), { code }) });

test.each([
  ['that is not there', 'ECONNREFUSED', /^no server answers at http:\/\/a:1 \(connect ECONNREFUSED\); start one/],
  [
    'that nobody vouches for',
    'DEPTH_ZERO_SELF_SIGNED_CERT',
    /certificate is vouched for by nobody.*NODE_EXTRA_CA_CERTS$/,
  ],
])('a server %s is told of with the way out', (_what, code, text) => {
  expect(unreached('http://a:1/graphql', failed(code)).message).toMatch(text);
});
