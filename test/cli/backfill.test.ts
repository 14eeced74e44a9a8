import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';
import { type BackfillFlags, runBackfill } from '../../src/cli/backfill-run.ts';
import { lines } from '../../src/cli/progress-view.ts';
import { type BackfillInput, BackfillRequests } from '../../src/collectors/backfill/backfill-requests.ts';
import { Backfiller } from '../../src/collectors/backfill/backfiller.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { EPOCH, HandRest } from '../support/hand-rest.ts';
import { ManualClock, turn } from '../support/manual-clock.ts';
import { MemoryLedger } from '../support/memory-ledger.ts';

const opened: Disposable[] = [];
afterEach(() => {
  for (const one of opened.splice(0)) one[Symbol.dispose]();
});

const at = (second: number) => new Date(EPOCH + second * 1_000).toISOString();

/** The command against what a server does behind its API; trade n was made n seconds after EPOCH. */
function command(own: Partial<BackfillFlags> = {}) {
  const clock = new ManualClock(EPOCH + 20_000_000);
  const ledger = new MemoryLedger(clock);
  const hand = new HandRest('okx', clock, [1, 20_000]);
  const ports = {
    ...{ ledger, accept: ledger.accept, clock, random: () => 0.5, log: silentLog, countIds: ledger.countIds },
    restOf: () => hand.rest,
  };
  const backfiller = new Backfiller(ports);
  const requests = new BackfillRequests({ ...ports, backfiller });
  opened.push(backfiller, requests);
  const server = { away: false };
  const payload = async (field: string, work: () => Promise<unknown>) => {
    try {
      return { [field]: { backfill: await work(), userErrors: [] } };
    } catch (error) {
      if (!(error instanceof AppError)) throw error;
      return { [field]: { backfill: null, userErrors: [{ code: error.code, message: error.message }] } };
    }
  };
  const answer = async (query: string, variables: Record<string, unknown>) => {
    const input = variables.input as Record<string, string>;
    if (query.includes('requestBackfill')) {
      const times = { from: Date.parse(input.from ?? ''), to: Date.parse(input.to ?? '') };
      return payload('requestBackfill', () => requests.request({ ...input, ...times } as unknown as BackfillInput));
    }
    if (query.includes('cancelBackfill')) return payload('cancelBackfill', () => requests.cancel(input.id ?? ''));
    return { backfill: requests.find(String(variables.id)) };
  };
  const fetch = async (url: string, init: RequestInit) => {
    if (server.away) throw new TypeError('fetch failed');
    expect(url).toBe('http://127.0.0.1:4000/graphql');
    const { query, variables } = JSON.parse(String(init.body)) as { query: string; variables: Record<string, unknown> };
    const data = await answer(query, variables);
    return new Response(JSON.stringify({ data }, (_key, value) => (typeof value === 'bigint' ? String(value) : value)));
  };
  const printed: string[] = [];
  const print = (line: string) => void printed.push(line);
  const interrupting = new AbortController();
  const flags = { exchange: 'okx', symbol: 'BTC-USDT', from: at(1_000), to: at(6_000), dryRun: false, ...own };
  const exit = runBackfill(
    { ...flags, url: 'http://127.0.0.1:4000' },
    { fetch, clock, print, view: lines(print, clock), interrupted: interrupting.signal },
  );
  /** Lets time pass until the command ends, or for so many seconds. */
  const pass = async (seconds: number) => {
    let ended = false;
    void exit.then(() => (ended = true));
    for (let step = 0; step < seconds * 4 && !ended; step++) {
      await clock.advance(250);
      for (let rest = 0; rest < 10; rest++) await turn();
    }
  };
  const stored = () => ledger.describe('okx', 'BTC-USDT');
  return { pass, hand, exit, printed, server, interrupt: () => interrupting.abort(), stored };
}

describe('npm run backfill', () => {
  it('says what there is to do, follows it, and ends with 0', async () => {
    const { pass, exit, printed, stored } = command();
    await pass(30);
    expect(await exit).toBe(0);
    expect(printed[0]).toBe(
      `okx BTC-USDT, ${at(1_000)} to ${at(6_000)} (ids 1000 to 5999): 5,000 trades to fetch, about 51 requests and 5 s.`,
    );
    expect(printed[1]).toBe('0 %: 0 of 5000 (fetching)');
    expect(printed.at(-2)).toBe('100 %: 5000 of 5000 (fetching)');
    expect(printed.at(-1)).toMatch(/^Done: 5,000 trades in \d+ s\.$/);
    expect(stored()).toEqual(['1000-5999 BACKFILLED']);
  });

  it('--dry-run changes nothing', async () => {
    const { pass, exit, printed, stored } = command({ dryRun: true });
    await pass(5);
    expect(await exit).toBe(0);
    expect(printed).toHaveLength(1);
    expect(stored()).toEqual([]);
  });

  it('cancels after Ctrl-C and says how to resume', async () => {
    const { pass, exit, printed, interrupt, stored } = command();
    await pass(3);
    interrupt();
    await pass(5);
    expect(await exit).toBe(130);
    expect(printed.at(-2)).toMatch(/^Cancelled: [\d,]+ trades were fetched and stay, [\d,]+ were not\.$/);
    expect(printed.at(-1)).toBe(
      `Resume with: npm run backfill -- --exchange okx --symbol BTC-USDT --from ${at(1_000)} --to ${at(6_000)} --url http://127.0.0.1:4000`,
    );
    expect(stored()).toMatchObject([expect.stringContaining('UNFILLABLE'), expect.stringContaining('BACKFILLED')]);
  });

  it('tells what the exchange does not give', async () => {
    const { pass, hand, exit, printed } = command();
    hand.made = [
      { first: 1n, last: 2_000n },
      { first: 2_011n, last: 20_000n },
    ];
    await pass(30);
    expect(await exit).toBe(0);
    expect(printed.at(-1)).toMatch(/^Done: 4,990 trades in \d+ s; 10 the exchange does not give/);
  });

  it('goes on when the server comes back after a restart', async () => {
    const { pass, exit, printed, server } = command();
    await pass(3);
    server.away = true;
    await pass(20);
    server.away = false;
    await pass(5);
    expect(await exit).toBe(0);
    expect(printed.at(-1)).toMatch(/^Done/);
  });

  it('gives up on a server that stays away, which does not', async () => {
    const { pass, exit, printed, server } = command();
    await pass(3);
    server.away = true;
    await pass(90);
    expect(await exit).toBe(1);
    expect(printed.at(-1)).toContain('goes on with it by itself');
  });

  it('ends with 1 and the code of what was refused', async () => {
    const { pass, exit, printed } = command({ from: at(5), to: at(5) });
    await pass(1);
    expect(await exit).toBe(1);
    expect(printed.at(-1)).toMatch(/^backfill: BAD_USER_INPUT: /);
  });
});

describe('its command line', () => {
  const entry = fileURLToPath(new URL('../../src/cli/backfill.ts', import.meta.url));
  const run = (...args: readonly string[]) => {
    const { status, stdout, stderr } = spawnSync(process.execPath, [entry, ...args], {
      encoding: 'utf8',
      timeout: 20_000,
    });
    return { status, text: stdout + stderr };
  };
  const range = ['--from', '2026-01-01', '--to', '2026-01-02'];

  it.each<[string, readonly string[], number, RegExp]>([
    ['without a flag', [], 2, /--exchange/],
    [
      'with a time that is none',
      ['--exchange', 'okx', '--symbol', 'X', '--from', 'yesterday', '--to', 'now'],
      2,
      /2026-01-31/,
    ],
    [
      'with a day that does not exist',
      ['--exchange', 'okx', '--symbol', 'X', '--from', '2026-02-28', '--to', '2026-02-30'],
      2,
      /2026-01-31/,
    ],
    [
      'with an address that is none',
      ['--exchange', 'okx', '--symbol', 'X', ...range, '--url', '4000'],
      2,
      /127\.0\.0\.1:4000/,
    ],
    ['--help', ['--help'], 0, /--dry-run/],
    [
      'without a server',
      ['--exchange', 'okx', '--symbol', 'BTC-USDT', ...range, '--url', 'http://127.0.0.1:9'],
      1,
      /no server answers at http:\/\/127\.0\.0\.1:9 \(.*ECONNREFUSED|bad port/,
    ],
  ])('%s', (_what, args, status, text) => {
    expect(run(...args)).toEqual({ status, text: expect.stringMatching(text) });
  });
});
