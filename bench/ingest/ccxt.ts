import { okxByCcxt } from '../frame/ccxt-okx.ts';
import { fail } from '../frame/fail.ts';
import { takeIn } from './taken.ts';

takeIn(async ({ url, symbols }, taken) => {
  const client = await okxByCcxt(url.replace('/public', ''), symbols);
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
