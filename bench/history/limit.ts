/** A bare server that asks by prepared statements and answers with the rows as JSON. */
import type { IncomingMessage } from 'node:http';
import pg from 'pg';
import { COLUMNS, type Page, statementOf } from './asked.ts';
import { CANDLE_SYMBOL } from './fill-candles.ts';
import { EXCHANGE, symbolOf } from './fill-trades.ts';
import { listening, serving } from './serving.ts';

/** What it is asked. */
export type LimitQuestion =
  | { readonly page: Page }
  | { readonly latest: number; readonly markets: number }
  | { readonly candlesOf: number; readonly from: string; readonly to: string };

serving(async ({ database }) => {
  const pool = new pg.Pool({ connectionString: database, min: 4 });
  const rowsOf = async (question: LimitQuestion): Promise<unknown> => {
    if ('page' in question) return (await pool.query(statementOf(question.page))).rows;
    if ('candlesOf' in question)
      return (await pool.query(candles(question.candlesOf, question.from, question.to))).rows;
    const { rows } = await pool.query(latest(question.latest, question.markets));
    return Object.groupBy(rows, ({ symbol }) => symbol);
  };
  return listening(async (request, response) => {
    const body = JSON.stringify(await rowsOf(JSON.parse(await textOf(request)) as LimitQuestion));
    response.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) });
    response.end(body);
  });
});

async function textOf(request: IncomingMessage): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of request) parts.push(part as Buffer);
  return Buffer.concat(parts).toString();
}

const latest = (count: number, markets: number) => ({
  name: 'latest',
  text: `select symbol, t.* from unnest($1::text[]) symbol cross join lateral (
      select ${COLUMNS} from tcp_dashboard.trade
      where instrument_id = (select id from tcp_dashboard.instrument i where i.exchange = $2 and i.symbol = symbol.symbol)
      order by ts desc, length(trade_id) desc, trade_id desc limit $3) t`,
  values: [Array.from({ length: markets }, (_, market) => symbolOf(market)), EXCHANGE, count],
});

const candles = (seconds: number, from: string, to: string) => ({
  name: 'candles',
  text: `select date_part('epoch', ts) * 1000 as ts_ms, date_part('epoch', recorded_at) * 1000 as recorded_at_ms,
      trade_count::float8 as trade_count, open::text, high::text, low::text, close::text, volume::text, quote_volume::text, buy_volume::text
    from tcp_dashboard.candle
    where instrument_id = (select id from tcp_dashboard.instrument where exchange = $1 and symbol = $2)
      and seconds = $3 and ts >= $4 and ts < $5 order by ts`,
  values: [EXCHANGE, CANDLE_SYMBOL, seconds, from, to],
});
