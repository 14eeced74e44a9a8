import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { EventLog } from '../../src/pipeline/events/event-log.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openEventLog } from '../../src/storage/event-log.ts';
import { ManualClock } from '../support/manual-clock.ts';

interface Event {
  readonly what: string;
}

let directory: string;
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tcp-events-'));
});
afterEach(() => rm(directory, { recursive: true, force: true }));

const open = (keep?: number) =>
  openEventLog<Event>(directory, { clock: new ManualClock(), log: silentLog, ...(keep && { keep }) });
const told = (log: EventLog<Event>) => {
  const events: string[] = [];
  log.onEvent(({ number, event }) => events.push(`${number} ${event.what}`));
  return events;
};
const all = (log: EventLog<Event>, after = 0) =>
  log.after(after, 100).map(({ number, event }) => `${number} ${event.what}`);

describe('the log of events', () => {
  it('tells of an event once it is durable, with its number, in order', async () => {
    using log = open();
    const events = told(log);
    for (const what of ['a', 'b', 'c']) log.append({ what });
    expect(events).toEqual([]);
    await vi.waitFor(() => expect(events).toEqual(['1 a', '2 b', '3 c']));
    expect(all(log)).toEqual(events);
    expect([log.oldest, log.newest]).toEqual([1, 3]);
  });

  it('is for its owner only', async () => {
    using log = open();
    log.append({ what: 'a' });
    const files = await readdir(directory);
    const modes = await Promise.all(files.map(async (file) => (await stat(join(directory, file))).mode & 0o777));
    expect(modes).toEqual(files.map(() => 0o600));
  });

  it('goes on with its numbers and its name after a restart', async () => {
    let id = '';
    {
      using log = open();
      log.append({ what: 'a' });
      id = log.id;
    }
    using log = open();
    expect(log.id).toBe(id);
    const events = told(log);
    log.append({ what: 'b' });
    await vi.waitFor(() => expect(events).toEqual(['2 b']));
    expect(all(log)).toEqual(['1 a', '2 b']);
    expect(all(log, 1)).toEqual(['2 b']);
    expect(log.after(0, 1)).toHaveLength(1);
  });

  it('keeps the newest, and never gives a number twice', async () => {
    {
      using log = open(3);
      const events = told(log);
      for (let number = 1; number <= 2_000; number += 1) log.append({ what: 'x' });
      await vi.waitFor(() => expect(events).toHaveLength(2_000));
    }
    using log = open(3);
    expect([log.oldest, log.newest]).toEqual([1_998, 2_000]);
    expect(all(log)).toEqual(['1998 x', '1999 x', '2000 x']);
  });

  it('starts empty, with another name, beside what was damaged', async () => {
    let id = '';
    {
      using log = open();
      log.append({ what: 'a' });
      id = log.id;
    }
    const file = join(directory, 'events-0.sqlite');
    await writeFile(file, 'this is no database, whatever it was before');
    using log = open();
    expect(log.id).not.toBe(id);
    expect([log.oldest, log.newest, all(log)]).toEqual([1, 0, []]);
    expect(await readdir(directory)).toContain('events-0.sqlite.damaged-1');
  });

  it('gives each server of a directory a log of its own', () => {
    using here = open();
    using there = open();
    expect(here.id).not.toBe(there.id);
  });

  it('shows nothing a full disk did not take, and goes on when there is room', async () => {
    const clock = new ManualClock();
    using log = openEventLog<Event>(directory, { clock, log: silentLog, maxPages: 8 });
    const events = told(log);
    log.append({ what: 'x'.repeat(100_000) });
    log.append({ what: 'b' });
    await clock.advance(100);
    expect(events).toEqual([]);
    log.allow(10_000);
    await clock.advance(5_000);
    expect(events).toEqual([`1 ${'x'.repeat(100_000)}`, '2 b']);
  });

  it('has an event that cannot wait at once, behind those that did, or not at all', () => {
    using log = openEventLog<Event>(directory, { clock: new ManualClock(), log: silentLog, maxPages: 8 });
    log.append({ what: 'a' });
    expect(log.appendNow({ what: 'b' })).toBe(2);
    expect(all(log)).toEqual(['1 a', '2 b']);
    expect(() => log.appendNow({ what: 'x'.repeat(100_000) })).toThrow('full');
    expect(log.appendNow({ what: 'c' })).toBe(3);
    expect(all(log)).toEqual(['1 a', '2 b', '3 c']);
  });

  it('still has after a kill -9 whatever it told of', async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL('event-log-child.ts', import.meta.url)), directory], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    await vi.waitFor(() => expect(output.split('\n').length).toBeGreaterThan(50), { timeout: 20_000 });
    child.kill('SIGKILL');
    await once(child, 'exit');
    const seen = output.split('\n').slice(0, -1).map(Number);
    expect(seen).toEqual(seen.map((_, index) => index + 1));
    using log = open();
    expect(log.newest).toBeGreaterThanOrEqual(seen.at(-1) ?? 0);
    expect(log.after(0, 100_000).map(({ number }) => number)).toEqual(
      Array.from({ length: log.newest }, (_, k) => k + 1),
    );
  });
});
