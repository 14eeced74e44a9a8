import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { type Served, serve } from './served.ts';

/** Of a page in the exposition format: name and labels as they stand, and the value. */
async function scrape({ server }: Served): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`${server.url}/metrics`);
  expect(response.status).toBe(200);
  expect(response.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
  const lines = (await response.text()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(
    lines.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ')))]),
  );
}

test('metrics say what health says', async () => {
  await using served = await serve();
  const { collector } = served.market;
  collector.stumble('a frame', 'that makes no sense');
  collector.stumble('a frame', 'that makes no sense');
  const { data } = await served.ask(
    '{ health { totalCollectors openGaps storage { spoolBytes } } collectors { state streams { dataType messagesPerSecond } statistics { errors } } }',
  );
  const page = await scrape(served);
  const of = `exchange="okx",symbol="BTC-USDT"`;
  expect(page.get('tcp_dashboard_collectors{state="running"}')).toBe(data.health.totalCollectors);
  expect(page.get('tcp_dashboard_collectors{state="error"}')).toBe(0);
  expect(data.collectors[0].statistics.errors).toBe(2);
  expect(page.get(`tcp_dashboard_collector_errors_total{${of}}`)).toBe(2);
  expect(page.get(`tcp_dashboard_stream_messages_per_second{${of},data_type="ticker"}`)).toBe(0);
  expect(page.get('tcp_dashboard_open_gaps')).toBe(data.health.openGaps);
  expect(page.get('tcp_dashboard_spool_bytes')).toBe(data.health.storage.spoolBytes);
  expect(page.get('nodejs_eventloop_lag_p99_seconds')).toBeGreaterThan(0);
});

test('a value nobody knows yet has no line', async () => {
  await using served = await serve();
  const page = await scrape(served);
  expect([...page.keys()].filter((name) => name.startsWith('tcp_dashboard_stream_last_message'))).toEqual([]);
});

test('beyond 500 collectors the page says how many it leaves out', async () => {
  await using served = await serve();
  const { manager } = served.market;
  for (let k = 0; k < 501; k += 1)
    await manager.addFromConfig({ exchange: 'okx', symbol: `C${k}-USDT`, dataTypes: ['trade'] });
  const page = await scrape(served);
  expect(page.get('tcp_dashboard_collectors_left_out')).toBe(2);
  expect([...page.keys()].filter((name) => name.startsWith('tcp_dashboard_collector_healthy'))).toHaveLength(500);
});

test('metrics are only read', async () => {
  await using served = await serve();
  const response = await fetch(`${served.server.url}/metrics`, { method: 'POST' });
  expect(response.status).toBe(405);
});

test('metrics and health say how backups and retention are doing, and nothing of them without a schedule', async () => {
  await using served = await serve();
  const asked = '{ health { status reasons backups { everySeconds ageSeconds failures failing } } }';
  const { data: before } = await served.ask(asked);
  expect(before.health).toMatchObject({ status: 'OK', reasons: [], backups: null });
  expect([...(await scrape(served)).keys()].filter((name) => name.startsWith('tcp_dashboard_backup'))).toEqual([
    'tcp_dashboard_backup_failures_total',
  ]);

  const [HOUR, now] = [3_600_000, served.market.services.clock.now()];
  served.market.keeping.backups = { everyMs: 6 * HOUR, newestAt: now - 5 * HOUR, failures: 1, failing: false };
  const { data: young } = await served.ask(asked);
  expect(young.health).toMatchObject({ status: 'OK', backups: { everySeconds: 21_600, failures: 1, failing: false } });
  const page = await scrape(served);
  expect(page.get('tcp_dashboard_backup_interval_seconds')).toBe(21_600);
  expect(page.get('tcp_dashboard_backup_last_success_timestamp_seconds')).toBeCloseTo((now - 5 * HOUR) / 1_000, 3);
  expect(page.get('tcp_dashboard_backup_failures_total')).toBe(1);
  expect(page.get('tcp_dashboard_retention_refused')).toBe(0);

  served.market.keeping.backups = { everyMs: 6 * HOUR, newestAt: now - 13 * HOUR, failures: 3, failing: true };
  served.market.keeping.refused = '3 months would be dropped at once';
  const { data: old } = await served.ask(asked);
  expect(old.health).toMatchObject({
    status: 'DEGRADED',
    reasons: [
      expect.stringContaining('The last backup failed'),
      expect.stringMatching(/ 13 h old, one is due every 6 h;/),
      expect.stringContaining('Retention drops nothing until the clock is right: 3 months'),
    ],
  });
  expect(old.health.backups.ageSeconds).toBeGreaterThanOrEqual(13 * 3_600);
  expect((await scrape(served)).get('tcp_dashboard_retention_refused')).toBe(1);
});

test('every label is documented', async () => {
  await using served = await serve();
  await served.ask('{ nothing }');
  const page = [...(await scrape(served)).keys()].filter((name) => name.startsWith('tcp_dashboard_'));
  const labels = new Set(page.flatMap((name) => [...name.matchAll(/[{,](\w+)="/g)].map(([, label]) => label)));
  const text = readFileSync(new URL('../../docs/operations.md', import.meta.url), 'utf8');
  const documented = /Labels are ([^;]*);/.exec(text)?.[1] ?? '';
  expect([...labels].filter((label) => !documented.includes(`\`${label}\``))).toEqual([]);
  expect(labels.size).toBeGreaterThanOrEqual(5);
});
