/** The server as `npm start` runs it. */
import { answer } from '../frame/answer.ts';
import { okxOf, portOf, startServer } from '../frame/app.ts';
import type { Wiring } from './end-to-end.ts';

answer({
  async open({ databaseUrl, exchangePort, symbols }: Wiring) {
    const url = `ws://127.0.0.1:${exchangePort}/ws/v5`;
    const connection = {
      ...{ public_ws_url: `${url}/public`, business_ws_url: `${url}/business` },
      rest_url: `http://127.0.0.1:${exchangePort}`,
    };
    const pairs = symbols.map((symbol) => ({ symbol, data_types: ['trade'], channels: { trade: 'trades' } }));
    return portOf(await startServer(databaseUrl, [okxOf(connection, pairs)]));
  },
});
