import { describe, expect, it } from 'vitest';
import { ExchangeFactory } from '../../../src/collectors/exchange-factory.ts';
import { RateLimit } from '../../../src/collectors/pacing/rate-limit.ts';
import { InstrumentList } from '../../../src/collectors/rest/instrument-list.ts';
import { type Fetch, RestClient } from '../../../src/collectors/rest/rest-client.ts';
import { binance } from '../../../src/exchanges/binance/adapter.ts';
import { ManualClock } from '../../support/manual-clock.ts';

const listing = (...bases: readonly string[]) =>
  Response.json({
    symbols: bases.map((base) => ({
      symbol: `${base}USDT`,
      baseAsset: base,
      quoteAsset: 'USDT',
      status: 'TRADING',
      isSpotTradingAllowed: true,
    })),
  });

function rest(answer: () => Response) {
  const clock = new ManualClock();
  let calls = 0;
  const fetch: Fetch = async () => {
    calls += 1;
    return answer();
  };
  const client = new RestClient({ adapter: binance, connection: binance.connection, fetch, clock });
  return { clock, client, list: new InstrumentList(binance, client, clock), calls: () => calls };
}

describe('a rate limit', () => {
  it('serves in turn, at the given pace', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, { amount: 2, perMs: 1_000 });
    const served: number[] = [];
    for (let one = 0; one < 4; one++) void limit.take().then(() => served.push(clock.monotonic()));
    await clock.advance(5_000);
    expect(served).toEqual([0, 0, 500, 1_000]);
  });

  it('holds back also those who were waiting when it was blocked', async () => {
    const clock = new ManualClock();
    const limit = new RateLimit(clock, { amount: 1, perMs: 100 });
    const served: number[] = [];
    for (let one = 0; one < 2; one++) void limit.take().then(() => served.push(clock.monotonic()));
    await clock.advance(1);
    limit.block(5_000);
    await clock.advance(4_000);
    expect(served).toEqual([0]);
    await clock.advance(2_000);
    expect(served).toEqual([0, 5_001]);
  });
});

describe('after "too many requests"', () => {
  const tooMany = (retryAfter: string) => () =>
    new Response('{"code":-1003,"msg":"slow"}', { status: 429, headers: { 'retry-after': retryAfter } });

  it('nobody calls before Retry-After is over', async () => {
    const { clock, client, calls } = rest(tooMany('30'));
    await expect(client.get(binance.rest.recentTrades('BTCUSDT'))).rejects.toThrow('429 (-1003: slow)');
    void client.get(binance.rest.recentTrades('BTCUSDT')).catch(() => undefined);
    await clock.advance(29_000);
    expect(calls()).toBe(1);
    await clock.advance(2_000);
    expect(calls()).toBe(2);
  });

  it.each(['soon', '-1', '99999999999999'])(
    'a Retry-After of %s holds for seconds or days, not for ever',
    async (text) => {
      const { clock, client, calls } = rest(tooMany(text));
      await expect(client.get(binance.rest.recentTrades('BTCUSDT'))).rejects.toThrow('429');
      void client.get(binance.rest.recentTrades('BTCUSDT')).catch(() => undefined);
      await clock.advance(1_000);
      expect(calls()).toBe(1);
      await clock.advance(4 * 86_400_000);
      expect(calls()).toBe(2);
    },
  );
});

it('an answer without end is cut off', async () => {
  const chunk = new Uint8Array(4 * 1024 * 1024);
  let sent = 0;
  const endless = () =>
    new ReadableStream({
      pull: (stream) => {
        sent += 1;
        stream.enqueue(chunk);
      },
    });
  const { client } = rest(() => new Response(endless()));
  await expect(client.get(binance.rest.recentTrades('BTCUSDT'))).rejects.toThrow('larger than');
  expect(sent).toBeLessThan(20);
});

describe('the list of instruments', () => {
  it('is asked for again when it does not know a symbol, but not more than once a minute', async () => {
    const bases = ['BTC'];
    const { clock, list, calls } = rest(() => listing(...bases));
    expect(await list.nativeSymbol('BTC-USDT')).toBe('BTCUSDT');
    await expect(list.nativeSymbol('NEW-USDT')).rejects.toMatchObject({ code: 'SYMBOL_UNKNOWN' });
    expect(calls()).toBe(1);
    bases.push('NEW');
    await clock.advance(61_000);
    expect(await list.nativeSymbol('NEW-USDT')).toBe('NEWUSDT');
    expect(calls()).toBe(2);
  });

  it('is still good for what it knows when the next one cannot be had', async () => {
    let answer = () => listing('BTC');
    const { clock, list } = rest(() => answer());
    await list.nativeSymbol('BTC-USDT');
    answer = () => new Response('away', { status: 503 });
    await clock.advance(2 * 3_600_000);
    expect(await list.nativeSymbol('BTC-USDT')).toBe('BTCUSDT');
    await expect(list.nativeSymbol('NEW-USDT')).rejects.toMatchObject({ code: 'EXCHANGE_REST_FAILED' });
  });

  it('can be had again after a failure, and is fetched once for many', async () => {
    let answer = () => new Response('away', { status: 503 });
    const { list, calls } = rest(() => answer());
    await expect(list.nativeSymbol('BTC-USDT')).rejects.toMatchObject({ code: 'EXCHANGE_REST_FAILED' });
    answer = () => listing('BTC', 'ETH');
    expect(await Promise.all(['BTC-USDT', 'ETH-USDT'].map((symbol) => list.nativeSymbol(symbol)))).toEqual([
      'BTCUSDT',
      'ETHUSDT',
    ]);
    expect(calls()).toBe(2);
  });
});

describe('the configuration of a collector', () => {
  const valid = { exchange: 'okx', symbol: 'BTC-USDT', dataTypes: ['trade'] } as const;

  it('is accepted with the symbol of an option, as in the configuration file', () => {
    expect(ExchangeFactory.validateConfig({ ...valid, symbol: 'BTC-USD-260327-100000-C' })).toBe(true);
  });

  it.each([
    ['exchange', { ...valid, exchange: 'mtgox' }, 'EXCHANGE_UNKNOWN'],
    ['symbol', { ...valid, symbol: 'btcusdt' }, 'COLLECTOR_CONFIG_INVALID'],
    ['dataTypes', { ...valid, dataTypes: [] }, 'COLLECTOR_CONFIG_INVALID'],
    ['dataTypes', { exchange: 'okx', symbol: 'BTC-USDT' }, 'COLLECTOR_CONFIG_INVALID'],
    ['dataTypes', { ...valid, dataTypes: ['trade', 'trade'] }, 'COLLECTOR_CONFIG_INVALID'],
    ['dataTypes', { ...valid, exchange: 'binance', dataTypes: ['balance'] }, 'COLLECTOR_CONFIG_INVALID'],
    ['healthCheckInterval', { ...valid, healthCheckInterval: 0 }, 'COLLECTOR_CONFIG_INVALID'],
    ['channel', { ...valid, customParams: { channels: { trade: 'books' } } }, 'COLLECTOR_CONFIG_INVALID'],
    ['channels', { ...valid, customParams: { channels: { trades: 'trades' } } }, 'COLLECTOR_CONFIG_INVALID'],
  ])('is refused with a message about %s', (field, config, code) => {
    const create = () => ExchangeFactory.createCollector(config as typeof valid);
    expect(create).toThrow(expect.objectContaining({ code, message: expect.stringContaining(field) }));
  });
});
