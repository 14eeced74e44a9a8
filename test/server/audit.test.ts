import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Served, serve } from './served.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const noted = () => served.market.audit;

it('notes who did what, to what, why, and how it ended', async () => {
  await served.ask(
    'mutation { restartCollector(input: { name: "okx:BTC-USDT" }, reason: "it hangs") { userErrors { code } } }',
  );
  await served.ask('mutation { stopCollector(input: { name: "okx:NO-BODY" }) { userErrors { code } } }');
  await served.ask('mutation { stopAllCollectors { userErrors { code } } }');
  await served.ask('mutation { addCollector(input: { exchange: "okx", symbol: "NO-SUCH" }) { userErrors { code } } }');
  const local = { at: expect.any(Number), principal: 'local', principalKind: 'open', reason: null };
  expect(noted()).toEqual([
    { ...local, action: 'restartCollector', target: 'okx:BTC-USDT', reason: 'it hangs', outcome: 'DONE' },
    { ...local, action: 'stopCollector', target: 'okx:NO-BODY', outcome: 'COLLECTOR_UNKNOWN' },
    { ...local, action: 'stopAllCollectors', target: null, outcome: 'DONE' },
    { ...local, action: 'addCollector', target: 'okx:NO-SUCH', outcome: 'COLLECTOR_START_FAILED' },
  ]);
});

it('notes what fails inside, and cuts what is too long', async () => {
  served.market.manager.stopAll = () => Promise.reject(new Error('broken'));
  await served.ask('mutation($r: String) { stopAllCollectors(reason: $r) { userErrors { code } } }', {
    r: `\0${'x'.repeat(600)}`,
  });
  expect(noted()).toMatchObject([{ outcome: 'INTERNAL_SERVER_ERROR', reason: 'x'.repeat(500) }]);
});

it('notes nothing of a query', async () => {
  await served.ask('{ auditLog(first: 1) { edges { node { action } } pageInfo { hasNextPage } } }');
  expect(noted()).toEqual([]);
});
