import { afterEach, beforeEach, expect, it } from 'vitest';
import { type Served, serve } from '../server/served.ts';
import { UNLISTED } from './market.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const FIELDS = '{ collector { name state shouldBeRunning } userErrors { code message path } }';
const mutate = async (field: string, input: Record<string, unknown>) => {
  const type = `${field[0]?.toUpperCase()}${field.slice(1)}Input!`;
  const { data, errors } = await served.ask(`mutation ($input: ${type}) { it: ${field}(input: $input) ${FIELDS} }`, {
    input,
  });
  expect(errors).toBeUndefined();
  return data.it;
};
const name = 'okx:BTC-USDT';

it('stops, starts and restarts a collector, and shows it as it is afterwards', async () => {
  expect(await mutate('stopCollector', { name })).toEqual({
    collector: { name, state: 'STOPPED', shouldBeRunning: false },
    userErrors: [],
  });
  expect(await mutate('stopCollector', { name, force: true })).toMatchObject({
    collector: { state: 'STOPPED' },
    userErrors: [],
  });
  expect(await mutate('startCollector', { name })).toEqual({
    collector: { name, state: 'RUNNING', shouldBeRunning: true },
    userErrors: [],
  });
  expect(await mutate('restartCollector', { name })).toEqual({
    collector: { name, state: 'RUNNING', shouldBeRunning: true },
    userErrors: [],
  });
});

it('adds a collector that then runs, and removes it again', async () => {
  const eth = 'okx:ETH-USDT';
  expect(await mutate('addCollector', { exchange: 'okx', symbol: 'ETH-USDT', dataTypes: ['TRADE'] })).toMatchObject({
    collector: { name: eth, state: 'RUNNING' },
    userErrors: [],
  });
  expect(await mutate('removeCollector', { name: eth })).toMatchObject({
    collector: { name: eth, state: 'STOPPED' },
    userErrors: [],
  });
  const { data } = await served.ask('{ collectors { name } }');
  expect(data.collectors).toEqual([{ name }]);
});

it.each([
  ['startCollector', { name: 'okx:NO-SUCH' }, 'COLLECTOR_UNKNOWN', ['input', 'name']],
  ['stopCollector', { name: 'okx:NO-SUCH' }, 'COLLECTOR_UNKNOWN', ['input', 'name']],
  ['restartCollector', { name: 'okx:NO-SUCH' }, 'COLLECTOR_UNKNOWN', ['input', 'name']],
  ['removeCollector', { name: 'okx:NO-SUCH' }, 'COLLECTOR_UNKNOWN', ['input', 'name']],
  ['addCollector', { exchange: 'nope', symbol: 'BTC-USDT' }, 'EXCHANGE_UNKNOWN', ['input', 'exchange']],
  ['addCollector', { exchange: 'okx', symbol: 'BTC-USDT' }, 'COLLECTOR_EXISTS', ['input', 'symbol']],
])('%s %j is answered with the user error %s', async (field, input, code, path) => {
  expect((await mutate(field, input)).userErrors).toEqual([{ code, path, message: expect.any(String) }]);
});

it('says why a collector did not start', async () => {
  served.market.collector.refuses = true;
  const { collector, userErrors } = await mutate('restartCollector', { name });
  expect(collector).toMatchObject({ state: 'ERROR', shouldBeRunning: true });
  expect(userErrors).toEqual([
    { code: 'COLLECTOR_START_FAILED', path: null, message: expect.stringContaining('okx refused the channel') },
  ]);
});

it('says that what was added is refused by the exchange', async () => {
  const { collector, userErrors } = await mutate('addCollector', { exchange: 'okx', symbol: UNLISTED });
  expect(collector).toEqual({ name: `okx:${UNLISTED}`, state: 'ERROR', shouldBeRunning: true });
  expect(userErrors).toEqual([
    {
      code: 'COLLECTOR_START_FAILED',
      path: null,
      message: expect.stringMatching(/^okx:NO-SUCH was added and did not start: .*okx refused the channel/),
    },
  ]);
});

it('controls all collectors at once', async () => {
  const all = async (field: string) =>
    (await served.ask(`mutation { it: ${field} { manager { collectors { state } } userErrors { code } } }`)).data.it;
  expect(await all('stopAllCollectors')).toEqual({ manager: { collectors: [{ state: 'STOPPED' }] }, userErrors: [] });
  expect(await all('startAllCollectors')).toEqual({ manager: { collectors: [{ state: 'RUNNING' }] }, userErrors: [] });
  served.market.collector.refuses = true;
  expect(await all('restartAllCollectors')).toEqual({
    manager: { collectors: [{ state: 'ERROR' }] },
    userErrors: [{ code: 'COLLECTOR_START_FAILED' }],
  });
});
