import type { CandleChange, CandleChangeType } from '../candles/candle-change.ts';
import { CandleCursors } from '../candles/candle-cursor.ts';
import type { CandleBatch } from '../candles/candle-subscription.ts';
import { GRACE_MS } from '../market/candle.ts';
import { builder } from './builder.ts';
import { CandleType } from './candle.ts';
import { CandleIntervalEnum } from './candle-interval.ts';
import { deliveryArg, NOTICES_FIELD, readDelivery } from './delivery.ts';
import { mapStream } from './map-stream.ts';
import { requireStreamed } from './range.ts';
import { type Resumable, resumeAfter } from './resume.ts';

const CandleChangeTypeEnum = builder.enumType('CandleChangeType', {
  description: 'What happened to a candle.',
  values: {
    UPDATED: {
      description: 'It is forming and has other values, or it is over and something else is known of its completeness.',
    },
    CLOSED: {
      description: `Its time is over: a trade came that lies behind its end, or the clock went ${GRACE_MS / 1_000} s beyond it. Once of each candle, also of one without trades.`,
    },
    REVISED: { description: 'Trades came into it after that, late or fetched to fill a gap.' },
  } as const satisfies Record<CandleChangeType, unknown>,
});

const CandleChangeObject = builder.objectRef<CandleChange>('CandleChange').implement({
  description: 'What happened to one candle.',
  fields: (t) => ({
    type: t.expose('type', { type: CandleChangeTypeEnum, description: 'What happened.' }),
    candle: t.field({ type: CandleType, description: 'As it is now.', resolve: ({ candle }) => candle }),
    previous: t.field({
      type: CandleType,
      nullable: true,
      description: 'As it was told before; null unless REVISED.',
      resolve: ({ previous }) => previous,
    }),
  }),
});

class CandlePayload implements Resumable {
  readonly batch: CandleBatch;
  readonly cursors: CandleCursors;

  constructor(batch: CandleBatch, cursors: CandleCursors) {
    this.batch = batch;
    this.cursors = cursors;
  }

  resumeCursor(): string {
    return this.cursors.encode(this.batch.place);
  }
}

const CandleStreamPayload = builder.objectRef<CandlePayload>('CandleStreamPayload').implement({
  description: 'What happened to candles, and where the stream stands after it.',
  fields: (t) => ({
    changes: t.field({
      type: [CandleChangeObject],
      description: 'By time within each symbol. Empty when only the cursor moved or a notice is due.',
      resolve: ({ batch }) => batch.changes,
    }),
    cursor: t.field({
      type: 'Cursor',
      description:
        'Resume with `after: <this>` and nothing that closed or was revised is missed. It stays where it is while a long answer to `after` is under way.',
      resolve: (payload) => payload.resumeCursor(),
    }),
    notices: t.field({ ...NOTICES_FIELD, resolve: ({ batch }) => batch.notices }),
    conflated: t.int({
      description: 'Changes left out because a newer one of the same candle is here.',
      resolve: ({ batch }) => batch.conflated,
    }),
  }),
});

builder.subscriptionField('candles', (t) =>
  t.field({
    type: CandleStreamPayload,
    description:
      'Candles as the trades of these markets make them, in commit order; each equals what the query `candles` gives of the same trades. First comes the candle that is forming. ' +
      'With `after` what happened since that cursor comes first, each candle once, as it is by then. A client slower than the market gets several changes of one candle as one; nothing that closed or was revised is left out, but with DROP_OLDEST. ' +
      'Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID, CURSOR_EXPIRED, DATABASE_UNAVAILABLE.',
    args: {
      exchange: t.arg.string({ required: true, description: 'Exchange id, such as "okx".' }),
      symbols: t.arg.stringList({ required: true, description: 'Canonical symbols, 1 to 100.' }),
      interval: t.arg({ type: CandleIntervalEnum, required: true, description: 'Length of a candle, cut in UTC.' }),
      includeForming: t.arg.boolean({
        defaultValue: true,
        description: 'Also what happens to candles whose time is not over.',
      }),
      after: t.arg({
        type: 'Cursor',
        description: 'Continue after this cursor of the same subscription; without it from now on.',
      }),
      ...deliveryArg(),
    },
    subscribe: async (_root, { exchange, interval, includeForming, after, delivery, ...args }, context) => {
      const request = { exchange, symbols: [...new Set(args.symbols)].sort(), interval };
      const how = { delivery: readDelivery(delivery), includeForming: includeForming ?? true };
      await requireStreamed(context, request);
      const cursors = new CandleCursors(request);
      const last = resumeAfter(after, context);
      const stream = context.candleFeed.subscribe({
        ...request,
        ...how,
        after: last === null ? null : cursors.decode(last),
      });
      if (last !== null) context.resume?.startsAt(last);
      return mapStream(stream, (batch) => new CandlePayload(batch, cursors));
    },
    resolve: (payload) => payload,
  }),
);
