import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { CHECKS, type Finding } from '../../src/doctor/finding.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { temporary } from '../support/temporary.ts';

const PROGRAM = fileURLToPath(new URL('../../src/cli/doctor.ts', import.meta.url));
const PASSWORD = 'unspeakable-word';

async function doctor(config: object, args: readonly string[] = [], env: Readonly<Record<string, string>> = {}) {
  const folder = temporary();
  const file = join(folder, 'config.json');
  writeFileSync(file, JSON.stringify(config));
  const { PATH = '', HOME = '' } = process.env;
  const child = spawn(process.execPath, [PROGRAM, '--config', file, ...args], {
    ...{ cwd: folder, env: { PATH, HOME, ...env }, stdio: ['ignore', 'pipe', 'pipe'] },
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
  const [code] = await once(child, 'close');
  return { code: Number(code), output };
}

it('exits with 0 where nothing fails, with the checks in their order', async () => {
  await using simulator = await startSimulator({ exchange: 'okx' });
  const exchanges = [{ exchange: 'okx', connection: simulator.connection, trading_pairs: [{ symbol: 'BTC-USDT' }] }];
  const { code, output } = await doctor({ exchanges, limits: { connections: 100 } }, ['--json', '--port', '0']);
  const { findings } = JSON.parse(output) as { findings: readonly Finding[] };
  expect(findings.filter(({ level }) => level === 'fail')).toEqual([]);
  expect(code).toBe(0);
  const order = Object.keys(CHECKS);
  const places = findings.map(({ check }) => order.indexOf(check));
  expect(places).toEqual(places.toSorted((a, b) => a - b));
  expect(findings.find(({ check }) => check === 'exchange-rest')?.found).toMatch(/^answered in \d+ ms$/);
});

it('exits with 1 where something fails, says what to do and no secret', async () => {
  const { code, output } = await doctor({ exchanges: [] }, ['--port', '0'], {
    DATABASE_URL: `postgres://user:${PASSWORD}@127.0.0.1:9/none`,
  });
  expect(output).toMatch(/FAIL {2}database-reach .*\n +-> Start it, or correct host and port/);
  expect(output).toMatch(/\d+ ok, \d+ to look at, 1 to mend\.\n$/);
  expect(output).not.toContain(PASSWORD);
  expect(code).toBe(1);
});

it('shows its token to nobody, neither an exchange nor whoever has the port', async () => {
  const asked: IncomingHttpHeaders[] = [];
  const stranger = createServer(({ headers }, response) => {
    asked.push(headers);
    response.writeHead(404).end();
  }).listen(0, '127.0.0.1');
  await once(stranger, 'listening');
  const { port } = stranger.address() as AddressInfo;
  const connection = { rest_url: `http://127.0.0.1:${port}`, public_ws_url: `ws://127.0.0.1:${port}` };
  const exchanges = [{ exchange: 'okx', connection, trading_pairs: [{ symbol: 'BTC-USDT', data_types: ['ticker'] }] }];
  const { output } = await doctor({ exchanges }, ['--port', String(port)], { TCPD_TOKEN: 'tcpd_token' });
  stranger.close();
  expect(output).toMatch(/FAIL {2}port /);
  expect(asked.length).toBeGreaterThanOrEqual(3);
  expect(asked.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
});

it('tells every problem of a configuration as a finding', async () => {
  const { code, output } = await doctor({ server: { port: -1 }, loging: {} }, ['--json']);
  const { findings, level } = JSON.parse(output) as { findings: readonly Finding[]; level: string };
  expect([code, level]).toEqual([1, 'fail']);
  expect(findings.map(({ check, found }) => `${check} ${found.split(':')[0]}`)).toEqual(
    expect.arrayContaining(['configuration server.port', 'configuration loging']),
  );
});

it('does not take what it does not understand', async () => {
  expect((await doctor({}, ['--cure'])).code).toBe(2);
});

it('is documented, check by check', () => {
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const doctorsPart = text.slice(text.indexOf('## The doctor'));
  const documented = [...doctorsPart.matchAll(/^\| `([a-z-]+)` \| (.+) \|$/gm)].map(([, check, what]) => [check, what]);
  expect(Object.fromEntries(documented)).toEqual(CHECKS);
});
