import { DataType } from '../market/data-type.ts';
import type { Decimal } from '../market/decimal.ts';
import type { Ticker } from '../market/market-event.ts';
import type { LiveBatch } from '../pipeline/live/live-event.ts';
import { builder } from './builder.ts';
import { connectionType, edgeType } from './connection.ts';
import { deliveryArg, NOTICES_FIELD, readDelivery } from './delivery.ts';
import { listRows } from './market-data.ts';
import { historyArgs, requireStreamed } from './range.ts';
import { readRow } from './stored-event.ts';

/** The figures a ticker may have, and what each means. */
const FIGURES = {
  last: 'Price of the last trade, in quote currency.',
  lastSize: 'Size of the last trade, in base currency.',
  bid: 'Best bid, in quote currency.',
  bidSize: 'Size at the best bid, in base currency.',
  ask: 'Best ask, in quote currency.',
  askSize: 'Size at the best ask, in base currency.',
  open24h: 'Price 24 hours ago, in quote currency.',
  high24h: 'Highest price of the last 24 hours, rolling, in quote currency.',
  low24h: 'Lowest price of the last 24 hours, rolling, in quote currency.',
  volume24h: 'Traded in the last 24 hours, rolling, in base currency (contracts for derivatives).',
  quoteVolume24h: 'Traded in the last 24 hours, rolling, in quote currency.',
} as const satisfies Partial<Record<keyof Ticker, string>>;

export const TickerType = builder.objectRef<Ticker>('Ticker').implement({
  description: 'Best prices and rolling 24 h figures of one market. A figure is null where the exchange did not say.',
  fields: (t) => {
    const figure = (name: keyof typeof FIGURES) =>
      t.field({
        type: 'Decimal',
        nullable: true,
        description: `${FIGURES[name]} Null where the exchange did not say.`,
        resolve: (ticker): Decimal | null => ticker[name],
      });
    return {
      exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
      symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
      exchangeTime: t.expose('exchangeTime', {
        type: 'DateTime',
        description: 'Stamped by the exchange; `receivedAt` where it stamps none.',
      }),
      receivedAt: t.expose('receivedAt', {
        type: 'DateTime',
        description: 'When our socket read it; of a stored ticker when it was written.',
      }),
      last: figure('last'),
      lastSize: figure('lastSize'),
      bid: figure('bid'),
      bidSize: figure('bidSize'),
      ask: figure('ask'),
      askSize: figure('askSize'),
      open24h: figure('open24h'),
      high24h: figure('high24h'),
      low24h: figure('low24h'),
      volume24h: figure('volume24h'),
      quoteVolume24h: figure('quoteVolume24h'),
    };
  },
});

builder.queryField('tickers', (t) =>
  t.field({
    type: connectionType('Ticker', edgeType('Ticker', TickerType)),
    description:
      'Stored samples of the ticker of one market in [from, to), by exchange time. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.',
    args: historyArgs(),
    resolve: (_root, args, context) =>
      listRows('tickers', DataType.TICKER, args, context, (row) => readRow(context, row, 'ticker')),
  }),
);

const TickerStreamPayload = builder.objectRef<LiveBatch<'ticker'>>('TickerStreamPayload').implement({
  description: 'Tickers that changed.',
  fields: (t) => ({
    tickers: t.field({
      type: [TickerType],
      description:
        'In arrival order; a new subscription begins with the present ticker of each market. Empty beside a notice.',
      resolve: ({ events }) => events,
    }),
    notices: t.field(NOTICES_FIELD),
    conflated: t.exposeInt('conflated', {
      description: 'Tickers left out because a newer one of the same market is here; 0 unless CONFLATE.',
    }),
  }),
});

builder.subscriptionField('tickers', (t) =>
  t.field({
    type: TickerStreamPayload,
    description: 'Tickers as they arrive. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT.',
    args: {
      exchange: t.arg.string({ description: 'Only this exchange; without it all.' }),
      symbols: t.arg.stringList({ description: 'Only these canonical symbols, 1 to 100; without it all.' }),
      ...deliveryArg(),
    },
    subscribe: async (_root, { delivery, ...filter }, context) => {
      const request = { kind: 'ticker', filter, delivery: readDelivery(delivery) } as const;
      await requireStreamed(context, filter);
      return context.live.subscribe(request);
    },
    resolve: (batch) => batch,
  }),
);
