import { describe, expect, it } from 'vitest';
import type { OrderBook } from '../../../src/market/market-event.ts';
import { book } from '../../support/hand-connection.ts';
import { handExchange } from '../../support/hand-exchange.ts';

const ticker = {
  arg: { channel: 'tickers', instId: 'BTC-USDT' },
  data: [{ instId: 'BTC-USDT', last: '1', ts: '1767225600000' }],
};

describe('a stream that is silent for too long', () => {
  it('stays an issue until data comes, however often it is asked for again', async () => {
    const { manager, collector, run, open } = handExchange(['ticker']);
    const told: string[] = [];
    manager.onEvent(({ type, message }) => type === 'HEALTH_CHANGED' && told.push(message));
    void manager.start();
    await run(2);
    told.length = 0; // what starting had to say
    await run(300);
    expect(collector.getHealthStatus().issues.join()).toContain('No ticker message yet');
    expect(told).toHaveLength(1);
    open()[0]?.say(ticker);
    await run(2);
    expect(collector.getHealthStatus().isHealthy).toBe(true);
  });

  it('is asked for again first, then its socket is replaced, ever more rarely', async () => {
    const { manager, collector, run, sockets, open } = handExchange(['ticker', 'orderbook']);
    void manager.start();
    const states: string[] = [];
    collector.onStateChange(({ state }) => states.push(state));
    let sequence = 0;
    const feedBook = () => {
      sequence += 1;
      for (const socket of open()) socket.say(book(sequence));
    };
    await run(120, feedBook);
    expect(sockets).toHaveLength(1);
    expect(sockets[0]?.asked('subscribe').slice(1)).toEqual([['tickers:BTC-USDT']]);
    await run(3_480, feedBook);
    expect(sockets.length).toBeGreaterThanOrEqual(4);
    expect(sockets.length).toBeLessThanOrEqual(8);
    expect(open()).toHaveLength(1);
    expect(states.slice(states.indexOf('running'))).toEqual(['running']);
  });

  it('is left alone as soon as data comes', async () => {
    const { manager, run, sockets, open } = handExchange(['ticker']);
    void manager.start();
    await run(90);
    expect(sockets[0]?.asked('subscribe')).toHaveLength(2);
    await run(1_000, () => open()[0]?.say(ticker));
    expect(sockets).toHaveLength(1);
    expect(sockets[0]?.asked('subscribe')).toHaveLength(2);
  });

  it('makes an order book STALE, and VALID again with the next frame of its chain', async () => {
    const { manager, run, open, events } = handExchange(['orderbook']);
    void manager.start();
    await run(2);
    open()[0]?.say(book(1));
    await run(59);
    const last = () => events.at(-1) as OrderBook;
    expect(last().validity).toBe('VALID');
    await run(10);
    expect(events.filter((event) => (event as OrderBook).validity === 'STALE')).toHaveLength(1);
    expect(last()).toMatchObject({ validity: 'STALE', bids: [['10', '1']] });
    open()[0]?.say(book(2, 1));
    expect(last()).toMatchObject({ validity: 'VALID', sequence: 2 });
  });

  it('is asked for again when it was refused, and no issue any more once it is accepted', async () => {
    const { manager, collector, run, open } = handExchange(['ticker', 'orderbook']);
    void manager.start();
    await run(2);
    open()[0]?.say({ event: 'error', code: '60018', msg: 'not now', arg: ticker.arg });
    expect(collector.getHealthStatus().issues.join()).toContain('60018 not now');
    await run(70, () => open()[0]?.say(book(1)));
    expect(open()[0]?.asked('subscribe').at(-1)).toEqual(['tickers:BTC-USDT']);
    const asks = () => open()[0]?.asked('subscribe').length ?? 0;
    const asked = asks();
    open()[0]?.say({ event: 'error', code: '60018', msg: 'not now', arg: ticker.arg });
    await run(130, () => open()[0]?.say(book(1)));
    expect(asks()).toBe(asked + 1);
    open()[0]?.say(ticker);
    expect(collector.getHealthStatus()).toMatchObject({ isHealthy: true, issues: [] });
  });
});

it('an order book is STALE as soon as its socket is gone', async () => {
  const { manager, run, open, events } = handExchange(['orderbook']);
  void manager.start();
  await run(2);
  open()[0]?.say(book(1));
  open()[0]?.cut();
  expect(events.map((event) => (event as OrderBook).validity)).toEqual(['VALID', 'STALE']);
});

it('tells of each stream by its own socket', async () => {
  const { manager, collector, run, sockets } = handExchange(['ticker', 'candle']);
  void manager.start();
  await run(3);
  const business = sockets.find(({ url }) => url.endsWith('business'));
  business?.cut();
  const health = () => Object.fromEntries(collector.getStreams().map((stream) => [stream.dataType, stream.health]));
  expect(collector.state).toBe('reconnecting');
  expect(health()).toEqual({ ticker: 'QUIET', candle: 'RECONNECTING' });
});
