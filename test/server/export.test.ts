import { request } from 'node:http';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { AppError, ERRORS } from '../../src/runtime/errors.ts';
import type { Log } from '../../src/runtime/log.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { ExportSource } from '../../src/server/export.ts';
import { turn } from '../support/manual-clock.ts';
import { type Served, serve } from './served.ts';

/** Files of our making: `next` gives the parts, one call each. */
class HandExports implements ExportSource {
  refusal: Error | null = null;
  opened = 0;
  /** Files that were given up or read to their end. */
  released = 0;
  given = 0;
  next: (k: number) => Promise<Uint8Array | null> = async () => null;

  async manifest(): Promise<object> {
    if (this.refusal !== null) throw this.refusal;
    return { rows: null };
  }

  async open() {
    if (this.refusal !== null) throw this.refusal;
    this.opened += 1;
    return { name: 'a.csv', mediaType: 'text/csv', parts: this.#parts() };
  }

  async *#parts() {
    try {
      for (let k = 0; ; k += 1) {
        const part = await this.next(k);
        if (part === null) return;
        this.given += part.length;
        yield part;
      }
    } finally {
      this.released += 1;
    }
  }
}

const MEGABYTE = new Uint8Array(1_000_000).fill(0x61);

let served: Served;
afterEach(() => served[Symbol.asyncDispose]());

async function open(own: { clock?: Clock; log?: Log } = {}) {
  const exports = new HandExports();
  served = await serve({ exports, ...own });
  return { exports, at: (path: string, init?: RequestInit) => fetch(`${served.server.url}${path}`, init) };
}

/** A client that reads nothing until told to. */
function quietClient(path: string) {
  const ended = Promise.withResolvers<string>();
  const asked = request(`${served.server.url}${path}`, (response) => {
    response.on('error', () => ended.resolve('cut'));
    response.on('end', () => ended.resolve('whole'));
    response.pause();
    ready.resolve(response);
  });
  const ready = Promise.withResolvers<import('node:http').IncomingMessage>();
  asked.on('error', () => {});
  asked.end();
  return { response: ready.promise, ended: ended.promise, leave: () => asked.destroy() };
}

describe('GET /export', () => {
  it('sends the parts as they come, under a name of their own', async () => {
    const { exports, at } = await open();
    exports.next = async (k) => (k < 3 ? Buffer.from(`part ${k}\n`) : null);
    const response = await at('/export?x=1');
    expect(response.headers.get('content-disposition')).toBe('attachment; filename="a.csv"');
    expect(response.headers.get('content-type')).toBe('text/csv');
    expect(await response.text()).toBe('part 0\npart 1\npart 2\n');
    expect(exports.released).toBe(1);
    expect(await (await at('/export/manifest?x=1')).json()).toEqual({ rows: null });
    const head = await at('/export?x=1', { method: 'HEAD' });
    expect([head.status, head.headers.get('content-type'), exports.released]).toEqual([200, 'text/csv', 1]);
  });

  it.each([
    ['BAD_USER_INPUT', 400],
    ['EXCHANGE_UNKNOWN', 404],
    ['SYMBOL_UNKNOWN', 404],
    ['CURSOR_EXPIRED', 410],
    ['DATABASE_UNAVAILABLE', 503],
  ] as const)('refuses with %s before the first byte', async (code, status) => {
    const { exports, at } = await open();
    exports.refusal = new AppError(code, 'why');
    for (const path of ['/export', '/export/manifest']) {
      const response = await at(path);
      expect([response.status, await response.json()]).toEqual([
        status,
        { errors: [{ message: code === 'DATABASE_UNAVAILABLE' ? ERRORS[code].hint : 'why', extensions: { code } }] },
      ]);
      expect(response.headers.get('retry-after')).toBe(status === 503 ? '5' : null);
      expect(response.headers.get('content-disposition')).toBeNull();
    }
  });

  it('refuses, as a coded error, what goes wrong before the first part; hides what is not meant for clients', async () => {
    const { exports, at } = await open();
    exports.next = () => Promise.reject(new AppError('DATABASE_UNAVAILABLE', 'not now'));
    const response = await at('/export');
    expect([response.status, response.headers.get('content-type')]).toEqual([503, 'application/json; charset=utf-8']);
    exports.next = () => Promise.reject(new Error('password'));
    const hidden = await at('/export');
    expect([hidden.status, await hidden.text()]).toEqual([500, expect.not.stringContaining('password')]);
    expect(hidden.headers.get('content-disposition')).toBeNull();
  });

  it('breaks the transfer when it fails in the middle, so that half a file is not taken for a whole one', async () => {
    const warned: unknown[] = [];
    const { exports, at } = await open({ log: { ...silentLog, warn: (...said: unknown[]) => void warned.push(said) } });
    exports.next = async (k) => {
      if (k === 2) throw new Error('the database went away');
      return MEGABYTE;
    };
    const response = await at('/export');
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow('terminated');
    expect(exports.released).toBe(1);
    expect(warned).toHaveLength(1);
  });

  it('reads no further than its client takes, and gives up when that leaves', async () => {
    const { exports } = await open();
    exports.next = async () => MEGABYTE;
    const client = quietClient('/export');
    await client.response;
    await vi.waitFor(() => expect(exports.given).toBeGreaterThan(0));
    const settled = async () => {
      const before = exports.given;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return exports.given === before;
    };
    await vi.waitFor(async () => expect(await settled()).toBe(true), 5_000);
    expect(exports.given).toBeLessThan(30_000_000);
    expect(exports.released).toBe(0);
    client.leave();
    await vi.waitFor(() => expect(exports.released).toBe(1));
  });

  it('gives up when a client leaves before there is anything to send', async () => {
    const { exports } = await open();
    exports.next = async (k) => (k === 0 ? MEGABYTE : turn().then(() => new Uint8Array()));
    const client = quietClient('/export');
    await client.response;
    client.leave();
    await vi.waitFor(() => expect(exports.released).toBe(1));
  });

  it('cuts off a client that takes nothing for a minute', async () => {
    let stalled = () => {};
    const clock: Clock = {
      ...systemClock,
      // The stall is the only minute anybody waits for here.
      sleep: (ms, signal) =>
        ms === 60_000
          ? new Promise((resolve) => {
              stalled = resolve;
            })
          : systemClock.sleep(ms, signal),
    };
    const { exports } = await open({ clock });
    exports.next = async () => MEGABYTE;
    const client = quietClient('/export');
    const response = await client.response;
    await vi.waitFor(() => {
      expect(exports.given).toBeGreaterThan(1_000_000);
      stalled();
      expect(exports.released).toBe(1);
    }, 10_000);
    response.resume();
    expect(await client.ended).toBe('cut');
  });

  it('runs three at once; the fourth is told to come again', async () => {
    const { exports, at } = await open();
    exports.next = async () => MEGABYTE;
    const clients = [1, 2, 3].map(() => quietClient('/export'));
    await Promise.all(clients.map((client) => client.response));
    const fourth = await at('/export');
    expect([fourth.status, fourth.headers.get('retry-after'), await fourth.json()]).toEqual([
      503,
      '5',
      { errors: [{ message: expect.stringContaining('3 exports are running'), extensions: { code: 'EXPORTS_BUSY' } }] },
    ]);
    expect((await at('/export/manifest')).status).toBe(200);
    clients[0]?.leave();
    exports.next = async (k) => (k === 0 ? MEGABYTE : null);
    await vi.waitFor(async () => {
      const response = await at('/export');
      expect([response.status, (await response.arrayBuffer()).byteLength]).toEqual([200, 1_000_000]);
    });
    for (const client of clients) client.leave();
    await vi.waitFor(() => expect(exports.released).toBe(exports.opened));
  });

  it('is for the same pages as everything else, by GET', async () => {
    const { exports, at } = await open();
    for (const path of ['/export', '/export/manifest']) {
      expect((await at(path, { headers: { origin: 'https://elsewhere.example' } })).status).toBe(403);
      expect((await at(path, { method: 'POST' })).status).toBe(405);
    }
    expect(exports.opened).toBe(0);
  });
});
