import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import {
  type ComponentSettings,
  type LoggingOptions,
  type LoggingSettings,
  openLogging,
} from '../../src/runtime/logger.ts';
import { Secret } from '../../src/runtime/secret.ts';

const CONSOLE_ONLY: LoggingSettings = {
  level: 'INFO',
  format: 'json',
  console_output: true,
  file_output: false,
  cleanup: true,
  max_files: 3,
  log_directory: '/nowhere',
};

/** A log whose console lines can be read. */
function openLog(
  settings: Partial<LoggingSettings> = {},
  components: ComponentSettings = {},
  options: Partial<LoggingOptions> = {},
) {
  const written: string[] = [];
  const logging = openLogging({ ...CONSOLE_ONLY, ...settings }, components, {
    secrets: [],
    console: { write: (line) => written.push(line) },
    ...options,
  });
  return { ...logging, written, events: () => written.map((line) => JSON.parse(line)) };
}

const directories: string[] = [];
afterEach(async () => {
  for (const directory of directories.splice(0)) await rm(directory, { recursive: true });
});

async function emptyDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'log-test-'));
  directories.push(directory);
  return directory;
}

describe('a log line', () => {
  it('is one JSON object with level, time, component, fields and message', async () => {
    const { open, events } = openLog();
    open('storage').warn('The disk is slow', { waitedMs: 12, table: 'trade' });
    expect(events()).toEqual([
      {
        level: 'warn',
        time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
        component: 'storage',
        msg: 'The disk is slow',
        waitedMs: 12,
        table: 'trade',
      },
    ]);
  });

  it('is one line for people in the detailed format', async () => {
    const { open, written } = openLog({ format: 'detailed' });
    open('server').info('Ready', { port: 4000 });
    expect(written).toEqual([expect.stringMatching(/^\[[\d-]+ [\d:.]+\] INFO: server: Ready \{"port":4000\}\n$/)]);
  });

  it('keeps its own level, time, component and message when fields have those names', async () => {
    const { open, events } = openLog();
    open('server').info('true', { level: 'error', time: 0, component: 'storage', msg: 'false' });
    expect(events()).toEqual([
      expect.objectContaining({ level: 'info', component: 'server', msg: 'true', msg_: 'false' }),
    ]);
  });

  const HOSTILE = 'a\r\n{"level":"error"}\u001b[2J\u0007\u0085\u2028\u2029\u202eb\u0000';

  it.each(['json', 'detailed'] as const)(
    'stays one line without control characters in %s, whatever is in it',
    async (format) => {
      const { open, written } = openLog({ format });
      open('websocket_clients').error(HOSTILE, { text: HOSTILE, [HOSTILE]: [HOSTILE], error: new Error(HOSTILE) });
      expect(written).toHaveLength(1);
      // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
      expect(written[0]?.slice(0, -1)).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202e]/);
      expect(written[0]?.endsWith('\n')).toBe(true);
    },
  );

  it('still holds the exact text for a reader of its JSON', async () => {
    const { open, events } = openLog();
    open('server').info(HOSTILE, { text: HOSTILE });
    expect(events()).toEqual([expect.objectContaining({ msg: HOSTILE, text: HOSTILE })]);
  });

  it.each([
    ['quiet', false, 500],
    ['verbose', true, 2_000],
  ] as const)('is cut where a text is too long, when %s', async (_name, verbose, limit) => {
    const { open, events } = openLog({}, { server: { verbose } });
    open('server').info('m'.repeat(1_000_000), { text: 't'.repeat(1_000_000), few: 'f'.repeat(limit) });
    const [event] = events();
    expect(event.text).toBe(`${'t'.repeat(limit)}… (1000000 characters)`);
    expect(event.few).toBe('f'.repeat(limit));
    expect(event.msg).toBe(`${'m'.repeat(2_000)}… (1000000 characters)`);
  });

  it('stays short however many fields, entries and levels there are', async () => {
    const { open, written } = openLog({}, { server: { verbose: true } });
    const many = Array.from({ length: 1_000 }, () => 'x'.repeat(2_000));
    const deep = { a: { b: { c: { d: { e: 'bottom' } } } } };
    const round: { self?: unknown } = {};
    round.self = round;
    open('server').info('Much', {
      many,
      deep,
      round,
      ...Object.fromEntries(many.map((text, index) => [`f${index}`, text])),
    });
    expect(written.join('').length).toBeLessThan(40_000);
    expect(written.join('')).not.toContain('bottom');
  });

  it('takes values JSON has no word for', async () => {
    const { open, events } = openLog();
    const trap = {
      get mine() {
        throw new Error('not readable');
      },
    };
    open('server').info('Odd', {
      big: 2n ** 64n,
      nan: Number.NaN,
      at: new Date(0),
      none: undefined,
      work: () => 1,
      trap,
      bytes: new Uint8Array(3),
    });
    expect(events()[0]).toMatchObject({
      big: '18446744073709551616',
      nan: 'NaN',
      at: '1970-01-01T00:00:00.000Z',
      work: '[function]',
      trap: '[unreadable]',
      bytes: '[3 bytes]',
    });
  });

  it('tells an error with its causes, and with its stack only when verbose', async () => {
    const error = new Error('Cannot commit', { cause: Object.assign(new Error('refused'), { code: 'ECONNREFUSED' }) });
    const { open, events } = openLog({}, { storage: { verbose: true } });
    open('server').error('Failed', { error });
    open('storage').error('Failed', { error });
    expect(events()[0].error).toBe('Error: Cannot commit <- Error ECONNREFUSED: refused');
    expect(events()[1].error).toContain('logger.test.ts');
  });
});

describe('the level of a component', () => {
  it('is its own or the general one', async () => {
    const { open, events } = openLog(
      { level: 'WARN' },
      {
        websocket_clients: { level: 'DEBUG', verbose: false },
        data_collectors: { level: 'ERROR', verbose: false },
        graphql: { verbose: true },
      },
    );
    for (const component of ['websocket_clients', 'data_collectors', 'graphql', 'server'] as const)
      for (const level of ['debug', 'info', 'warn', 'error'] as const) open(component)[level](level);
    const said = (component: string) =>
      events()
        .filter((event) => event.component === component)
        .map((event) => event.level);
    expect(said('websocket_clients')).toEqual(['debug', 'info', 'warn', 'error']);
    expect(said('data_collectors')).toEqual(['error']);
    expect(said('graphql')).toEqual(['warn', 'error']);
    expect(said('server')).toEqual(['warn', 'error']);
  });
});

describe('a secret', () => {
  const canary = `canary-${randomUUID()}`;
  const secrets = [new Secret(canary), new Secret(`${canary}-and-more`)];

  it.each(['json', 'detailed'] as const)('is never written, wherever it turns up (%s)', async (format) => {
    const { open, written } = openLog({ format }, { server: { verbose: true } }, { secrets });
    const log = open('server');
    log.info(`connecting to postgres://me:${canary}@db/x`);
    log.info('Fields', {
      url: `wss://x/?key=${canary}`,
      list: [{ deep: canary }],
      [canary]: 1,
      wrapped: new Secret(canary),
    });
    log.info('Cut', { text: 'x'.repeat(1_990) + canary, longer: `${'x'.repeat(1_960)}${canary}${'y'.repeat(1e6)}` });
    log.info('x'.repeat(1_980) + canary);
    log.info(`two secrets, one in the other: ${canary}-and-more`);
    log.info(canary.repeat(1_000), { many: `${canary}x`.repeat(1_000) });
    log.error('Failed', {
      error: new Error(canary, { cause: new Error(canary) }),
      url: new URL(`https://x/${canary}`),
    });
    expect(written).toHaveLength(7);
    expect(written.join('')).toContain('[redacted]');
    expect(written.join('')).not.toMatch(new RegExp(`${canary.slice(0, 12)}|and-more`));
  });

  it.each([
    'password',
    'Passphrase',
    'api_secret',
    'authorization',
    'Authorization',
    'apiKey',
    'api-key',
    'x-auth-token',
    'cookie',
    'credentials',
    'sign',
  ])('is taken for one in a field called %s', async (name) => {
    const { open, written } = openLog();
    open('server').info('Asked', { headers: { [name]: 'hunter2' }, [name]: { inner: 'hunter2' } });
    expect(written.join('')).not.toContain('hunter2');
  });

  it('is taken for one before the @ of any URL', async () => {
    const { open, events } = openLog();
    open('server').info('Trying postgres://somebody:hunter2@db:5432/x and https://tok@host/y, mail me@example.com');
    expect(events()[0].msg).toBe(
      'Trying postgres://[redacted]@db:5432/x and https://[redacted]@host/y, mail me@example.com',
    );
  });
});

describe('log files', () => {
  const toFile = (log_directory: string, settings: Partial<LoggingSettings> = {}): Partial<LoggingSettings> => ({
    console_output: false,
    file_output: true,
    log_directory,
    ...settings,
  });
  const rotated = async (directory: string) =>
    (await readdir(directory)).filter((name) => name !== 'tcp-dashboard.log').sort();

  it.skipIf(!existsSync('/proc'))('are refused at once where no directory can be made', () => {
    expect(() => openLog(toFile('/proc/no/logs'))).toThrow(/^logging.log_directory: no log can be written in \/proc/);
  });

  it('and their directory are for their owner only', async () => {
    const directory = join(await emptyDirectory(), 'a', 'b');
    await using log = openLog(toFile(directory));
    log.open('server').info('Ready');
    expect((await stat(directory)).mode & 0o777).toBe(0o700);
    expect((await stat(join(directory, 'tcp-dashboard.log'))).mode & 0o777).toBe(0o600);
  });

  it('hold every line once the log is disposed, after those of an earlier run', async () => {
    const directory = await emptyDirectory();
    for (const run of [1, 2]) {
      await using log = openLog(toFile(directory));
      for (let line = 0; line < 1_000; line += 1) log.open('server').info('Counted', { run, line });
    }
    const lines = (await readFile(join(directory, 'tcp-dashboard.log'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line).line)).toEqual([...Array(1_000).keys(), ...Array(1_000).keys()]);
  });

  it('are rotated by size, and only the newest are kept', async () => {
    const directory = await emptyDirectory();
    {
      await using log = openLog(toFile(directory), {}, { maxBytes: 2_000 });
      for (let line = 0; line < 60; line += 1) {
        log.open('server').info('Counted', { line, padding: 'x'.repeat(300) });
        await vi.waitFor(async () => expect(await directoryText(directory)).toContain(`"line":${line},`), {
          interval: 2,
        });
      }
    }
    expect(await rotated(directory)).toHaveLength(3);
    const text = await directoryText(directory);
    const kept = [...text.matchAll(/"line":(\d+),/g)].map((match) => Number(match[1])).sort((a, b) => a - b);
    expect(kept).toEqual(Array.from({ length: kept.length }, (_, index) => 60 - kept.length + index));
  });

  it('of an earlier day are put away under its date', async () => {
    const directory = await emptyDirectory();
    const yesterday = new Date(Date.now() - 86_400_000);
    await writeFile(join(directory, 'tcp-dashboard.log'), 'old\n');
    await utimes(join(directory, 'tcp-dashboard.log'), yesterday, yesterday);
    {
      await using log = openLog(toFile(directory));
      log.open('server').info('New');
    }
    const name = `tcp-dashboard.${yesterday.toISOString().slice(0, 10)}.1.log`;
    expect(await rotated(directory)).toEqual([name]);
    expect(await readFile(join(directory, name), 'utf8')).toBe('old\n');
    expect(await readFile(join(directory, 'tcp-dashboard.log'), 'utf8')).toMatch(/^\{.*"msg":"New"\}\n$/);
  });

  it.each([
    [
      'are cleaned up to max_files, the oldest first',
      true,
      ['tcp-dashboard.2026-01-04.1.log', 'tcp-dashboard.2026-01-05.1.log', 'tcp-dashboard.2026-01-05.2.log'],
    ],
    ['are all kept without cleanup', false, null],
  ] as const)('%s', async (_name, cleanup, left) => {
    const directory = await emptyDirectory();
    const names = ['01-01.1', '01-02.1', '01-03.1', '01-04.1', '01-05.1', '01-05.2'].map(
      (day) => `tcp-dashboard.2026-${day}.log`,
    );
    for (const [index, name] of names.entries()) {
      await writeFile(join(directory, name), '');
      await utimes(join(directory, name), 1_767_225_600 + index, 1_767_225_600 + index);
    }
    await writeFile(join(directory, 'mine.log'), 'not ours');
    {
      await using log = openLog(toFile(directory, { cleanup }));
      log.open('server').info('Ready');
    }
    expect((await rotated(directory)).filter((name) => name !== 'mine.log')).toEqual(left ?? names);
    expect(await readFile(join(directory, 'mine.log'), 'utf8')).toBe('not ours');
  });

  it('that cannot be written keep the server from starting, saying which setting is wrong', async () => {
    const directory = await emptyDirectory();
    await writeFile(join(directory, 'file'), '');
    expect(() => openLog(toFile(join(directory, 'file', 'logs')))).toThrow(
      expect.objectContaining({
        code: 'CONFIG_INVALID',
        message: expect.stringMatching(/^logging\.log_directory: .*logging\.file_output/),
      }),
    );
  });
});

async function directoryText(directory: string): Promise<string> {
  const names = (await readdir(directory)).sort();
  const texts = await Promise.all(names.map((name) => readFile(join(directory, name), 'utf8').catch(() => '')));
  return texts.join('');
}
