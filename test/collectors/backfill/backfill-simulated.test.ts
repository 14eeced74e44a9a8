import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { Backfiller } from '../../../src/collectors/backfill/backfiller.ts';
import { Reconciler } from '../../../src/collectors/backfill/reconciler.ts';
import { ExchangeFactory } from '../../../src/collectors/exchange-factory.ts';
import { idsOf } from '../../../src/collectors/rest/exchange-rest.ts';
import { systemClock } from '../../../src/runtime/clock.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { type SimulatorOptions, startSimulator } from '../../../src/simulator/simulator.ts';
import { countAt, tradeById } from '../../../src/simulator/tape.ts';
import { MemoryLedger } from '../../support/memory-ledger.ts';

const SYMBOL = 'BTC-USDT';

/** A backfill over HTTP from a simulated exchange that enforces its limits. */
async function simulated(exchange: 'okx' | 'binance', own: Partial<SimulatorOptions> = {}) {
  const simulator = await startSimulator({ exchange, symbols: [SYMBOL], rate: 200, enforceLimits: true, ...own });
  const ledger = new MemoryLedger(systemClock);
  const statuses: number[] = [];
  const sentAt: number[] = [];
  const factory = new ExchangeFactory({
    clock: systemClock,
    connections: { [exchange]: simulator.connection },
    fetch: async (url, init) => {
      sentAt.push(performance.now());
      const response = await fetch(url, init);
      statuses.push(response.status);
      return response;
    },
  });
  const backfiller = new Backfiller({
    ...{ ledger, accept: ledger.accept, clock: systemClock, random: Math.random, log: silentLog },
    restOf: (id) => factory.restOf(id),
  });
  onTestFinished(async () => {
    backfiller[Symbol.dispose]();
    factory[Symbol.dispose]();
    await simulator[Symbol.asyncDispose]();
  });
  const tape = simulator.tape(SYMBOL);
  const head = tape.firstId + BigInt(countAt(tape, Date.now())) - 1n;
  /** The last trades before now are here, and `older` of them that lie before `missing`. */
  const lose = (missing: number, after = 0) => {
    const last = head - BigInt(after);
    ledger.live(exchange, SYMBOL, last - BigInt(missing) - 10n, last - BigInt(missing) - 1n);
    ledger.live(exchange, SYMBOL, last, head);
    return { first: last - BigInt(missing), last: last - 1n };
  };
  const filled = (timeoutMs: number) =>
    vi.waitFor(() => expect(ledger.openGaps(exchange, SYMBOL)).toEqual([]), { timeout: timeoutMs, interval: 20 });
  /** Every trade between the two ids, once, as the tape has it. */
  const expectTrades = ({ first, last }: { first: bigint; last: bigint }) => {
    const got = ledger.accepted
      .map(({ trade }) => trade)
      .sort((a, b) => Number(BigInt(a.tradeId) - BigInt(b.tradeId)))
      .map(({ tradeId, price, size, side, exchangeTime }) => [
        tradeId,
        Number(price),
        Number(size),
        side,
        exchangeTime,
      ]);
    const made = Array.from({ length: Number(last - first) + 1 }, (_, i) => {
      const trade = tradeById(tape, String(first + BigInt(i)));
      return [trade?.tradeId, Number(trade?.price), Number(trade?.size), trade?.side, trade?.time];
    });
    expect(got).toEqual(made);
  };
  return { simulator, factory, ledger, backfiller, tape, statuses, sentAt, lose, filled, expectTrades };
}

/** The most requests within any stretch of so many ms. */
const busiest = (sentAt: readonly number[], ms: number): number =>
  Math.max(...sentAt.map((from) => sentAt.filter((at) => at >= from && at < from + ms).length));

describe('over HTTP, within the limits that the exchange enforces', () => {
  it('OKX: keeps to twenty pages in two seconds, and is refused not once', async () => {
    const { ledger, statuses, sentAt, lose, filled, expectTrades } = await simulated('okx');
    const missing = lose(3_000, 600); // out of reach of the newest 500
    const from = performance.now();
    await filled(20_000);
    const seconds = (performance.now() - from) / 1_000;
    expectTrades(missing);
    expect(ledger.givenUp).toEqual([]);
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(busiest(sentAt, 2_000)).toBeLessThanOrEqual(20);
    console.log(`okx: ${(statuses.length / seconds).toFixed(2)} pages/s, ${(3_000 / seconds).toFixed(0)} trades/s`);
  });

  it('Binance: fills ten thousand trades with eleven requests', async () => {
    const { ledger, statuses, lose, filled, expectTrades } = await simulated('binance');
    const missing = lose(10_000, 5_000);
    await filled(10_000);
    expectTrades(missing);
    expect(ledger.givenUp).toEqual([]);
    expect(statuses.every((status) => status === 200)).toBe(true);
    expect(statuses.length).toBeLessThanOrEqual(12); // and the list of instruments
  });

  it('ids beyond 2^53 come to the last digit', async () => {
    const { lose, filled, expectTrades } = await simulated('binance', { firstId: 9_007_199_254_740_993n });
    const missing = lose(50, 10);
    await filled(10_000);
    expectTrades(missing);
  });
});

describe('beside a live stream', () => {
  /** Collects from the simulated sockets into the ledger, with everything that heals it. */
  async function collecting(exchange: 'okx' | 'binance', channel: string) {
    const around = await simulated(exchange, { rate: 300 });
    const { ledger, factory, simulator } = around;
    const ports = {
      ...{ ledger, accept: ledger.accept, clock: systemClock, random: Math.random, log: silentLog },
      restOf: (id: string) => factory.restOf(id),
    };
    const reconciler = new Reconciler(ports);
    const collector = factory.createCollector({
      ...{ exchange, symbol: SYMBOL, dataTypes: ['trade'] },
      customParams: { channels: { trade: channel } },
    });
    onTestFinished(async () => {
      reconciler[Symbol.dispose]();
      await collector.stop();
    });
    let first: bigint | null = null;
    collector.onEvent((event) => {
      if (event.kind !== 'trade') return;
      const ids = idsOf(event);
      first ??= ids.first;
      if (ids.first >= first) ledger.live(exchange, SYMBOL, ids.first, ids.last, event.exchangeTime);
    });
    reconciler.watch(collector);
    await collector.start();
    await vi.waitFor(() => expect(ledger.known(exchange, SYMBOL)).not.toBeNull(), { timeout: 5_000 });
    const healed = async () => {
      const target = (ledger.known(exchange, SYMBOL)?.last ?? 0n) + 300n;
      await vi.waitFor(() => expect(ledger.known(exchange, SYMBOL)?.last).toBeGreaterThan(target), { timeout: 10_000 });
      await vi.waitFor(() => expect(ledger.openGaps(exchange, SYMBOL)).toEqual([]), { timeout: 10_000 });
      expect(ledger.givenUp).toEqual([]);
    };
    return { ...around, collector, healed, simulator };
  }

  it.each([
    ['okx', 'trades-all'],
    ['okx', 'trades'],
    ['binance', 'trade'],
    ['binance', 'aggTrade'],
  ] as const)('%s %s: what the socket did not bring is fetched, fill by fill', async (exchange, channel) => {
    const { simulator, ledger, tape, healed } = await collecting(exchange, channel);
    simulator.faults.add({ kind: 'gap', symbol: SYMBOL, trades: 250 });
    await healed();
    expect(ledger.accepted.length).toBeGreaterThanOrEqual(200);
    for (const { trade } of ledger.accepted)
      expect(Number(trade.price)).toBe(Number(tradeById(tape, trade.tradeId)?.price));
  });

  it('ccxt #26945: nothing is missing after the connection was cut and refused for a while', async () => {
    const { simulator, ledger, collector, healed } = await collecting('okx', 'trades-all');
    simulator.faults.add({ kind: 'refuse', durationMs: 1_500 });
    simulator.faults.add({ kind: 'cut' });
    await vi.waitFor(() => expect(collector.state).not.toBe('running'), { timeout: 5_000 });
    await vi.waitFor(() => expect(collector.state).toBe('running'), { timeout: 15_000 });
    await healed();
    expect(ledger.accepted.length).toBeGreaterThan(300);
    expect(ledger.accepted.some(({ provenance }) => provenance === 'RECONCILED')).toBe(true);
  });
});

describe('with faults', () => {
  it.each([
    ['rest-down', { durationMs: 1_500 }],
    ['rest-down', { durationMs: 1_000, status: 0 }],
    ['rest-limit', { count: 2, retryAfterS: 1 }],
    ['rest-garbage', { count: 3 }],
    ['rest-slow', { count: 4, delayMs: 700 }],
  ] as const)('%s %o: the gap stays open, and is filled to the last trade afterwards', async (kind, own) => {
    const { simulator, ledger, backfiller, lose, filled, expectTrades } = await simulated('okx');
    simulator.faults.add({ kind, ...own });
    const missing = lose(700, 600);
    await filled(20_000);
    expectTrades(missing);
    expect(ledger.givenUp).toEqual([]);
    expect(backfiller.statusOf('okx', SYMBOL)).toMatchObject({ state: 'IDLE', remaining: 0n });
  });

  it('rest-limit 418: Binance is left alone until Retry-After is over', async () => {
    const { simulator, sentAt, statuses, lose, filled } = await simulated('binance');
    simulator.faults.add({ kind: 'rest-limit', path: '/api/v3/trades', count: 1, status: 418, retryAfterS: 2 });
    lose(500);
    await filled(20_000);
    const banned = statuses.indexOf(418);
    expect(banned).toBeGreaterThan(-1);
    const after = sentAt.filter((at) => at > (sentAt[banned] ?? 0) + 50);
    expect((after[0] ?? 0) - (sentAt[banned] ?? 0)).toBeGreaterThan(1_900);
  });

  it('rest-horizon: what is older is given up with the reach in the cause, the rest is filled', async () => {
    const { simulator, ledger, lose, filled } = await simulated('okx');
    simulator.faults.add({ kind: 'rest-horizon', horizonMs: 5_000 });
    const missing = lose(2_000);
    await filled(20_000);
    expect(new Set(ledger.givenUp.map(({ cause }) => cause))).toEqual(
      new Set(['older than what OKX keeps (about 3 months)']),
    );
    const [first = '', second = ''] = ledger.describe('okx', SYMBOL).slice(1);
    expect(first).toMatch(new RegExp(`^${missing.first}-\\d+ UNFILLABLE$`));
    expect(second).toMatch(new RegExp(`^\\d+-${missing.last} BACKFILLED$`));
    const kept = ledger.accepted.length;
    expect(kept).toBeGreaterThan(2 * 200);
    expect(kept).toBeLessThan(6 * 200);
  });
});
