import { DATA_TYPES, DataType } from '../market/data-type.ts';
import type { MarketDataRow } from '../storage/market-data.ts';
import { requireRole } from './access.ts';
import { builder } from './builder.ts';
import { type Connection, connectionType, edgeType, type PageArgs, readPage } from './connection.ts';
import type { GraphQLContext } from './context.ts';
import { DataTypeEnum } from './data-type.ts';
import { timeCursors } from './page-cursor.ts';
import { historyArgs, type RangeArgs, readRange, requireMarket } from './range.ts';

const MarketDataType = builder.objectRef<MarketDataRow>('MarketData').implement({
  description: 'One stored piece of market data with its payload as it was stored.',
  fields: (t) => ({
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE; for a balance the currency.' }),
    dataType: t.expose('dataType', { type: DataTypeEnum, description: 'What the payload is.' }),
    timestamp: t.expose('timestamp', { type: 'DateTime', description: 'Exchange time.' }),
    data: t.expose('data', {
      type: 'JSON',
      description: "The exchange's own payload; for an order book `{ bids, asks, sequence, validity }`.",
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was written.' }),
  }),
});

const MarketDataConnection = connectionType('MarketData', edgeType('MarketData', MarketDataType));

interface HistoryArgs extends RangeArgs, PageArgs {
  readonly exchange: string;
  readonly symbol: string;
}

/** One page of stored rows, each turned by `read`; the list behind `marketData`, `tickers` and `orderBooks`. */
export async function listRows<Node>(
  field: string,
  dataType: DataType,
  { exchange, symbol, ...args }: HistoryArgs,
  context: GraphQLContext,
  read: (row: MarketDataRow) => Node,
): Promise<Connection<Node>> {
  const range = readRange(args);
  const cursors = timeCursors(field, [dataType, exchange, symbol, range.order], readRowId);
  const page = readPage(args, cursors);
  await requireMarket(context, exchange, symbol);
  const { rows, hasMore } = await context.history.listMarketData({
    ...{ exchange, symbol, dataType, ...range, ...page },
    after: page.after && toKey(page.after),
    before: page.before && toKey(page.before),
  });
  const edges = rows.map((row) => ({
    node: read(row),
    cursor: () => cursors.encode([row.timestamp.getTime(), row.id]),
  }));
  return { edges, page, hasMore };
}

/** A row's id as it was written; one digit less than bigint has, so that every one fits. */
const readRowId = (text: string): bigint | null => (/^\d{1,18}$/.test(text) ? BigInt(text) : null);

const toKey = ([timestamp, id]: readonly [number, bigint]) => ({ timestamp, id });

builder.queryField('marketData', (t) =>
  t.field({
    type: MarketDataConnection,
    description:
      `Stored payloads of one market and kind (${DATA_TYPES.filter((type) => type !== 'trade').join(', ')}; trades have their own field) in [from, to), ` +
      'by exchange time; balances need the role account. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.',
    args: {
      ...historyArgs(),
      dataType: t.arg({ type: DataTypeEnum, required: true, description: 'Which kind of data.' }),
    },
    resolve: (_root, { dataType, ...args }, context) => {
      if (dataType === DataType.BALANCE) requireRole(context.principal, 'account', 'Reading balances');
      return listRows('marketData', dataType, args, context, (row) => row);
    },
  }),
);
