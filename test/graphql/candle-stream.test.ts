import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { decimal } from '../../src/market/decimal.ts';
import { connect, results } from '../server/clients.ts';
import { HandEventSource } from '../server/event-source.ts';
import { type Served, serve } from '../server/served.ts';
import { tradeOf } from './market.ts';

const STREAM = `subscription ($symbols: [String!]!, $interval: CandleInterval!, $forming: Boolean, $after: Cursor, $delivery: Delivery) {
  candles(exchange: "okx", symbols: $symbols, interval: $interval, includeForming: $forming, after: $after, delivery: $delivery) {
    cursor conflated notices { type }
    changes { type candle { symbol interval openTime closeTime close tradeCount vwap state availableAt revision } previous { close } } } }`;
const MINUTE = 60_000;
const ASKED = { symbols: ['BTC-USDT'], interval: 'M1' };

let served: Served;
beforeEach(async () => {
  // The minute of now must not end within a test.
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2026-01-01T12:00:20Z') });
  served = await serve();
});
afterEach(async () => {
  await served[Symbol.asyncDispose]();
  vi.useRealTimers();
});

/** A trade made now, or so many ms from now. */
function trade(id: number, price: string, later = 0): void {
  const time = Date.now() + later;
  const made = { ...tradeOf(id), exchangeTime: time, receivedAt: time, price: decimal(price) };
  served.market.feed.publish(served.market.store.commit(1, [made]));
}

describe('the subscription of candles', () => {
  it('shows the candle that is forming, closes it with the next trade, and goes on after the cursor', async () => {
    const { client } = connect(served.url);
    const stream = results(client, STREAM, ASKED);
    const next = async () => (await stream.next()).value?.data?.candles;
    const first = await next();
    expect(first.changes.at(-1)).toMatchObject({
      type: 'UPDATED',
      previous: null,
      candle: { symbol: 'BTC-USDT', interval: 'M1', close: null, tradeCount: '0', state: 'FORMING', availableAt: null },
    });
    trade(1, '100.5');
    const updated = await next();
    expect(updated.changes).toMatchObject([{ type: 'UPDATED', candle: { close: '100.5', vwap: '100.5' } }]);
    trade(2, '101', MINUTE);
    const closed = await next();
    expect(closed.changes[0]).toMatchObject({
      type: 'CLOSED',
      candle: { close: '100.5', state: 'PROVISIONAL', closeTime: updated.changes[0].candle.closeTime },
    });
    await stream.return?.();
    trade(3, '99', -1);
    const resumed = results(client, STREAM, { ...ASKED, after: closed.cursor, forming: false });
    const after = (await resumed.next()).value?.data?.candles;
    expect(after.changes).toMatchObject([
      { type: 'REVISED', candle: { tradeCount: '2' }, previous: { close: '100.5' } },
    ]);
    expect(after.notices).toEqual([{ type: 'CAUGHT_UP' }]);
    await resumed.return?.();
    await vi.waitFor(() => expect(served.market.services.candleFeed.subscribers).toBe(0));
    await client.dispose();
  });

  it('is resumed by an EventSource by itself', async () => {
    const at = `${served.url}?query=${encodeURIComponent(STREAM)}&variables=${encodeURIComponent(JSON.stringify({ ...ASKED, forming: false }))}`;
    using source = new HandEventSource(at);
    const connected = source.connect();
    await vi.waitFor(() => expect(source.lastEventId).not.toBe(''));
    source.cut();
    await connected;
    trade(1, '100');
    trade(2, '101', MINUTE);
    void source.connect();
    await vi.waitFor(() => {
      const changes = source.events.flatMap(({ data }) => JSON.parse(data).data.candles.changes);
      expect(changes).toMatchObject([{ type: 'CLOSED', candle: { close: '100' } }]);
    });
  });

  it('says that the server goes away', async () => {
    const { client } = connect(served.url);
    const stream = results(client, STREAM, ASKED);
    await stream.next();
    served.market.feed.drain();
    expect((await stream.next()).value?.data?.candles.notices).toEqual([{ type: 'DRAINING' }]);
    await client.dispose();
  });

  it.each([
    [{ symbols: [] }, 'BAD_USER_INPUT', '1 to 100 symbols'],
    [{ symbols: ['NOT-THERE'] }, 'SYMBOL_UNKNOWN', 'NOT-THERE'],
    [{ interval: 'M7' }, undefined, 'CandleInterval'],
    [{ after: 'MX5' }, 'CURSOR_INVALID', 'cursor'],
    [{ delivery: { maxPerSecond: 0 } }, 'BAD_USER_INPUT', '1 to 1000'],
  ])('refuses %j', async (over, code, words) => {
    const { client } = connect(served.url);
    const refused = await results(client, STREAM, { ...ASKED, ...over })
      .next()
      .then(
        ({ value }) => value?.errors ?? [],
        (errors) => errors,
      );
    expect(refused[0]).toMatchObject({ message: expect.stringContaining(words) });
    if (code !== undefined) expect(refused[0].extensions).toMatchObject({ code });
    await client.dispose();
  });
});
