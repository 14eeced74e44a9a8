import type { Side } from '../market/market-event.ts';
import type { Database } from './database.ts';
import { knownInstrument } from './instruments.ts';
import { directionOf } from './page.ts';
import { SIDE_LETTERS } from './trade-columns.ts';
import { TRADE_LINE, TradeLines } from './trade-lines.ts';
import type { TradeKey } from './trades.ts';

export interface MarketName {
  readonly exchange: string;
  readonly symbol: string;
}

/** Which trades of a market a page shows. */
export interface TradePageQuery {
  /** Inclusive. */
  readonly from: Date | null;
  /** Exclusive. */
  readonly to: Date | null;
  readonly side: Side | null;
  /** Only what was recorded by then; null for all. */
  readonly asOf: Date | null;
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** Exclusive; "after" and "before" are meant in the asked order. */
  readonly after: TradeKey | null;
  readonly before: TradeKey | null;
  /** The last `limit` of the range instead of the first, still in the asked order. */
  readonly fromEnd: boolean;
}

export interface TradeQuery extends MarketName, TradePageQuery {}

/** `hasMore` tells whether the range holds more in the direction that was read. */
export interface TradePage {
  readonly trades: TradeLines;
  readonly hasMore: boolean;
}

/** A page is one value of text: as rows with columns the driver would take longer than the database. */
interface PageRow {
  readonly found: number;
  /** Null without a trade. */
  readonly page: string | null;
}

/** One page. Unknown instruments have no trades. */
export async function listTrades(db: Database, query: TradeQuery): Promise<TradePage> {
  const instrumentId = await knownInstrument(db, query.exchange, query.symbol);
  if (instrumentId === null) return pageOf(query, query, null);
  const { given, values, page } = conditionsOf(query, instrumentId);
  const [row] = await db.readers.query<PageRow>({ name: `trades ${given}`, text: page('$1'), values });
  return pageOf(query, query, row);
}

/** Rows one statement is let read: what is more goes over several connections side by side. */
const ROWS_TOGETHER = 10_000;

/** The same page of several markets, in their order, each as `listTrades` reads it, in as few statements as may be. */
export async function listTradesOf(
  db: Database,
  markets: readonly MarketName[],
  query: TradePageQuery,
): Promise<readonly TradePage[]> {
  const together = Math.max(1, Math.floor(ROWS_TOGETHER / (query.limit + 1)));
  const parts = Array.from({ length: Math.ceil(markets.length / together) }, (_, k) =>
    readTogether(db, markets.slice(k * together, (k + 1) * together), query),
  );
  return (await Promise.all(parts)).flat();
}

async function readTogether(
  db: Database,
  markets: readonly MarketName[],
  query: TradePageQuery,
): Promise<readonly TradePage[]> {
  const ids = await Promise.all(markets.map(({ exchange, symbol }) => knownInstrument(db, exchange, symbol)));
  const { given, values, page } = conditionsOf(query, ids);
  // Of an unknown market it is null, which no trade has.
  const rows = await db.readers.query<PageRow>({
    name: `trades of markets ${given}`,
    text: `select found, page from unnest($1::int[]) with ordinality m (instrument_id, n)
      cross join lateral (${page('m.instrument_id')}) p order by n`,
    values,
  });
  return markets.map((market, k) => pageOf(market, query, rows[k]));
}

/** Of what was found, of which one row more than asked tells whether there is more. */
function pageOf(market: MarketName, { limit, fromEnd }: TradePageQuery, row: PageRow | null | undefined): TradePage {
  const text = row?.page ?? '';
  const hasMore = (row?.found ?? 0) > limit;
  const asked = hasMore ? text.slice(0, text.lastIndexOf('\n')) : text;
  return { trades: new TradeLines(fromEnd ? reversed(asked) : asked, market), hasMore };
}

const reversed = (text: string): string => text.split('\n').reverse().join('\n');

/** `page` is a page of the instrument its argument stands for, as text; `given` tells which conditions there are. */
function conditionsOf(query: TradePageQuery, instruments: unknown) {
  const { from, to, side, asOf, order, after, before } = query;
  const direction = directionOf(query);
  const values: unknown[] = [instruments, query.limit + 1];
  const value = (one: unknown) => `$${values.push(one)}`;
  const time = (ms: number) => `${value(new Date(ms).toISOString())}::timestamptz`;
  /** Further along than a key. The first comparison alone is what an index can use. */
  const beyond = ({ exchangeTime, tradeId }: TradeKey, sign: '<' | '>') => {
    const [ts, id] = [time(exchangeTime), `${value(tradeId)}::text`];
    return `ts ${sign}= ${ts} and (ts, length(trade_id), trade_id) ${sign} (${ts}, length(${id}), ${id} collate "C")`;
  };
  const [onward, back] = order === 'ASC' ? (['>', '<'] as const) : (['<', '>'] as const);
  const conditions = [
    ...(from ? [`ts >= ${time(from.getTime())}`] : []),
    ...(to ? [`ts < ${time(to.getTime())}`] : []),
    ...(side ? [`side = ${value(SIDE_LETTERS[side])}`] : []),
    ...(asOf ? [`recorded_at <= ${time(asOf.getTime())}`] : []),
    ...(after ? [beyond(after, onward)] : []),
    ...(before ? [beyond(before, back)] : []),
  ];
  const given = [from, to, side, asOf, after, before].map((one) => (one ? '1' : '0')).join('');
  return {
    given: `${order} ${direction} ${given}`,
    values,
    page: (instrument: string) => `select count(*)::int as found, string_agg(${TRADE_LINE}, e'\\n') as page from (
      select * from tcp_dashboard.trade where ${[`instrument_id = ${instrument}`, ...conditions].join(' and ')}
      order by ts ${direction}, length(trade_id) ${direction}, trade_id ${direction} limit $2) t`,
  };
}
