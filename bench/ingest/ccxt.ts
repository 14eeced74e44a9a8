import ccxt from 'ccxt';
import { takeIn } from './taken.ts';

takeIn(async ({ url, symbols }, taken) => {
  const client = new ccxt.pro.okx({ newUpdates: true });
  await client.loadHttpProxyAgent(); // what ccxt needs for ws:// instead of wss://
  client.urls.api = { ...client.urls.api, ws: url.replace('/public', '') };
  client.setMarkets(
    symbols.map((id) => {
      const [base = '', quote = ''] = id.split('-');
      return client.safeMarketStructure({
        ...{ id, symbol: `${base}/${quote}`, base, quote, spot: true, type: 'spot', active: true },
        ...{ precision: { amount: 1e-8, price: 0.1 }, limits: {} },
      });
    }),
  );
  // What comes faster than a caller asks is cut to the last 1,000 of a market: counted is what ccxt has understood.
  const understood = client.handleTrades.bind(client);
  client.handleTrades = (...args: Parameters<typeof understood>) => {
    understood(...args);
    taken.add((args[1] as { readonly data: readonly unknown[] }).data.length);
  };
  const watch = async (symbol: string) => {
    for (;;) await client.watchTrades(symbol);
  };
  for (const symbol of symbols) watch(symbol.replace('-', '/')).catch(fail);
});

const fail = (error: unknown) => {
  console.error(error);
  process.exit(1);
};
