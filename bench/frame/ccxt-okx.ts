import ccxt from 'ccxt';

/** ccxt's OKX client, of an exchange on this machine, e.g. "ws://127.0.0.1:4000/ws/v5"; it knows the markets without asking. */
export async function okxByCcxt(url: string, symbols: readonly string[]) {
  const client = new ccxt.pro.okx({ newUpdates: true });
  await client.loadHttpProxyAgent(); // what ccxt needs for ws:// instead of wss://
  client.urls.api = { ...client.urls.api, ws: url };
  client.setMarkets(
    symbols.map((id) => {
      const [base = '', quote = ''] = id.split('-');
      return client.safeMarketStructure({
        ...{ id, symbol: `${base}/${quote}`, base, quote, spot: true, type: 'spot', active: true },
        ...{ precision: { amount: 1e-8, price: 0.1 }, limits: {} },
      });
    }),
  );
  return client;
}
