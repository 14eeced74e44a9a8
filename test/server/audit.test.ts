import { afterEach, beforeEach, expect, it } from 'vitest';
import { AppError } from '../../src/runtime/errors.ts';
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
  const local = {
    at: expect.any(Number),
    principal: 'local',
    principalKind: 'open',
    address: '127.0.0.1',
    reason: null,
  };
  expect(noted()).toEqual([
    { ...local, action: 'restartCollector', target: 'okx:BTC-USDT', reason: 'it hangs', outcome: 'DONE' },
    { ...local, action: 'stopCollector', target: 'okx:NO-BODY', outcome: 'COLLECTOR_UNKNOWN' },
    { ...local, action: 'stopAllCollectors', target: null, outcome: 'DONE' },
    { ...local, action: 'addCollector', target: 'okx:NO-SUCH', outcome: 'COLLECTOR_START_FAILED' },
  ]);
});

it('notes what is asked for before it is done', async () => {
  let before: unknown;
  served.market.manager.stopAll = async () => {
    before = structuredClone(noted());
    return true;
  };
  await served.ask('mutation { stopAllCollectors(reason: "night") { userErrors { code } } }');
  expect(before).toMatchObject([{ action: 'stopAllCollectors', reason: 'night', outcome: 'UNKNOWN' }]);
  expect(noted()).toMatchObject([{ outcome: 'DONE' }]);
});

it('does nothing that cannot be noted, and says why', async () => {
  let stops = 0;
  served.market.manager.stopAll = async () => {
    stops += 1;
    return true;
  };
  served.market.services.audit.begin = () => {
    throw new AppError('AUDIT_UNAVAILABLE', 'Nothing was done: the audit log takes no entry (disk full)');
  };
  const { errors } = await served.ask('mutation { stopAllCollectors { userErrors { code } } }');
  expect([errors?.[0]?.extensions?.code, stops]).toEqual(['AUDIT_UNAVAILABLE', 0]);
});

it('notes what fails inside, and cuts what is too long', async () => {
  served.market.manager.stopAll = () => Promise.reject(new Error('broken'));
  await served.ask('mutation($r: String) { stopAllCollectors(reason: $r) { userErrors { code } } }', {
    r: 'x'.repeat(600),
  });
  expect(noted()).toMatchObject([{ outcome: 'INTERNAL_SERVER_ERROR', reason: 'x'.repeat(500) }]);
});

it('notes nothing of a query', async () => {
  await served.ask('{ auditLog(first: 1) { edges { node { action } } pageInfo { hasNextPage } } }');
  expect(noted()).toEqual([]);
});
