/** What is asked of every contender, and what each asks the same table. */
import { EXCHANGE, symbolOf } from './fill-trades.ts';

/** A place in the order of a market's trades, newest first. */
export interface Key {
  readonly ts: string;
  readonly tradeId: string;
}

/** Newest first: what follows `after`, of one side only, in [from, to). */
export interface Page {
  readonly market: number;
  readonly first: number;
  readonly after?: string;
  readonly side?: 'SELL';
  readonly from?: string;
  readonly to?: string;
}

export const LATEST = 50;
export const PAGE = 1_000;

const ms = (column: string) => `date_part('epoch', ${column}) * 1000 as ${column}_ms`;

/** What is shown of a trade. Times are numbers: the driver's Date objects alone would take twice as long as all else. */
export const COLUMNS = `trade_id, fill_count, price, size, side, ${['ts', 'received_at', 'recorded_at'].map(ms).join(', ')}`;

/** The rows of a page as a statement of `pg`, whose name says which conditions it has. */
export function statementOf({ market, first, after, side, from, to }: Page) {
  const values: unknown[] = [EXCHANGE, symbolOf(market), first];
  const value = (one: unknown) => `$${values.push(one)}`;
  const conditions = ['instrument_id = (select id from tcp_dashboard.instrument where exchange = $1 and symbol = $2)'];
  if (from !== undefined) conditions.push(`ts >= ${value(from)}`);
  if (to !== undefined) conditions.push(`ts < ${value(to)}`);
  if (side !== undefined) conditions.push(`side = ${value('s')}`);
  if (after !== undefined) {
    const key = readKey(after);
    const [ts, id] = [value(key.ts), value(key.tradeId)];
    conditions.push(
      `ts <= ${ts} and (ts, length(trade_id), trade_id) < (${ts}, length(${id}), ${id}::text collate "C")`,
    );
  }
  return {
    name: [from, to, side, after].map((one) => (one === undefined ? '0' : '1')).join(''),
    text: `select ${COLUMNS} from tcp_dashboard.trade where ${conditions.join(' and ')}
      order by ts desc, length(trade_id) desc, trade_id desc limit $3`,
    values,
  };
}

export interface TradeRow {
  readonly trade_id: string;
  readonly fill_count: number;
  readonly price: string;
  readonly size: string;
  readonly side: string;
  readonly ts_ms: number;
  readonly received_at_ms: number;
  readonly recorded_at_ms: number;
}

export const writeKey = ({ ts, tradeId }: Key): string =>
  Buffer.from(JSON.stringify([ts, tradeId])).toString('base64url');

function readKey(text: string): Key {
  const [ts, tradeId] = JSON.parse(Buffer.from(text, 'base64url').toString()) as [string, string];
  return { ts, tradeId };
}
