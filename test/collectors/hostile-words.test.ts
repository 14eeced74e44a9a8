import { afterEach, describe, expect, it } from 'vitest';
import { Rejections } from '../../src/collectors/rejections.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import { openLogging } from '../../src/runtime/logger.ts';
import { connect, listen, route, tickers } from '../support/hand-connection.ts';

const { okx, binance } = EXCHANGES;

/** What a line, a terminal or a reader of logs could take for something else. */
const WORDS = [
  'x\r\n{"level":"error","msg":"forged"}',
  'x\u2028forged\u2029',
  '\u001b[2J\u001b[31mred',
  '\u009b31mred',
  '\u202egnp.exe',
  'x'.repeat(1_000_000),
  `"}\n{"forged":true}`,
];
const NAMES = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'prototype'];
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const RAW = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e]/;

describe('a log, of what an exchange says', () => {
  const settings = {
    level: 'DEBUG',
    console_output: true,
    file_output: false,
    cleanup: false,
    max_files: 1,
    log_directory: '.',
  } as const;

  it.each(['json', 'detailed'] as const)('has one bounded line an event, in the format %s', async (format) => {
    let output = '';
    let events = 0;
    await using logging = openLogging(
      { ...settings, format },
      { websocket_clients: { verbose: true } },
      { secrets: [], console: { write: (line) => (output += line) } },
    );
    const inner = logging.open('websocket_clients');
    const counted = (level: 'debug' | 'info' | 'warn' | 'error') => (message: string, fields?: object) => {
      events += 1;
      inner[level](message, { ...fields });
    };
    const log = { debug: counted('debug'), info: counted('info'), warn: counted('warn'), error: counted('error') };
    for (const word of WORDS) {
      const { connection, clock, newest } = connect(okx, 'public', { log });
      connection.want(tickers, listen().listener);
      await clock.advance(1);
      newest().open();
      newest().say({ event: 'error', code: '60018', msg: word, arg: { channel: 'tickers', instId: 'BTC-USDT' } });
      newest().say({ event: 'error', code: word, msg: word });
      newest().cut();
      log.warn(word, { symbol: word, header: word, [word.slice(0, 200)]: word });
      connection[Symbol.dispose]();
    }
    const lines = output.split('\n').slice(0, -1);
    expect(events).toBeGreaterThan(3 * WORDS.length);
    expect(lines).toHaveLength(events);
    for (const line of lines) {
      expect(line).not.toMatch(RAW);
      expect(line.length).toBeLessThan(20_000);
      if (format === 'json') {
        const event = JSON.parse(line) as Record<string, unknown>;
        expect(Object.hasOwn(event, 'forged')).toBe(false);
        for (const value of Object.values(event)) expect(String(value).length).toBeLessThan(2_100);
      }
    }
  });

  it('is kept as a sample of bounded length', () => {
    const rejections = new Rejections();
    for (const [index, word] of WORDS.entries()) rejections.add(`word ${index}`, word);
    for (const name of NAMES) rejections.add(name, name);
    expect(rejections.list().map(({ reason }) => reason)).toEqual([
      ...WORDS.map((_, index) => `word ${index}`),
      ...NAMES,
    ]);
    for (const { sample } of rejections.list()) expect(sample.length).toBeLessThanOrEqual(300);
  });
});

describe('names that JavaScript knows', () => {
  const prints = () => JSON.stringify(Object.getOwnPropertyNames(Object.prototype).toSorted());
  const before = prints();
  afterEach(() => {
    expect(prints()).toBe(before);
    expect(({} as { readonly polluted?: unknown }).polluted).toBeUndefined();
  });

  it.each([okx, binance])('are keys and instruments like others to $id, or are refused with a reason', (adapter) => {
    const known = route('BTC-USDT', 'trade', undefined, adapter);
    const routes = new Map([[known.channel.key, known]]);
    for (const name of NAMES) {
      const evil = `{"${name}":{"polluted":true}}`;
      const frames = [
        evil,
        `{"arg":{"channel":"${name}","instId":"${name}"},"data":[${evil}]}`,
        `{"arg":{"channel":"${known.channel.name}","instId":"${name}"},"data":[${evil}]}`,
        `{"arg":{"channel":"${known.channel.name}","instId":"BTC-USDT","${name}":${evil}},"data":[${evil}],"${name}":1}`,
        `{"event":"${name}","code":"${name}","msg":"${name}","arg":${evil}}`,
        `{"stream":"${name}@trade","data":{"e":"${name}","s":"${name}","${name}":${evil}}}`,
        `{"stream":"btcusdt@trade","data":{"e":"trade","s":"${name}","t":1,"p":"1","q":"1","T":1767225600000,"m":true,"${name}":${evil}}}`,
        `{"id":"${name}","error":{"code":"${name}","msg":"${name}"}}`,
        `{"result":null,"id":"${name}"}`,
      ];
      for (const frame of frames) {
        const read = () => adapter.readFrame(frame, 1_767_225_600_000, routes);
        try {
          const understood = read();
          if (understood.kind === 'events') expect(understood.events).toEqual([]);
        } catch (error) {
          expect(error).toMatchObject({ code: 'FRAME_MALFORMED' });
        }
      }
      for (const [status, body] of [
        [200, evil],
        [400, `{"code":"${name}","msg":"${name}","data":[${evil}]}`],
      ] as const) {
        expect(typeof adapter.rest.readFailure(status, body).message).toBe('string');
        expect(() => adapter.rest.readOrderBook(body, 0)).toThrow();
      }
    }
  });
});
