import { describe, expect, it } from 'vitest';
import { RateLimit } from '../../../src/collectors/pacing/rate-limit.ts';
import type { Route } from '../../../src/exchanges/adapter.ts';
import { okx } from '../../../src/exchanges/okx/adapter.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { book, books, connect, listen, live, tickers, trade, trades, upgrade } from '../../support/hand-connection.ts';
import { ManualClock, turn } from '../../support/manual-clock.ts';

describe('moving to the next socket', () => {
  it('leaves the order book with the old one when the next one ends early', async () => {
    const { clock, sockets, first, newest, count } = await live(books, tickers);
    first.say(book(1));
    first.say(upgrade);
    await clock.advance(1_000);
    expect(sockets).toHaveLength(2);
    newest().open();
    newest().say(book(2));
    newest().cut();
    const seen = count('book books:BTC-USDT');
    first.say(book(3, 2));
    expect(count('book books:BTC-USDT')).toBe(seen + 1);
  });

  it('leaves the order book with the old one also when the next one is given up', async () => {
    const { clock, first, newest, count } = await live(books, tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    const next = newest();
    next.open();
    next.say(book(2));
    for (let second = 0; second < 21; second++) {
      await clock.advance(1_000);
      first.say('pong');
    }
    expect(next.state).toBe('closed');
    const seen = count('book books:BTC-USDT');
    first.say(book(3, 2));
    expect(count('book books:BTC-USDT')).toBe(seen + 1);
  });

  it('leaves no order book with a socket that is closed', async () => {
    const { clock, first, newest, count } = await live(books, tickers);
    first.say(book(1));
    first.say(upgrade);
    await clock.advance(1_000);
    const second = newest();
    second.open();
    second.acknowledge();
    await clock.advance(3_000);
    second.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    second.say(book(2, 1));
    expect(count('book books:BTC-USDT')).toBe(2);
  });

  it('is done early when the old one ends and the next is open already', async () => {
    const { clock, sockets, first, newest, heard } = await live(tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    first.cut();
    newest().acknowledge();
    await clock.advance(30_000);
    expect(sockets).toHaveLength(2);
    expect(heard).not.toContain('reconnecting');
  });

  it('brings everything, so that nothing is subscribed again meanwhile', async () => {
    const { connection, clock, first, newest } = await live(tickers, trades);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    connection.resubscribe(tickers.channel.key);
    await turn();
    expect([...first.asked('unsubscribe'), ...newest().asked('unsubscribe')]).toEqual([]);
  });

  it('reads the old one to its end after a closed gate too', async () => {
    const { clock, gate, first, newest } = await live(tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    newest().acknowledge();
    gate.set('test', false);
    await clock.advance(60_000);
    expect(first.reading).toBe(false);
    gate.set('test', true);
    await clock.advance(999);
    expect(first.state).toBe('open');
    await clock.advance(2_000);
    expect(first.state).toBe('closed');
  });

  it('is tried again at a measured pace while the exchange lets nobody in', async () => {
    const { clock, sockets, first, newest } = await live(tickers);
    first.say(upgrade);
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      if (newest() !== first && newest().state === 'connecting') newest().cut();
      first.say(upgrade);
      first.say('pong');
    }
    expect(sockets.length).toBeGreaterThan(2);
    expect(sockets.length).toBeLessThan(8);
  });

  it('keeps to the limit of new sockets when all are to move at once', async () => {
    const clock = new ManualClock();
    const connects = new RateLimit(clock, { amount: 1, perMs: 1_000 });
    const made = [1, 2, 3, 4].map(() => connect(okx, 'public', { clock, connects }));
    for (const { connection } of made) connection.want(tickers, listen().listener);
    await clock.advance(1);
    expect(made.filter(({ sockets }) => sockets.length > 0)).toHaveLength(1);
    await clock.advance(10_000);
    for (const { newest } of made) newest().open();
    for (const { newest } of made) newest().say(upgrade);
    await turn();
    const opened = () => made.reduce((sum, { sockets }) => sum + sockets.length, 0);
    expect(opened()).toBeLessThanOrEqual(5);
    await clock.advance(5_000);
    expect(opened()).toBe(8);
  });

  it('loses nothing that was still on its way on the old one', async () => {
    const { clock, first, newest, count } = await live(trades);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    newest().acknowledge();
    first.say(trade('7'));
    expect(count('events trades:BTC-USDT')).toBe(1);
    await clock.advance(10_000);
    expect(first.state).toBe('closed');
  });

  it('is done when the last answer is a refusal', async () => {
    const { clock, first, newest, heard } = await live(trades, tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    newest().say({ event: 'subscribe', arg: { channel: 'trades', instId: 'BTC-USDT' } });
    newest().say({ event: 'error', code: '60018', msg: 'no', arg: { channel: 'tickers', instId: 'BTC-USDT' } });
    await clock.advance(5_000);
    expect(first.state).toBe('closed');
    expect(heard).not.toContain('reconnecting');
  });

  it('follows an order book on the new one as soon as it sends it, and no longer on the old one', async () => {
    const { clock, first, newest, count } = await live(books, tickers);
    first.say(book(1));
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    first.say(book(2, 1));
    newest().say(book(2));
    first.say(book(3, 2));
    newest().acknowledge();
    first.say(book(4, 3));
    newest().say(book(3, 2));
    expect(count('book books:BTC-USDT')).toBe(4);
  });

  it('can be done again, and asks for everything each time', async () => {
    const { clock, sockets, first, newest, heard } = await live(tickers, trades);
    for (let time = 0; time < 3; time++) {
      newest().say(upgrade);
      await clock.advance(1_000);
      newest().open();
      newest().acknowledge();
      await clock.advance(3_000);
      newest().say('pong');
    }
    expect(sockets.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed', 'open']);
    for (const socket of sockets) expect(socket.asked('subscribe')).toEqual([['tickers:BTC-USDT', 'trades:BTC-USDT']]);
    expect(heard).not.toContain('reconnecting');
    expect(first.asked('unsubscribe')).toEqual([]);
  });

  it('becomes an ordinary reconnect when the old one ends before the next is ready', async () => {
    const { clock, sockets, first, newest, heard } = await live(tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    first.cut();
    await clock.advance(1_000);
    newest().open();
    newest().acknowledge();
    expect(heard.slice(-3)).toEqual(['reconnecting', 'live', 'subscribed tickers:BTC-USDT']);
    expect(sockets.map(({ state }) => state)).toEqual(['closed', 'closed', 'open']);
  });

  it('happens by itself before the exchange closes sockets of that age', async () => {
    const { connection, clock, sockets, newest } = connect({ ...okx, limits: { ...okx.limits, socketLifeMs: 60_000 } });
    connection.want(tickers, listen().listener);
    for (let second = 0; second < 70; second++) {
      await clock.advance(1_000);
      if (newest().state === 'connecting') newest().open();
      newest().acknowledge();
    }
    expect(sockets.map(({ state }) => state)).toEqual(['closed', 'open']);
  });

  it('waits for a closed gate, behind which no answer is read', async () => {
    const { clock, gate, sockets, first, newest } = await live(tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    gate.set('test', false);
    await clock.advance(120_000);
    gate.set('test', true);
    expect(newest().reading).toBe(true);
    newest().acknowledge();
    await clock.advance(3_000);
    expect(sockets.map(({ state }) => state)).toEqual(['closed', 'open']);
  });
});

describe('the next socket is proven before the old one goes', () => {
  const moving = async (...wanted: readonly Route[]) => {
    const made = await live(...wanted);
    made.first.say(upgrade);
    await made.clock.advance(1_000);
    const next = made.newest();
    next.open();
    next.acknowledge();
    return { ...made, next };
  };

  it('by a trade of every channel on which the old one delivers', async () => {
    const { clock, first, next, count } = await moving(trades, tickers);
    first.say(trade('7'));
    await clock.advance(4_000);
    expect(first.state).toBe('open');
    next.say(trade('7'));
    await clock.advance(1_000);
    expect(first.state).toBe('closed');
    expect(count('events trades:BTC-USDT')).toBe(2);
  });

  it('by the old one having reached what the next one began with', async () => {
    const { clock, first, next } = await moving(trades);
    first.say(trade('99'));
    next.say(trade('101'));
    await clock.advance(4_000);
    expect(first.state).toBe('open');
    first.say(trade('100'));
    await clock.advance(1_000);
    expect(first.state).toBe('open');
    first.say(trade('101'));
    await clock.advance(1_000);
    expect(first.state).toBe('closed');
  });

  it('not by what the old one delivered before the next one was subscribed', async () => {
    const { clock, first, newest } = await live(trades);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    first.say(trade('7')); // and none after it
    newest().acknowledge();
    await clock.advance(3_000);
    expect(first.state).toBe('closed');
  });

  it('by a minimum of time where nothing comes', async () => {
    const { clock, first } = await moving(trades, tickers);
    await clock.advance(900);
    expect(first.state).toBe('open');
    await clock.advance(2_000);
    expect(first.state).toBe('closed');
  });

  it('or is taken after a while all the same, which is said', async () => {
    const lines: [message: string, fields: unknown][] = [];
    const log = { ...silentLog, warn: (...line: (typeof lines)[number]) => void lines.push(line) };
    const { connection, clock, newest } = connect(okx, 'public', { log });
    connection.want(trades, listen().listener);
    await clock.advance(1);
    const first = newest();
    first.open();
    first.acknowledge();
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    newest().acknowledge();
    for (let second = 0; second < 10; second++) {
      first.say(trade(String(second)));
      await clock.advance(1_000);
    }
    expect(first.state).toBe('closed');
    expect(lines).toEqual([
      ['Moved to the next socket, not proven by data', expect.objectContaining({ channels: 'trades:BTC-USDT' })],
    ]);
  });

  it('and moved on from again when its own end was announced meanwhile', async () => {
    const { clock, next, sockets } = await moving(trades);
    next.say(upgrade);
    await clock.advance(4_000);
    expect(sockets).toHaveLength(3);
  });
});
