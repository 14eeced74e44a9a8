import type { Balance } from '../market/market-event.ts';
import type { LiveBatch } from '../pipeline/live/live-event.ts';
import { builder } from './builder.ts';
import { NOTICES_FIELD, readDelivery } from './delivery.ts';
import { requireExchange } from './range.ts';
import { readRow } from './stored-event.ts';

const BalanceType = builder.objectRef<Balance>('Balance').implement({
  description: 'What an account holds of one currency.',
  fields: (t) => ({
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    currency: t.exposeString('currency', { description: 'Such as "USDT"; all amounts below are in it.' }),
    total: t.expose('total', { type: 'Decimal', description: 'Everything held.' }),
    available: t.expose('available', {
      type: 'Decimal',
      nullable: true,
      description: 'Free to use; null where the exchange did not say.',
    }),
    frozen: t.expose('frozen', {
      type: 'Decimal',
      nullable: true,
      description: 'Bound in orders; null where the exchange did not say.',
    }),
    exchangeTime: t.expose('exchangeTime', { type: 'DateTime', description: 'When it last changed, by the exchange.' }),
  }),
});

builder.queryField('balances', (t) =>
  t.field({
    type: [BalanceType],
    description:
      'The newest balance of each currency on one exchange; empty without a collector of balances. Code: EXCHANGE_UNKNOWN.',
    args: { exchange: t.arg.string({ required: true, description: 'Exchange id, such as "okx".' }) },
    resolve: async (_root, { exchange }, context) => {
      requireExchange(context, exchange);
      const rows = await context.history.latestBalances(exchange);
      return rows.map(
        (row) => context.live.latest('balance', exchange, row.symbol) ?? readRow(context, row, 'balance'),
      );
    },
  }),
);

const BalanceStreamPayload = builder.objectRef<LiveBatch<'balance'>>('BalanceStreamPayload').implement({
  description: 'Balances that changed.',
  fields: (t) => ({
    balances: t.field({
      type: [BalanceType],
      description: 'In arrival order; a new subscription begins with the present ones. Empty beside a notice.',
      resolve: ({ events }) => events,
    }),
    notices: t.field(NOTICES_FIELD),
  }),
});

builder.subscriptionField('balances', (t) =>
  t.field({
    type: BalanceStreamPayload,
    description: 'Balances of one exchange as they change. Code: EXCHANGE_UNKNOWN.',
    args: { exchange: t.arg.string({ required: true, description: 'Exchange id, such as "okx".' }) },
    subscribe: (_root, { exchange }, context) => {
      requireExchange(context, exchange);
      return context.live.subscribe({ kind: 'balance', filter: { exchange }, delivery: readDelivery() });
    },
    resolve: (batch) => batch,
  }),
);
