import { describe, expect, it } from 'vitest';
import { ExchangeRest } from '../../src/collectors/rest/exchange-rest.ts';
import { okx } from '../../src/exchanges/okx/adapter.ts';
import { connect, listen, tickers } from '../support/hand-connection.ts';
import { handTracer } from '../support/hand-tracer.ts';
import { ManualClock } from '../support/manual-clock.ts';

describe('the beginning of a connection is one span', () => {
  it('that ends when what it was asked for is subscribed', async () => {
    const { tracer, spans } = handTracer();
    const { connection, clock, newest } = connect(okx, 'public', { tracer });
    connection.want(tickers, listen().listener);
    await clock.advance(1);
    expect(spans).toMatchObject([
      { name: 'connect okx', attributes: { 'tcp_dashboard.exchange': 'okx', 'tcp_dashboard.endpoint': 'public' } },
    ]);
    newest().open();
    expect(spans[0]?.hasEnded).toBe(false);
    newest().acknowledge();
    expect(spans).toMatchObject([{ hasEnded: true, codes: [], attributes: { 'tcp_dashboard.channels': 1 } }]);
    connection[Symbol.dispose]();
  });

  it('that fails when the socket ends before', async () => {
    const { tracer, spans } = handTracer();
    const { connection, clock, newest } = connect(okx, 'public', { tracer });
    connection.want(tickers, listen().listener);
    await clock.advance(1);
    newest().open();
    newest().cut();
    expect(spans[0]).toMatchObject({ hasEnded: true, codes: ['SOCKET_CLOSED'] });
    connection[Symbol.dispose]();
  });

  it('that ends without a failure when nobody wants it any more', async () => {
    const { tracer, spans } = handTracer();
    const { connection, clock } = connect(okx, 'public', { tracer });
    connection.want(tickers, listen().listener);
    await clock.advance(1);
    expect(spans).toMatchObject([{ hasEnded: false }]);
    connection[Symbol.dispose]();
    expect(spans).toMatchObject([{ hasEnded: true, codes: [] }]);
  });
});

describe('a request for trades is one span', () => {
  const CATALOGUE = { code: '0', msg: '', data: [{ instId: 'BTC-USDT', instType: 'SPOT', state: 'live' }] };
  const restOf = (answer: () => Response) => {
    const { tracer, spans } = handTracer();
    const fetch = async (url: URL) => (url.pathname.includes('trades') ? answer() : Response.json(CATALOGUE));
    const rest = new ExchangeRest({
      adapter: okx,
      connection: okx.connection,
      fetch,
      clock: new ManualClock(),
      tracer,
    });
    const ask = () => rest.trades('BTC-USDT', (symbol) => okx.rest.recentTrades(symbol));
    return { spans, ask };
  };

  it('that tells how many came', async () => {
    const trade = { instId: 'BTC-USDT', tradeId: '5', px: '1', sz: '2', side: 'buy', ts: '1767225600000' };
    const { spans, ask } = restOf(() => Response.json({ code: '0', msg: '', data: [trade] }));
    await ask();
    expect(spans).toMatchObject([
      {
        ...{ name: 'trades of okx', hasEnded: true, codes: [] },
        attributes: { 'tcp_dashboard.exchange': 'okx', 'tcp_dashboard.symbol': 'BTC-USDT', 'tcp_dashboard.rows': 1 },
      },
    ]);
  });

  it('that fails with it', async () => {
    const { spans, ask } = restOf(() => new Response('busy', { status: 503 }));
    await expect(ask()).rejects.toThrow('503');
    expect(spans).toMatchObject([{ hasEnded: true, codes: ['EXCHANGE_REST_FAILED'] }]);
  });
});
