import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { type Dashboard, startDashboard } from './dashboard.ts';
import { blocksOf } from './readme.ts';

const PATIENT = { timeout: 30_000, interval: 100 };
const COMMANDS = blocksOf('sh').filter((text) => text.startsWith('curl '));
const hasCurl = process.platform !== 'win32' && spawnSync('curl', ['--version']).status === 0;
if (!hasCurl) console.warn('SKIPPED: there is no curl, so the commands of the README are not run');

describe.skipIf(!hasCurl)('the commands of the README', () => {
  let dashboard: Dashboard;
  beforeAll(async () => {
    dashboard = await startDashboard();
  });
  afterAll(() => dashboard?.[Symbol.asyncDispose]());

  it('are a query, a subscription, a mutation, the proof and candles', () => {
    expect(COMMANDS.map(kindOf)).toEqual(['query', 'subscription', 'mutation', 'query', 'query']);
  });

  it('answer as it says', async () => {
    const outputOf = async (kind: string) => {
      const command = start(COMMANDS.find((one) => kindOf(one) === kind) ?? '', dashboard.url);
      await once(command.process, 'close');
      return JSON.parse(command.output());
    };
    await vi.waitFor(async () => {
      const { data } = await outputOf('query');
      expect(data.trades.edges).toHaveLength(2);
      expect(data.trades.pageInfo.endCursor).toBeTruthy();
      expect(Object.keys(data.trades.edges[0].node)).toEqual(['tradeId', 'price', 'size', 'side', 'exchangeTime']);
    }, PATIENT);
    await vi.waitFor(async () => {
      const command = start(COMMANDS.find((one) => one.includes('coverage {')) ?? '', dashboard.url);
      await once(command.process, 'close');
      expect(JSON.parse(command.output()).data).toMatchObject({
        instrument: { coverage: { ratio: 1, openGaps: 0 } },
        gaps: { edges: [] },
      });
    }, PATIENT);
    await vi.waitFor(async () => {
      const command = start(COMMANDS.find((one) => one.includes('candles(')) ?? '', dashboard.url);
      await once(command.process, 'close');
      const { edges } = JSON.parse(command.output()).data.candles;
      expect(edges).toHaveLength(2);
      expect(edges[1].node).toMatchObject({
        closeTime: expect.any(String),
        close: expect.any(String),
        state: expect.stringMatching(/^(PROVISIONAL|FINAL)$/),
      });
    }, PATIENT);
    expect(await outputOf('mutation')).toEqual({
      data: { restartCollector: { collector: { name: 'okx:BTC-USDT', state: 'RUNNING' }, userErrors: [] } },
    });
  });

  it('stream trades', async () => {
    const command = start(COMMANDS.find((one) => kindOf(one) === 'subscription') ?? '', dashboard.url);
    try {
      await vi.waitFor(() => {
        const line = command.output().match(/^event: next\ndata: (.*"price".*)\n/m)?.[1] ?? '{}';
        expect(JSON.parse(line)).toMatchObject({
          data: {
            trades: {
              cursor: expect.any(String),
              edges: expect.arrayContaining([{ node: expect.objectContaining({ symbol: 'BTC-USDT' }) }]),
            },
          },
        });
      }, PATIENT);
    } finally {
      command.process.kill();
      await once(command.process, 'close');
    }
  });
});

const kindOf = (command: string) => /"query": "(subscription|mutation)?/.exec(command)?.[1] ?? 'query';

function start(command: string, url: string): { readonly process: ChildProcess; output(): string } {
  const child = spawn('sh', ['-c', `exec ${command.replace('http://127.0.0.1:4000', url)}`]);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
  });
  return { process: child, output: () => output };
}
