import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openWebSocket } from '../../src/collectors/connection/socket.ts';
import { checkExchange } from '../../src/doctor/exchanges.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { load } from '../config/load.ts';

describe.each(['okx', 'binance'] as const)('%s', (exchange) => {
  let simulator: Simulator;
  beforeAll(async () => {
    simulator = await startSimulator({ exchange });
  });
  afterAll(() => simulator[Symbol.asyncDispose]());
  beforeEach(() => simulator.faults.clear());

  async function look(own: object = {}, clock: Clock = systemClock) {
    const { connection } = simulator;
    const settings = { exchange, connection, trading_pairs: [{ symbol: 'BTC-USDT' }], ...own };
    const [only] = load({ file: { exchanges: [settings] } }).exchanges;
    if (!only) throw new Error('no exchange');
    return checkExchange(only, { fetch: (url, init) => fetch(url, init), openSocket: openWebSocket, clock });
  }
  const told = async (...how: Parameters<typeof look>) =>
    (await look(...how)).map(({ check, level, of }) => `${check} ${of}: ${level}`);

  it('is fine', async () => {
    const [first, ...others] = await told();
    expect(first).toBe(`exchange-rest ${exchange}: ok`);
    expect(others).toContain(`exchange-clock ${exchange}: ok`);
    expect(others).toContain(`exchange-symbols ${exchange}: ok`);
    expect(others).toContain(`exchange-socket ${exchange} public: ok`);
    expect(others.every((line) => line.endsWith('ok'))).toBe(true);
    expect(await told({ trading_pairs: [] })).toEqual([]);
  });

  it('answers no request', async () => {
    simulator.faults.add({ kind: 'rest-down', status: 503 });
    expect(await told()).toEqual(
      expect.arrayContaining([`exchange-rest ${exchange}: fail`, `exchange-symbols ${exchange}: warn`]),
    );
  });

  it.each([
    [-5_000, 'warn'],
    [60_000, 'fail'],
  ])('has another time by %i ms', async (ahead, level) => {
    const clock = { ...systemClock, now: () => systemClock.now() + ahead };
    const findings = await look({}, clock);
    const finding = findings.find(({ check }) => check === 'exchange-clock');
    expect(finding).toMatchObject({ level, found: expect.stringContaining(ahead < 0 ? 'behind' : 'ahead') });
  });

  it('does not know a symbol', async () => {
    const findings = await look({ trading_pairs: [{ symbol: 'BTC-USDT' }, { symbol: 'BTC-USTD' }] });
    const wrong = findings.filter(({ level }) => level !== 'ok');
    expect(wrong).toMatchObject([{ check: 'exchange-symbols', level: 'fail', found: 'BTC-USTD is not listed' }]);
  });

  it('takes no socket', async () => {
    const nowhere = { ...simulator.connection, public_ws_url: 'ws://127.0.0.1:9/' };
    expect(await told({ connection: nowhere })).toContain(`exchange-socket ${exchange} public: fail`);
  });
});
