import { describe, expect, it } from 'vitest';
import type { ExchangeAdapter } from '../../../src/exchanges/adapter.ts';
import { okx } from '../../../src/exchanges/okx/adapter.ts';
import { connect, listen, live, route, tickers, trade, trades, upgrade } from '../../support/hand-connection.ts';
import { turn } from '../../support/manual-clock.ts';

describe('a login', () => {
  it('that is never answered is tried again on another socket', async () => {
    const { connection, clock, sockets, newest } = connect(okx, 'private');
    connection.want(route('BTC-USDT', 'balance'), listen().listener);
    await clock.advance(1);
    newest().open();
    await clock.advance(60_000);
    expect(sockets[0]?.state).toBe('closed');
    expect(sockets.length).toBeGreaterThan(1);
  });

  it('that is refused is not tried again until somebody wants it anew', async () => {
    const { connection, clock, sockets, newest } = connect(okx, 'private');
    const { heard, listener } = listen();
    connection.want(route('BTC-USDT', 'balance'), listener);
    await clock.advance(1);
    newest().open();
    newest().say({ event: 'error', code: '60005', msg: 'Invalid apiKey' });
    await clock.advance(60_000);
    expect(heard.at(-1)).toBe('refused');
    expect(sockets).toHaveLength(1);
    connection.want(route('BTC-USDT', 'balance'), listen().listener);
    await clock.advance(1_000);
    expect(sockets).toHaveLength(2);
  });
});

describe('a second listener', () => {
  it('of a channel that is subscribed already hears so', async () => {
    const { connection } = await live(tickers);
    const { heard, listener } = listen();
    connection.want(tickers, listener);
    await turn();
    expect(heard).toEqual(['live', 'subscribed tickers:BTC-USDT']);
  });

  it('hears nothing of the kind while the socket is gone', async () => {
    const { connection, first } = await live(tickers);
    first.cut();
    const { heard, listener } = listen();
    connection.want(tickers, listener);
    await turn();
    expect(heard).toEqual(['reconnecting']);
  });
});

describe('what cannot be used', () => {
  it('is told once to a listener of several channels', async () => {
    const { first, count } = await live(tickers, trades);
    first.say('<html>');
    expect(count('trouble malformed')).toBe(1);
  });

  it('is told to one of the listeners that share a socket', async () => {
    const { connection, first, count } = await live(tickers);
    const other = listen();
    connection.want(trades, other.listener);
    first.say('<html>');
    expect([count('trouble malformed'), other.count('trouble malformed')]).toEqual([1, 0]);
  });

  it('is told also when an error belongs to no request of ours', async () => {
    const { first, count } = await live(tickers);
    first.say({ event: 'error', code: '60012', msg: 'Invalid request' });
    expect(count('trouble exchange-error')).toBe(1);
  });

  it('does not end the process when it is a frame that an adapter chokes on', async () => {
    const choking: ExchangeAdapter = {
      ...okx,
      readFrame: (...args) => {
        if (args[0] === 'choke') throw new TypeError('not a function');
        return okx.readFrame(...args);
      },
    };
    const { connection, clock, newest } = connect(choking);
    const { listener, heard } = listen();
    connection.want(tickers, listener);
    await clock.advance(1);
    newest().open();
    newest().say('choke');
    expect(heard.filter((one) => one.startsWith('trouble'))).toHaveLength(1);
  });
});

it('an ended socket has nothing to say any more', async () => {
  const { first, heard } = await live(trades);
  first.cut();
  const seen = heard.length;
  first.say(trade('1'));
  first.say('<html>');
  expect(heard).toHaveLength(seen);
});

describe('while the gate is closed', () => {
  it('a new socket is not read either', async () => {
    const { connection, clock, gate, newest } = connect();
    gate.set('test', false);
    connection.want(tickers, listen().listener);
    await clock.advance(1);
    newest().open();
    expect(newest().reading).toBe(false);
    gate.set('test', true);
    expect(newest().reading).toBe(true);
  });

  it('no answer to a ping is expected: we did not listen', async () => {
    const { clock, gate, first, sockets } = await live(tickers);
    await clock.advance(26_000);
    expect(first.sent.at(-1)).toBe('ping');
    gate.set('test', false);
    await clock.advance(30_000);
    gate.set('test', true);
    await clock.advance(2_000);
    expect(first.state).toBe('open');
    expect(sockets).toHaveLength(1);
  });

  it('nothing is subscribed again', async () => {
    const { connection, clock, gate, first } = await live(tickers);
    gate.set('test', false);
    connection.resubscribe(tickers.channel.key);
    await clock.advance(1_000);
    expect(first.asked('subscribe')).toHaveLength(1);
  });
});

describe('giving up', () => {
  it('ends with the attempts, and a new want tries again for all', async () => {
    const { connection, clock, sockets, newest } = connect(okx, 'public', {
      connection: { ...okx.connection, max_reconnect_attempts: 2 },
    });
    const one = listen();
    const other = listen();
    connection.want(tickers, one.listener);
    connection.want(trades, other.listener);
    for (let second = 0; second < 60; second++) {
      await clock.advance(1_000);
      if (newest().state === 'connecting') newest().cut();
    }
    expect(sockets).toHaveLength(3);
    expect([one.heard.at(-1), other.heard.at(-1)]).toEqual(['failed', 'failed']);
    connection.unwant(tickers.channel.key, one.listener);
    connection.want(tickers, one.listener);
    for (let time = 0; time < 2; time++) {
      await clock.advance(5_000);
      newest().cut();
    }
    await clock.advance(5_000);
    expect(sockets).toHaveLength(6);
    newest().open();
    newest().acknowledge();
    expect(newest().asked('subscribe')[0]?.toSorted()).toEqual(['tickers:BTC-USDT', 'trades:BTC-USDT']);
    expect(other.heard.at(-1)).toBe('subscribed trades:BTC-USDT');
  });

  it('opens nothing and leaves no timer once it is disposed', async () => {
    const { connection, clock, sockets } = connect();
    connection.want(tickers, listen().listener);
    connection[Symbol.dispose]();
    await clock.advance(10_000);
    expect(sockets).toHaveLength(0);
    expect(clock.sleepers).toBe(0);
  });

  it('closes every socket when it is disposed during a move', async () => {
    const { connection, clock, sockets, first, newest } = await live(tickers);
    first.say(upgrade);
    await clock.advance(1_000);
    newest().open();
    newest().acknowledge();
    await clock.advance(3_000);
    newest().say(upgrade);
    await clock.advance(500);
    connection[Symbol.dispose]();
    await clock.advance(30_000);
    expect(sockets.map(({ state }) => state)).toEqual(['closed', 'closed', 'closed']);
    expect(clock.sleepers).toBe(0);
  });
});
