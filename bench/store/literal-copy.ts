/** COPY of every row in one statement into the specification's table. */
import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { chunksOf, storeIt } from './storing.ts';

const AT_ONCE = 2_000;

storeIt(async ({ url }) => {
  const client = new pg.Client(url);
  await client.connect();
  return async (trades) => {
    const stream = client.query(
      copyFrom('copy literal_trades (exchange, symbol, trade_id, price, size, side, timestamp) from stdin'),
    );
    const done = once(stream, 'finish');
    for (const chunk of chunksOf(trades, AT_ONCE)) {
      let lines = '';
      for (const { exchange, symbol, exchangeTime, side, tradeId, price, size } of chunk)
        lines += `${exchange}\t${symbol}\t${tradeId}\t${price}\t${size}\t${side}\t${new Date(exchangeTime).toISOString()}\n`;
      if (!stream.write(lines)) await once(stream, 'drain');
    }
    stream.end();
    await done;
  };
});
