import ccxt from 'ccxt';
import { answer } from '../frame/answer.ts';
import type { Collecting } from './exchange.ts';
import { held } from './held.ts';

answer({
  async open({ connection, symbols }: Collecting) {
    const client = new ccxt.pro.okx({ newUpdates: true });
    await client.loadHttpProxyAgent(); // what ccxt needs for ws:// instead of wss://
    client.urls.api = { ...client.urls.api, ws: connection.public_ws_url.replace('/public', '') };
    client.setMarkets(
      symbols.map((id) => {
        const [base = '', quote = ''] = id.split('-');
        return client.safeMarketStructure({
          ...{ id, symbol: `${base}/${quote}`, base, quote, spot: true, type: 'spot', active: true },
          ...{ precision: { amount: 1e-8, price: 0.1 }, limits: {} },
        });
      }),
    );
    const watch = async (next: (symbol: string) => Promise<unknown>, symbol: string) => {
      for (;;) await next(symbol);
    };
    for (const id of symbols) {
      const symbol = id.replace('-', '/');
      watch((one) => client.watchTrades(one), symbol).catch(fail);
      watch((one) => client.watchTicker(one), symbol).catch(fail);
      watch((one) => client.watchOrderBook(one, undefined, { depth: 'books5' }), symbol).catch(fail);
    }
  },
  held,
});

function fail(error: unknown): void {
  console.error(error);
  process.exit(1);
}
