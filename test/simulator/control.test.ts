import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { FAULTS } from '../../src/simulator/fault.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import type { SimulatorState } from '../../src/simulator/simulator-state.ts';
import { Probe } from './probe.ts';

let simulator: Simulator;
const call = (path: string, init: RequestInit = {}) => fetch(`${simulator.connection.rest_url}/control/${path}`, init);
const set = (body: unknown) =>
  call('faults', { method: 'POST', body: typeof body === 'string' ? body : JSON.stringify(body) });

beforeAll(async () => {
  simulator = await startSimulator({ exchange: 'okx', rate: 100 });
});
afterAll(() => simulator[Symbol.asyncDispose]());

describe('the control paths', () => {
  it('set, list and clear faults at run time', async () => {
    const answer = await set({ kind: 'mute', symbol: 'BTC-USDT' });
    expect(answer.status).toBe(201);
    const { id } = (await answer.json()) as { id: number };
    await set({ kind: 'rest-down', path: '/api/v5/market' });
    expect(await (await call('faults')).json()).toMatchObject([
      { id, fault: { kind: 'mute', symbol: 'BTC-USDT' } },
      { fault: { kind: 'rest-down' } },
    ]);
    expect(await (await call(`faults/${id}`, { method: 'DELETE' })).json()).toMatchObject([
      { fault: { kind: 'rest-down' } },
    ]);
    expect(await (await call('faults', { method: 'DELETE' })).json()).toEqual([]);
  });

  it('report instruments, sockets and counters', async () => {
    await using probe = await Probe.open(simulator.connection.business_ws_url);
    probe.okx('subscribe', 'trades-all', 'BTC-USDT');
    await probe.heard(() => probe.okxData('trades-all'), 10);
    const state = (await (await call('state')).json()) as SimulatorState;
    expect(state.exchange).toBe('okx');
    expect(state.sockets.filter(({ subscriptions }) => subscriptions.includes('trades-all:BTC-USDT'))).toMatchObject([
      { endpoint: 'business', requests: 1, halfOpen: false },
    ]);
    expect(state.instruments[0]?.sentRange?.firstTradeId).toBe(probe.okxData('trades-all')[0]?.data[0]?.tradeId);
    expect(state.instruments[1]?.sentRange).toBeNull();
  });

  it.each([
    ['text that is not JSON', 'x', /should be JSON/],
    ['no object', '[]', /a fault is a JSON object/],
    ['no kind', {}, /kind should be one of cut, half-open/],
    ['a kind from the prototype', { kind: 'constructor' }, /kind should be one of/],
    ['an unknown field', { kind: 'mute', seconds: 3 }, /mute has no "seconds"; it knows symbol, channel/],
    ['a field of the wrong type', { kind: 'mute', durationMs: '3' }, /durationMs of mute should be an integer/],
    ['a missing field', { kind: 'gap', symbol: 'BTC-USDT' }, /gap needs "trades"/],
    ['an unknown way', { kind: 'cut', how: 'gently' }, /how should be one of rst, fin, mid-frame/],
    ['too large a frame', { kind: 'oversize', bytes: 1e9 }, /bytes of oversize should be an integer of 0 to 67108864/],
    [
      'an instrument that is not simulated',
      { kind: 'mute', symbol: 'NO-PE' },
      /"NO-PE" is not simulated; these are: BTC-USDT, ETH-USDT/,
    ],
    ['too large a body', JSON.stringify({ kind: 'garbage', text: 'x'.repeat(70_000) }), /at most 64 KiB/],
  ])('refuse %s and say what is right', async (_what, body, message) => {
    const answer = await set(body);
    expect(answer.status).toBe(400);
    expect(((await answer.json()) as { error: string }).error).toMatch(message);
    expect(simulator.faults.active).toEqual([]);
  });

  it('answer no web page and no unknown path', async () => {
    expect(
      (await call('faults', { method: 'POST', body: '{"kind":"cut"}', headers: { origin: 'https://evil.example' } }))
        .status,
    ).toBe(403);
    expect((await call('nothing')).status).toBe(404);
  });
});

describe('docs/simulator.md', () => {
  it('has every fault with its fields and what it does, as the code has them', () => {
    const page = readFileSync(new URL('../../docs/simulator.md', import.meta.url), 'utf8');
    for (const [kind, row] of Object.entries(FAULTS)) {
      const fields = row.fields.map((field) => `\`${field}\``).join(' ');
      expect(page).toContain(`| \`${kind}\` | ${fields} | ${row.does} |`);
    }
  });
});
