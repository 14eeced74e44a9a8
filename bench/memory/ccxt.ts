import { answer } from '../frame/answer.ts';
import { okxByCcxt } from '../frame/ccxt-okx.ts';
import { fail } from '../frame/fail.ts';
import type { Collecting } from './exchange.ts';
import { held } from './held.ts';

answer({
  async open({ connection, symbols }: Collecting) {
    const client = await okxByCcxt(connection.public_ws_url.replace('/public', ''), symbols);
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
