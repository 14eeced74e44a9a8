/** COPY of every row in one statement into the table the product has: what the machine takes at least. */
import { once } from 'node:events';
import pg from 'pg';
import { from as copyFrom } from 'pg-copy-streams';
import { chunksOf, storeIt } from './storing.ts';

const AT_ONCE = 2_000;
/** Under numbers of the first writer; instruments as they were made. */
storeIt(async ({ url }) => {
  const client = new pg.Client(url);
  await client.connect();
  const { rows } = await client.query<{ id: number; symbol: string }>(
    'select id, symbol from tcp_dashboard.instrument',
  );
  const instruments = new Map(rows.map(({ id, symbol }) => [symbol, id]));
  let sequence = 10_000_000_000;
  return async (trades) => {
    const stream = client.query(
      copyFrom(`copy tcp_dashboard.trade
        (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size) from stdin`),
    );
    const done = once(stream, 'finish');
    for (const chunk of chunksOf(trades, AT_ONCE)) {
      let lines = '';
      for (const { symbol, exchangeTime, receivedAt, fillCount, side, tradeId, price, size } of chunk) {
        sequence += 1;
        const [at, received, recorded] = [exchangeTime, receivedAt, receivedAt + 8].map(iso);
        lines += `${sequence}\t${at}\t${received}\t${recorded}\t${instruments.get(symbol)}\t${fillCount}\t${side[0]}\tl\t${tradeId}\t${price}\t${size}\n`;
      }
      if (!stream.write(lines)) await once(stream, 'drain');
    }
    stream.end();
    await done;
  };
});

const iso = (time: number): string => new Date(time).toISOString();
