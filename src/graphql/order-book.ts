import { DataType } from '../market/data-type.ts';
import type { BookLevel, BookValidity, OrderBook } from '../market/market-event.ts';
import type { LiveBatch } from '../pipeline/live/live-event.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { connectionType, edgeType } from './connection.ts';
import { deliveryArg, NOTICES_FIELD, readDelivery } from './delivery.ts';
import { mapStream } from './map-stream.ts';
import { listRows } from './market-data.ts';
import { historyArgs, marketArgs, requireMarket } from './range.ts';
import { readRow } from './stored-event.ts';

const MAX_DEPTH = 400;

const BookValidityEnum = builder.enumType('BookValidity', {
  description: 'Whether an order book can be trusted.',
  values: {
    VALID: { description: 'An unbroken chain from a snapshot, not crossed.' },
    RESYNCING: { description: 'The chain broke or the book crossed; a fresh snapshot is awaited. Do not trade on it.' },
    STALE: { description: 'No frame for too long, or the connection is gone. Do not trade on it.' },
  } as const satisfies Record<BookValidity, unknown>,
});

const BookLevelType = builder.objectRef<BookLevel>('BookLevel').implement({
  description: 'All that is offered at one price.',
  fields: (t) => ({
    price: t.field({
      type: 'Decimal',
      description: 'In quote currency per unit of base.',
      resolve: ([price]) => price,
    }),
    size: t.field({
      type: 'Decimal',
      description: 'In base currency; in contracts for derivatives.',
      resolve: ([, size]) => size,
    }),
  }),
});

export const OrderBookType = builder.objectRef<OrderBook>('OrderBook').implement({
  description: 'The order book of one market at one instant.',
  fields: (t) => ({
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
    exchangeTime: t.expose('exchangeTime', {
      type: 'DateTime',
      description: 'Stamped by the exchange; `receivedAt` where it stamps none.',
    }),
    receivedAt: t.expose('receivedAt', {
      type: 'DateTime',
      description: 'When our socket read it; of a stored book when it was written.',
    }),
    bids: t.expose('bids', { type: [BookLevelType], description: 'Best (highest) first.' }),
    asks: t.expose('asks', { type: [BookLevelType], description: 'Best (lowest) first.' }),
    sequence: t.expose('sequence', {
      type: 'BigInt',
      nullable: true,
      description: "The exchange's sequence after the last applied change; null where it sends none.",
    }),
    validity: t.expose('validity', { type: BookValidityEnum, description: 'Whether it can be trusted.' }),
  }),
});

builder.queryField('orderBooks', (t) =>
  t.field({
    type: connectionType('OrderBook', edgeType('OrderBook', OrderBookType)),
    description:
      'Stored samples of the order book of one market in [from, to), by exchange time. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.',
    args: historyArgs(),
    resolve: (_root, args, context) =>
      listRows('orderBooks', DataType.ORDERBOOK, args, context, (row) => readRow(context, row, 'orderbook')),
  }),
);

const OrderBookStreamPayload = builder.objectRef<LiveBatch<'orderbook'>>('OrderBookStreamPayload').implement({
  description: 'The book after a change.',
  fields: (t) => ({
    orderBook: t.field({
      type: OrderBookType,
      nullable: true,
      description:
        'The newest book of this payload; a new subscription begins with the present one. Null when only a notice is due.',
      resolve: ({ events }) => events.at(-1) ?? null,
    }),
    orderBooks: t.field({
      type: [OrderBookType],
      description:
        'Every book of this payload in arrival order; more than one only with `delivery.maxBatchMs` or for a slow client.',
      resolve: ({ events }) => events,
    }),
    notices: t.field(NOTICES_FIELD),
    conflated: t.exposeInt('conflated', {
      description: 'Books left out because a newer one is here; 0 unless CONFLATE.',
    }),
  }),
});

builder.subscriptionField('orderBook', (t) =>
  t.field({
    type: OrderBookStreamPayload,
    description:
      'The order book of one market, now and after every change. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT.',
    args: {
      ...marketArgs(),
      depth: t.arg.int({ defaultValue: 5, description: `At most this many levels a side, 1 to ${MAX_DEPTH}.` }),
      ...deliveryArg(),
    },
    subscribe: async (_root, args, context) => {
      const depth = args.depth ?? 5;
      if (depth < 1 || depth > MAX_DEPTH)
        throw new AppError('BAD_USER_INPUT', `\`depth\` is 1 to ${MAX_DEPTH}, was ${depth}`);
      const delivery = readDelivery(args.delivery);
      await requireMarket(context, args.exchange, args.symbol);
      const stream = context.live.subscribe({
        kind: 'orderbook',
        filter: { exchange: args.exchange, symbols: [args.symbol] },
        delivery,
      });
      return mapStream(stream, (batch) => ({ ...batch, events: batch.events.map((book) => cut(book, depth)) }));
    },
    resolve: (batch) => batch,
  }),
);

const cut = (book: OrderBook, depth: number): OrderBook => ({
  ...book,
  bids: book.bids.slice(0, depth),
  asks: book.asks.slice(0, depth),
});
