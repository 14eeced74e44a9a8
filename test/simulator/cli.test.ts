import { type ChildProcess, spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, vi } from 'vitest';
import type { ConnectionConfig } from '../../src/exchanges/adapter.ts';
import { openTape, tradeAt, tradeById } from '../../src/simulator/tape.ts';
import { type Json, Probe } from './probe.ts';

const CLI = fileURLToPath(new URL('../../src/simulator/cli.ts', import.meta.url));

/** The command as a process of its own; killed when the test ends, whatever happens. */
class Command implements AsyncDisposable {
  readonly child: ChildProcess;
  out = '';
  err = '';
  code: number | null = null;

  constructor(...args: string[]) {
    this.child = spawn(process.execPath, [CLI, ...args], { stdio: ['ignore', 'pipe', 'pipe'] });
    this.child.stdout?.on('data', (chunk: Buffer) => {
      this.out += chunk.toString();
    });
    this.child.stderr?.on('data', (chunk: Buffer) => {
      this.err += chunk.toString();
    });
    this.child.on('close', (code) => {
      this.code = code;
    });
  }

  async ended(): Promise<number | null> {
    await vi.waitFor(() => expect(this.code).not.toBeNull(), { timeout: 10_000 });
    return this.code;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.child.kill('SIGKILL');
  }
}

describe('npm run simulator', () => {
  it('prints one line with the addresses, serves the tape of its seed, and ends with 0 on SIGTERM', async () => {
    const args =
      '--exchange okx --port 0 --seed cli --rate 100 --symbols BTC-USDT,DOGE-USDT --first-id 9007199254740993';
    await using command = new Command(...args.split(' '));
    await vi.waitFor(() => expect(command.out).toMatch(/\n$/), { timeout: 10_000 });
    expect(command.out).toMatch(/^simulator okx listening on http:\/\/127\.0\.0\.1:\d+ "connection": \{.*\}\n$/);
    const connection = JSON.parse(command.out.slice(command.out.indexOf('{'))) as ConnectionConfig;
    await using probe = await Probe.open(connection.business_ws_url);
    probe.okx('subscribe', 'trades-all', 'DOGE-USDT');
    const frames = await probe.heard(() => probe.okxData('trades-all'), 5);
    const tape = openTape({
      seed: 'cli',
      exchange: 'okx',
      symbol: 'DOGE-USDT',
      rate: 100,
      firstId: 9_007_199_254_740_993n,
    });
    for (const { data } of frames) {
      const { tradeId, px, sz, side, ts } = data[0] as Json;
      const { price, size, side: taker, time } = tradeById(tape, String(tradeId)) ?? tradeAt(tape, 0);
      expect({ px, sz, side, ts }).toEqual({ px: price, sz: size, side: taker, ts: String(time) });
    }
    command.child.kill('SIGTERM');
    expect(await command.ended()).toBe(0);
    await probe.closing();
  });

  it('ends with 0 on SIGINT', async () => {
    await using command = new Command('--exchange', 'binance');
    await vi.waitFor(() => expect(command.out).toContain('/stream'), { timeout: 10_000 });
    command.child.kill('SIGINT');
    expect(await command.ended()).toBe(0);
  });

  it.each([
    ['no exchange', [], /required option '--exchange <id>' not specified/],
    ['an unknown exchange', ['--exchange', 'mtgox'], /Allowed choices are okx, binance/],
    ['an unknown flag', ['--exchange', 'okx', '--fast'], /unknown option '--fast'/],
    ['a rate that is no number', ['--exchange', 'okx', '--rate', 'fast'], /A rate should be a number of 0 to 100000/],
    ['a port that cannot be', ['--exchange', 'okx', '--port', '70000'], /A port should be a number of 0 to 65535/],
    ['an id that is no number', ['--exchange', 'okx', '--first-id', '-3'], /An id should be up to 30 digits/],
    ['a symbol that is none', ['--exchange', 'okx', '--symbols', 'BTCUSDT'], /write BASE-QUOTE, such as BTC-USDT/],
    [
      'a recording that is not there',
      ['--exchange', 'okx', '--replay', '/nowhere.jsonl'],
      /nowhere.jsonl cannot be read/,
    ],
  ])('ends with 2 and the way out for %s', async (_what, args, message) => {
    await using command = new Command(...args);
    expect(await command.ended()).toBe(2);
    expect(command.err).toMatch(message);
    expect(command.err).not.toMatch(/\n\s+at /);
    expect(command.out).toBe('');
  });

  it('ends with 2 when the port is taken', async () => {
    await using first = new Command('--exchange', 'okx');
    await vi.waitFor(() => expect(first.out).toContain('listening'), { timeout: 10_000 });
    const port = /:(\d+) /.exec(first.out)?.[1] ?? '';
    await using second = new Command('--exchange', 'okx', '--port', port);
    expect(await second.ended()).toBe(2);
    expect(second.err).toContain('choose another port, 0 for any');
  });

  it('shows its flags with --help', async () => {
    await using command = new Command('--help');
    expect(await command.ended()).toBe(0);
    expect(command.out).toContain('--replay <file...>');
  });
});
