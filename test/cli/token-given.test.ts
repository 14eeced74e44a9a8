import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../src/access/access.ts';
import { TokenPlace } from '../access/tokens.ts';
import { type Served, serve } from '../server/served.ts';
import { temporary } from '../support/temporary.ts';

const CSV = 'price\r\n1\r\n';
const MANIFEST = {
  ...{ href: '/export?state=s', file: 'a.csv', format: 'csv', estimatedRows: 1, rows: null, bytes: null, sha256: null },
  coverage: { summary: '100 % of the time is proven' },
};

let access: Access;
let served: Served;
const tokens: Record<string, string | undefined> = { none: undefined, empty: '', wrong: 'tcpd_wrong' };
beforeAll(async () => {
  const place = new TokenPlace();
  tokens.reader = place.token('reader', 'read');
  tokens.operator = place.token('operator', 'control');
  access = place.open();
  const parts = async function* () {
    yield new TextEncoder().encode(CSV);
  };
  served = await serve({
    access,
    exports: {
      manifest: async () => MANIFEST,
      open: async () => ({ name: 'a.csv', mediaType: 'text/csv', parts: parts() }),
    },
  });
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  access[Symbol.dispose]();
});

/** The real command, with a token in its environment. */
async function run(command: 'backfill' | 'export', who: string, ...args: readonly string[]) {
  const program = fileURLToPath(new URL(`../../src/cli/${command}.ts`, import.meta.url));
  const folder = temporary();
  const { PATH = '', HOME = '' } = process.env;
  const token = tokens[who];
  const market = ['--exchange', 'okx', '--symbol', 'BTC-USDT', '--from', '2026-01-01', '--to', '2026-01-02'];
  const child = spawn(process.execPath, [program, ...market, '--url', served.server.url, ...args], {
    ...{ cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] },
    env: { PATH, HOME, ...(token !== undefined && { TCPD_TOKEN: token }) },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const [code] = await once(child, 'close');
  if (token) expect(output).not.toContain(token);
  return { code: Number(code), output, folder };
}

describe('npm run backfill', () => {
  const dry = (who: string) => run('backfill', who, '--dry-run');

  it('shows the token of its environment', async () => {
    expect(await dry('operator')).toMatchObject({ code: 0, output: expect.stringMatching(/trades to fetch/) });
  });

  it.each([
    ['none', /^backfill: UNAUTHENTICATED: This needs a token; .*Set TCPD_TOKEN/],
    ['empty', /^backfill: UNAUTHENTICATED: This needs a token/],
    ['wrong', /^backfill: UNAUTHENTICATED: The token is wrong or was revoked; .*Set TCPD_TOKEN/],
    ['reader', /^backfill: FORBIDDEN: This needs the role control/],
  ])('with the token %s ends with code 1 and says why', async (who, output) => {
    expect(await dry(who)).toMatchObject({ code: 1, output: expect.stringMatching(output) });
  });
});

describe('npm run export', () => {
  const write = (who: string) => run('export', who, '--type', 'trades', '--format', 'csv', '--out', 'a.csv');

  it('shows the token of its environment', async () => {
    const { code, folder } = await write('reader');
    expect(code).toBe(0);
    expect(readFileSync(join(folder, 'a.csv'), 'utf8')).toBe(CSV);
  });

  it.each([
    ['none', /^export: UNAUTHENTICATED: This needs a token; .*Set TCPD_TOKEN/],
    ['wrong', /^export: UNAUTHENTICATED: The token is wrong or was revoked; .*Set TCPD_TOKEN/],
  ])('with the token %s ends with code 1 and says why', async (who, output) => {
    expect(await write(who)).toMatchObject({ code: 1, output: expect.stringMatching(output) });
  });
});
