import { expect, test } from 'vitest';
import { Access } from '../../src/access/access.ts';
import { TokenFile } from '../../src/access/token-file.ts';
import { createToken } from '../../src/access/tokens.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { publicFetch } from '../access/public-fetch.ts';
import { temporary } from '../support/temporary.ts';
import { serve } from './served.ts';

const page = async (url: string) => (await fetch(url)).text();

test('the page at / shows what can be copied as it is, and leads to GraphiQL', async () => {
  await using served = await serve();
  const byName = served.server.url.replace('127.0.0.1', 'localhost');
  const text = await page(byName);
  expect(text).toContain(`curl -s ${byName}/graphql`);
  expect(text).toContain('<a href="/graphql">GraphiQL</a>');
  expect(text).not.toMatch(/Bearer|\{\{/);
});

test('where tokens are needed it shows how one is sent, and leads to no GraphiQL that is off', async () => {
  const dataDir = temporary();
  createToken(new TokenFile(dataDir), { name: 'ci', roles: ['read'], expiresAt: null }, Date.now());
  using access = new Access({
    ...{ dataDir, anonymous: null, jwt: null, isLocal: true, fetch: publicFetch },
    ...{ clock: systemClock, log: silentLog },
  });
  await using served = await serve({ access });
  const text = await page(served.server.url);
  expect(text.match(/Bearer \$TCPD_TOKEN/g)).toHaveLength(3);
  expect(text).toContain('access.graphiql');
  expect(text).not.toMatch(/href="\/graphql"|\{\{/);
  await using shown = await serve({ access, alwaysGraphiql: true });
  expect(await page(shown.server.url)).toContain('href="/graphql"');
});

test.each(['/', '/graphql'])(
  'the page at %s is framed by nobody, loads nothing of elsewhere and tells nobody where it led from',
  async (path) => {
    await using served = await serve();
    const { headers } = await fetch(served.server.url + path, { headers: { accept: 'text/html' } });
    expect(headers.get('content-type')).toBe('text/html; charset=utf-8');
    const policy = headers.get('content-security-policy') ?? '';
    expect(policy).toContain("frame-ancestors 'none'");
    expect(policy.match(/https?:|\*/)).toBeNull();
    expect(policy).toMatch(/^default-src 'self';/);
    expect(headers.get('x-content-type-options')).toBe('nosniff');
    expect(headers.get('referrer-policy')).toBe('no-referrer');
  },
);
