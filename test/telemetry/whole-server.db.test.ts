import { fileURLToPath } from 'node:url';
import { expect, it, vi } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { databaseOptions } from '../support/database.ts';
import { configOf, startServerProcess } from '../support/whole-server.ts';
import { startCollector } from './collector.ts';

const RECORDING = { NODE_OPTIONS: `--import ${fileURLToPath(new URL('record-imports.ts', import.meta.url))}` };
const PAIRS = ['BTC-USDT', 'ETH-USDT'].map((symbol) => ({ symbol, data_types: ['trade'] }));
const STORED = '{ trades(exchange: "okx", symbol: "BTC-USDT", first: 1) { edges { cursor } } }';
const RESTART =
  'mutation Restart { restartCollector(input: { name: "okx:BTC-USDT" }) { userErrors { code } collector { name } } }';

const simulate = () => startSimulator({ exchange: 'okx', symbols: PAIRS.map(({ symbol }) => symbol), rate: 50 });

const start = async (simulator: Simulator, env: Readonly<Record<string, string>>) =>
  startServerProcess(
    { ...configOf([{ simulator, pairs: PAIRS }]), logging: { level: 'DEBUG', file_output: false, format: 'json' } },
    await databaseOptions(),
    { ...RECORDING, ...env },
  );

it('a server that is told of a collector sends it what it does, and what waits before it ends', async () => {
  await using simulator = await simulate();
  await using collector = await startCollector();
  await using server = await start(simulator, {
    ...{
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: 'authorization=Bearer%20hunter2-hunter2',
    },
    ...{ OTEL_BSP_SCHEDULE_DELAY: '50' },
  });
  await server.running(PAIRS.length);
  await vi.waitFor(async () => {
    const { trades } = await server.ask<{ trades: { edges: unknown[] } }>(STORED);
    expect(trades.edges).toHaveLength(1);
  }, 20_000);
  await server.ask(RESTART);
  const client = server.subscribe();
  for await (const _ of client.iterate({ query: 'query OverSocket { __typename }' }));
  await client.dispose();
  const named = (name: string) => collector.spans.filter((span) => span.name === name);
  const found = (name: string, attributes: object) =>
    expect(named(name)).toContainEqual(expect.objectContaining({ attributes: expect.objectContaining(attributes) }));
  await vi.waitFor(() => {
    found('query', { 'tcp_dashboard.transport': 'http' });
    found('mutation Restart', { 'tcp_dashboard.transport': 'http' });
    found('query OverSocket', { 'tcp_dashboard.transport': 'websocket' });
    found('connect okx', { 'tcp_dashboard.endpoint': 'business', 'tcp_dashboard.channels': expect.any(Number) });
    found('trades of okx', { 'tcp_dashboard.symbol': 'BTC-USDT' });
    found('commit trades', { 'tcp_dashboard.markets': 2, 'db.system.name': 'postgresql' });
  }, 20_000);
  expect(
    Math.max(...named('commit trades').map(({ attributes }) => Number(attributes['tcp_dashboard.rows']))),
  ).toBeGreaterThan(1);
  const before = collector.spans.length;
  await server.ask('query AtTheEnd { __typename }');
  expect(await server.end('SIGTERM')).toBe(0);
  expect(collector.spans.length).toBeGreaterThan(before);
  expect(named('query AtTheEnd')).toHaveLength(1);
  expect(collector.requests[0]?.headers.authorization).toBe('Bearer hunter2-hunter2');
  expect(server.output()).toContain('loads @opentelemetry/sdk-trace');
  expect(server.output()).not.toContain('hunter2');
}, 90_000);

it('a server that is not told of one loads nothing of OpenTelemetry and connects to nobody', async () => {
  await using simulator = await simulate();
  await using collector = await startCollector();
  await using server = await start(simulator, {
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_SDK_DISABLED: 'true' },
  });
  await server.running(PAIRS.length);
  await server.ask(STORED);
  expect(await server.end('SIGTERM')).toBe(0);
  expect(server.output()).not.toContain('@opentelemetry');
  expect(collector.connections).toBe(0);
}, 90_000);
