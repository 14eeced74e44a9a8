import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type ExportFlags, runExport } from '../../src/cli/export-run.ts';
import { lines } from '../../src/cli/progress-view.ts';
import { ManualClock } from '../support/manual-clock.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tcp-export-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const MANIFEST = {
  ...{ href: '/export?state=s', file: 'a.csv', format: 'csv', estimatedRows: 4, rows: null, bytes: null, sha256: null },
  coverage: { summary: '100 % of the time is proven' },
};
const CSV = 'price\r\n1\r\n2\r\n3\r\n';

/** The command against a server that answers the manifest and then what the test gives. */
function command(file: () => Response, own: Partial<ExportFlags> = {}, manifest: object | null = MANIFEST) {
  const clock = new ManualClock(0);
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const interrupting = new AbortController();
  const asked: string[] = [];
  const fetch = async (url: string, { signal }: RequestInit) => {
    asked.push(url);
    signal?.throwIfAborted();
    if (!url.includes('/export/manifest')) return file();
    return manifest === null ? new Response('<html>') : Response.json(manifest);
  };
  const flags = {
    ...{ exchange: 'okx', symbol: 'BTC-USDT', type: 'trades', from: '2026-01-01T00:00:00.000Z', format: 'csv' },
    ...{ out: join(folder, 'my.csv'), force: false, url: 'http://127.0.0.1:4000', ...own },
  };
  const exit = runExport(flags, { fetch, clock, print, view: lines(print, clock), interrupted: interrupting.signal });
  return { exit, printed, asked, clock, interrupt: () => interrupting.abort() };
}

const body = (write: (controller: ReadableStreamDefaultController<Uint8Array>) => void) =>
  new Response(new ReadableStream({ start: (controller) => write(controller) }));

describe('npm run export', () => {
  it('writes the file of the manifest, and the manifest with what became of it', async () => {
    const { exit, printed, asked } = command(() => new Response(CSV), { to: '2026-01-02T00:00:00.000Z' });
    expect(await exit).toBe(0);
    expect(asked).toEqual([
      'http://127.0.0.1:4000/export/manifest?exchange=okx&symbol=BTC-USDT&type=trades&from=2026-01-01T00%3A00%3A00.000Z&format=csv&to=2026-01-02T00%3A00%3A00.000Z',
      'http://127.0.0.1:4000/export?state=s',
    ]);
    expect(readdirSync(folder)).toEqual(['my.csv', 'my.csv.manifest.json']);
    expect(readFileSync(join(folder, 'my.csv'), 'utf8')).toBe(CSV);
    expect(JSON.parse(readFileSync(join(folder, 'my.csv.manifest.json'), 'utf8'))).toEqual({
      ...{ ...MANIFEST, file: 'my.csv', rows: 3, bytes: CSV.length },
      sha256: createHash('sha256').update(CSV).digest('hex'),
    });
    expect(printed.at(-2)).toMatch(/my\.csv: 3 rows, 0\.0 kB, 0\.0 s\.$/);
    expect(printed.at(-1)).toMatch(/^Coverage: 100 % of the time is proven; see .*my\.csv\.manifest\.json$/);
  });

  it('replaces nothing unless it is forced to', async () => {
    for (const name of ['my.csv', 'my.csv.manifest.json', 'my.csv.part']) {
      writeFileSync(join(folder, name), 'mine');
      const refused = command(() => new Response(CSV));
      expect(await refused.exit).toBe(1);
      expect(refused.printed).toEqual([expect.stringMatching(/is there already.*--force/)]);
      expect(readFileSync(join(folder, name), 'utf8')).toBe('mine');
      expect(await command(() => new Response(CSV), { force: true }).exit).toBe(0);
      expect(readFileSync(join(folder, 'my.csv'), 'utf8')).toBe(CSV);
      for (const left of readdirSync(folder)) rmSync(join(folder, left));
    }
  });

  it('leaves no manifest where there can be no file', async () => {
    mkdirSync(join(folder, 'my.csv'));
    const { exit, printed } = command(() => new Response(CSV), { force: true });
    expect(await exit).toBe(1);
    expect(printed).toEqual([expect.stringMatching(/my\.csv is a folder; name a file with --out$/)]);
    expect(readdirSync(folder)).toEqual(['my.csv']);
  });

  it.each(['../up.csv', '/etc/up.csv', 'sub\\up.csv', '..', '', 7])(
    'takes no name from a server that would lead elsewhere: %j',
    async (file) => {
      const { exit, printed } = command(() => new Response(CSV), { out: undefined }, { ...MANIFEST, file });
      expect(await exit).toBe(1);
      expect(printed).toEqual([expect.stringContaining('does not answer like a TCP Dashboard server')]);
    },
  );

  it('says so when something else answers', async () => {
    const { exit, printed } = command(() => new Response(CSV), {}, null);
    expect(await exit).toBe(1);
    expect(printed).toEqual([expect.stringContaining('does not answer like a TCP Dashboard server')]);
  });

  it('leaves nothing when the transfer breaks off', async () => {
    const { exit, printed } = command(() =>
      body((controller) => {
        controller.enqueue(Buffer.from(CSV));
        setImmediate(() => controller.error(new TypeError('terminated', { cause: new Error('other side closed') })));
      }),
    );
    expect(await exit).toBe(1);
    expect(printed.at(-1)).toMatch(/^export: the transfer broke off after .* \(other side closed\); nothing was kept$/);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('leaves nothing after Ctrl-C, and says 130', async () => {
    const begun = Promise.withResolvers<ReadableStreamDefaultController<Uint8Array>>();
    const { exit, printed, interrupt } = command(() => body((controller) => begun.resolve(controller)));
    const controller = await begun.promise;
    controller.enqueue(Buffer.from('price\r\n'));
    interrupt();
    controller.error(new DOMException('This operation was aborted', 'AbortError'));
    expect(await exit).toBe(130);
    expect(printed.at(-1)).toBe('export: interrupted; nothing was kept');
    expect(readdirSync(folder)).toEqual([]);
  });

  it('takes half a Parquet file for what it is, even where the transfer seemed whole', async () => {
    const { exit } = command(() => new Response('PAR1 and no more'), { format: 'parquet' });
    expect(await exit).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('says what a server refuses, by its code', async () => {
    const refusal = { errors: [{ message: '3 exports are running', extensions: { code: 'EXPORTS_BUSY' } }] };
    const { exit, printed } = command(() => Response.json(refusal, { status: 503 }));
    expect(await exit).toBe(1);
    expect(printed).toEqual(['export: EXPORTS_BUSY: 3 exports are running']);
    const odd = command(() => new Response('<html>', { status: 502 }));
    expect(await odd.exit).toBe(1);
    expect(odd.printed).toEqual(['export: the server answered with status 502']);
  });

  it.each([
    [['--type', 'ticks'], /Allowed choices are trades, candles/],
    [['--type', 'candles'], /candles need --interval/],
    [['--type', 'trades', '--interval', '1m'], /--interval is of candles/],
    [['--type', 'candles', '--interval', '7m'], /Allowed choices are 1s/],
    [['--type', 'trades', '--format', 'xlsx'], /Allowed choices are csv, ndjson, parquet/],
    [['--type', 'trades', '--to', 'tomorrow'], /A time should be in UTC/],
    [['--type', 'trades', '--to', '2026-02-30'], /A time should be in UTC/],
  ])('exits with 2 for a command line nobody understands: %j', (own, message) => {
    const program = fileURLToPath(new URL('../../src/cli/export.ts', import.meta.url));
    const given = ['--exchange', 'okx', '--symbol', 'BTC-USDT', '--from', '2026-01-01', '--format', 'csv', ...own];
    const { status, stderr } = spawnSync(process.execPath, [program, ...given], { encoding: 'utf8' });
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
  });
});
