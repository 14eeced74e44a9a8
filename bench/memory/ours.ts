/** The server as `npm start` runs it. */
import { answer } from '../frame/answer.ts';
import { okxOf, portOf, startServer } from '../frame/app.ts';
import type { Collecting } from './exchange.ts';
import { held } from './held.ts';

answer({
  async open({ databaseUrl, connection, symbols }: Collecting) {
    const pairs = symbols.map((symbol) => ({
      ...{ symbol, data_types: ['trade', 'ticker', 'orderbook'] },
      channels: { trade: 'trades', ticker: 'tickers', orderbook: 'books5' },
    }));
    return portOf(await startServer(databaseUrl, [okxOf(connection, pairs)]));
  },
  held,
});
