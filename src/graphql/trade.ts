import type { RecordedTrade } from '../market/recorded-trade.ts';
import { isInstant } from '../runtime/date-time.ts';
import type { TradeKey } from '../storage/trades.ts';
import { builder } from './builder.ts';
import { connectionType, edgeType, readPage } from './connection.ts';
import { LazyEdges } from './lazy-edges.ts';
import { findableBy, globalId, NodeInterface } from './node.ts';
import { timeCursors } from './page-cursor.ts';
import { historyArgs, readRange, requireKnown, requireMarket } from './range.ts';
import { readTrades } from './trade-pages.ts';
import { writeTrades } from './trade-text.ts';

export const SideEnum = builder.enumType('Side', {
  description: "The taker's side of a trade.",
  values: {
    BUY: { value: 'buy', description: 'The taker bought: an ask was lifted.' },
    SELL: { value: 'sell', description: 'The taker sold: a bid was hit.' },
  } as const,
});

const ProvenanceEnum = builder.enumType('Provenance', {
  description: 'How a trade came to us.',
  values: {
    LIVE: { description: "From the exchange's live stream." },
    BACKFILL: { description: 'Fetched later, to fill a gap.' },
    RECONCILED: { description: "Found missing when compared with the exchange's own record." },
  } as const,
});

/** Trade ids are unique per instrument only, and rows are found by time and id. */
const nodeId = ({ trade }: RecordedTrade): string =>
  `${trade.exchange}/${trade.symbol}/${trade.exchangeTime}/${trade.tradeId}`;

const readNodeId = (id: string): ({ exchange: string; symbol: string } & TradeKey) | null => {
  const [exchange, symbol, time, tradeId] = /^([^/]+)\/([^/]+)\/(\d{1,15})\/(.+)$/.exec(id)?.slice(1) ?? [];
  if (!exchange || !symbol || !time || !tradeId || !isInstant(Number(time))) return null;
  return { exchange, symbol, exchangeTime: Number(time), tradeId };
};

export const TradeType = builder.objectRef<RecordedTrade>('Trade');

findableBy(TradeType, async (id, { history }) => {
  const key = readNodeId(id);
  return key && (await history.findTrade(key.exchange, key.symbol, key));
});

TradeType.implement({
  description: 'One trade as the exchange reported it, stored once.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'Global id; `node(id:)` finds the trade again.',
      resolve: (parent) => globalId('Trade', nodeId(parent)),
    }),
    exchange: t.string({ description: 'Exchange id, such as "okx".', resolve: ({ trade }) => trade.exchange }),
    symbol: t.string({
      description: 'Canonical BASE-QUOTE, such as "BTC-USDT".',
      resolve: ({ trade }) => trade.symbol,
    }),
    tradeId: t.string({
      description: "The exchange's id, unique per exchange and symbol. Text, as ids beyond 2^53 occur.",
      resolve: ({ trade }) => trade.tradeId,
    }),
    fillCount: t.int({
      description:
        'How many fills this record stands for: 1, or more where the exchange packs several (`tradeId` is the last one).',
      resolve: ({ trade }) => trade.fillCount,
    }),
    price: t.field({
      type: 'Decimal',
      description: 'In quote currency per unit of base.',
      resolve: ({ trade }) => trade.price,
    }),
    size: t.field({
      type: 'Decimal',
      description: 'In base currency; in contracts for derivatives.',
      resolve: ({ trade }) => trade.size,
    }),
    side: t.field({ type: SideEnum, description: "The taker's side.", resolve: ({ trade }) => trade.side }),
    exchangeTime: t.field({
      type: 'DateTime',
      description: 'Stamped by the exchange.',
      resolve: ({ trade }) => trade.exchangeTime,
    }),
    receivedAt: t.field({
      type: 'DateTime',
      description: 'When our socket read it.',
      resolve: ({ trade }) => trade.receivedAt,
    }),
    recordedAt: t.field({
      type: 'DateTime',
      description: 'When it was committed to storage.',
      resolve: ({ recordedAt }) => recordedAt,
    }),
    sequence: t.field({
      type: 'BigInt',
      description: 'Position in the log of the writer that recorded it: dense, and committed in this order.',
      resolve: ({ sequence }) => sequence,
    }),
    writer: t.int({ description: 'The writer whose log `sequence` counts in.', resolve: ({ writer }) => writer }),
    provenance: t.field({
      type: ProvenanceEnum,
      description: 'How it came to us.',
      resolve: ({ provenance }) => provenance,
    }),
    raw: t.field({
      type: 'JSON',
      nullable: true,
      description: "The exchange's own payload; null when its collector does not store raw data.",
      resolve: ({ trade }) => trade.raw,
    }),
  }),
});

export const TradeEdge = edgeType('Trade', TradeType);
const TradeConnection = connectionType('Trade', TradeEdge);

builder.queryField('trades', (t) =>
  t.field({
    type: TradeConnection,
    description:
      'Stored trades of one market in [from, to), by exchange time. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.',
    args: {
      ...historyArgs(),
      side: t.arg({ type: SideEnum, description: "Only this taker's side." }),
      asOf: t.arg({
        type: 'DateTime',
        description:
          'As this server could have answered at that time: only trades that were recorded by then. Without it all that are here.',
      }),
    },
    resolve: async (_root, { exchange, symbol, side = null, asOf = null, ...args }, context) => {
      const range = readRange(args);
      await requireKnown(context, asOf);
      const filter = [exchange, symbol, side, range.order, ...(asOf === null ? [] : [String(asOf)])];
      const cursors = timeCursors('trades', filter, (tradeId) => tradeId);
      const page = readPage(args, cursors);
      await requireMarket(context, exchange, symbol);
      const { trades, hasMore } = await readTrades(context, {
        ...{ exchange, symbol, side, asOf: asOf === null ? null : new Date(asOf), ...range, ...page },
        after: page.after && toKey(page.after),
        before: page.before && toKey(page.before),
      });
      const cursorOf = ({ trade }: RecordedTrade) => cursors.encode([trade.exchangeTime, trade.tradeId]);
      return { edges: new LazyEdges(trades, cursorOf, writeTrades), page, hasMore };
    },
  }),
);

const toKey = ([exchangeTime, tradeId]: readonly [number, string]): TradeKey => ({ exchangeTime, tradeId });
