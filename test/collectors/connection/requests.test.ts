import { describe, expect, it } from 'vitest';
import type { Route } from '../../../src/exchanges/adapter.ts';
import { binance } from '../../../src/exchanges/binance/adapter.ts';
import { okx } from '../../../src/exchanges/okx/adapter.ts';
import { books, connect, listen, live, route, tickers, trades } from '../../support/hand-connection.ts';
import { turn } from '../../support/manual-clock.ts';

describe('requests', () => {
  it('that wait for their turn do not count as unanswered', async () => {
    const { connection, clock, sockets, newest } = connect(binance);
    const wanted = Array.from({ length: 150 }, (_, index) => route(`COIN${index}USDT`, 'trade', undefined, binance));
    const { listener, count } = listen();
    for (const one of wanted) connection.want(one, listener);
    await clock.advance(1);
    newest().open();
    const answered = new Set<string>();
    const answer = () => {
      for (const text of newest().sent) {
        const { id, params } = JSON.parse(text) as { id: number; params: string[] };
        if (answered.has(text)) continue;
        answered.add(text);
        newest().say(params.length > 1 ? { code: 2, msg: 'Invalid request', id } : { result: null, id });
      }
    };
    for (let tenth = 0; tenth < 600; tenth++) {
      answer();
      newest().say({ e: 'unknown' });
      await clock.advance(100);
    }
    expect(sockets).toHaveLength(1);
    for (const { channel } of wanted) expect(count(`subscribed ${channel.key}`)).toBe(1);
  });

  it('that fail together are made one by one, so that only the bad one is refused', async () => {
    const { connection, clock, newest } = connect(binance);
    const [good, bad, other] = ['GOOD', 'BAD', 'OTHER'].map((coin) => route(coin, 'trade', undefined, binance)) as [
      Route,
      Route,
      Route,
    ];
    const { listener, heard } = listen();
    for (const one of [good, bad, other]) connection.want(one, listener);
    await clock.advance(1);
    newest().open();
    newest().say({ code: 2, msg: 'Invalid request', id: 1 });
    await clock.advance(1_000);
    newest().say({ result: null, id: 2 });
    newest().say({ code: 2, msg: 'Invalid request' }); // names no request: it is the next one's answer
    newest().say({ result: null, id: 4 });
    expect(heard.slice(-3)).toEqual(['subscribed good@trade', 'refused bad@trade 2', 'subscribed other@trade']);
  });

  it('without an answer are repeated, and then made on another socket', async () => {
    const { connection, clock, sockets, newest } = connect();
    connection.want(tickers, listen().listener);
    await clock.advance(1);
    newest().open();
    const [first] = sockets;
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      first?.say('pong');
    }
    expect(first?.asked('subscribe')).toHaveLength(3);
    expect(first?.state).toBe('closed');
    expect(sockets.length).toBeGreaterThan(1);
  });

  it('are not made for what was refused: neither to leave it nor on the next socket', async () => {
    const { connection, clock, first, newest, listener } = await live(tickers, trades);
    first.say({ event: 'error', code: '60018', msg: 'no', arg: { channel: 'tickers', instId: 'BTC-USDT' } });
    first.cut();
    await clock.advance(2_000);
    newest().open();
    expect(newest().asked('subscribe')).toEqual([['trades:BTC-USDT']]);
    connection.unwant(tickers.channel.key, listener);
    await turn();
    expect(newest().asked('unsubscribe')).toEqual([]);
  });

  it('to leave share a frame when they come at once', async () => {
    const { connection, first, listener } = await live(tickers, trades, books);
    connection.unwant(tickers.channel.key, listener);
    connection.unwant(trades.channel.key, listener);
    await turn();
    expect(first.asked('unsubscribe')).toEqual([['tickers:BTC-USDT', 'trades:BTC-USDT']]);
  });

  it('keep to the hourly limit of a socket: subscribing again then takes a new one', async () => {
    const { connection, clock, sockets, first, newest, heard } = await live(tickers);
    for (let time = 0; time < 300; time++) {
      connection.resubscribe(tickers.channel.key);
      await clock.advance(5_000);
      const now = newest();
      if (now.state === 'connecting') now.open();
      now.acknowledge();
      if (sockets.length > 1) break;
    }
    await clock.advance(5_000);
    expect(first.sent.filter((text) => text !== 'ping').length).toBeLessThanOrEqual(okx.limits.requestsPerHour);
    expect(first.state).toBe('closed');
    expect(heard).not.toContain('reconnecting');
  });

  it('of an hour ago count no more', async () => {
    const { connection, clock, sockets, first } = await live(tickers);
    for (let time = 0; time < 300; time++) {
      connection.resubscribe(tickers.channel.key);
      for (let step = 0; step < 3; step++) {
        await clock.advance(10_000);
        first.say({ event: 'subscribe', arg: { channel: 'tickers', instId: 'BTC-USDT' } });
      }
    }
    expect(connection.hasRoomFor(1)).toBe(true);
    expect(sockets).toHaveLength(1);
  });

  it('for a refused channel ask again without leaving it first', async () => {
    const { connection, clock, first, count } = await live(tickers, trades);
    first.say({ event: 'error', code: '60018', msg: 'no', arg: { channel: 'tickers', instId: 'BTC-USDT' } });
    connection.resubscribe(tickers.channel.key);
    await clock.advance(100);
    expect(first.asked('unsubscribe')).toEqual([]);
    expect(first.asked('subscribe').at(-1)).toEqual(['tickers:BTC-USDT']);
    first.say({ event: 'subscribe', arg: { channel: 'tickers', instId: 'BTC-USDT' } });
    expect(count('subscribed tickers:BTC-USDT')).toBe(2);
  });
});
