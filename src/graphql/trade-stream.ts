import { type CursorCodec, edgePositions } from '../pipeline/feed/cursor.ts';
import type { StreamPhase, TradeBatch } from '../pipeline/feed/trade-request.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import type { Edge } from './connection.ts';
import { deliveryArg, NOTICES_FIELD, readDelivery } from './delivery.ts';
import type { CommonEvent } from './execution/shared-answers.ts';
import { mapStream } from './map-stream.ts';
import { requireStreamed } from './range.ts';
import { type Resumable, resumeAfter } from './resume.ts';
import { SideEnum, TradeEdge } from './trade.ts';

const StreamPhaseEnum = builder.enumType('StreamPhase', {
  description: 'Whether a stream of trades has caught up.',
  values: {
    REPLAY: { description: 'Stored trades follow, in the order they were committed.' },
    LIVE: { description: 'With this payload everything up to now has been delivered.' },
  } as const satisfies Record<StreamPhase, unknown>,
});

class TradePayload implements Resumable, CommonEvent {
  readonly batch: TradeBatch;
  readonly cursors: CursorCodec;

  constructor(batch: TradeBatch, cursors: CursorCodec) {
    this.batch = batch;
    this.cursors = cursors;
  }

  get origin(): object {
    return this.batch;
  }

  resumeCursor(): string {
    return this.cursors.encode(this.batch.position);
  }
}

const TradeStreamPayload = builder.objectRef<TradePayload>('TradeStreamPayload').implement({
  description: 'A small batch of trades and where the stream stands after it.',
  fields: (t) => ({
    edges: t.field({
      type: [TradeEdge],
      description: 'The trades, in commit order. Empty when only the cursor moved or a notice is due.',
      resolve: ({ batch, cursors }) => toEdges(batch, cursors),
    }),
    cursor: t.field({
      type: 'Cursor',
      description: 'Resume with `after: <this>` and nothing is lost or repeated. It moves also when nothing matched.',
      resolve: (payload) => payload.resumeCursor(),
    }),
    phase: t.field({
      type: StreamPhaseEnum,
      description: 'Whether the stream has caught up.',
      resolve: ({ batch }) => batch.phase,
    }),
    notices: t.field({ ...NOTICES_FIELD, resolve: ({ batch }) => batch.notices }),
    conflated: t.int({
      description: 'Matching trades left out because a newer one of the same instrument is here; 0 unless CONFLATE.',
      resolve: ({ batch }) => batch.conflated,
    }),
  }),
});

/** The position of each edge is worked out only when its cursor is asked for. */
function toEdges(batch: TradeBatch, cursors: CursorCodec): readonly Edge<TradeBatch['trades'][number]>[] {
  let positions: ReturnType<typeof edgePositions> | null = null;
  return batch.trades.map((node, index) => ({
    node,
    cursor: () => {
      positions ??= edgePositions(batch);
      return cursors.encode(positions[index] ?? batch.position);
    },
  }));
}

builder.subscriptionField('trades', (t) =>
  t.field({
    type: TradeStreamPayload,
    description:
      'Trades as they are recorded, each once. With `after` first what was stored since that cursor, then live, without a seam. ' +
      'Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID, CURSOR_EXPIRED, DATABASE_UNAVAILABLE.',
    args: {
      exchange: t.arg.string({ description: 'Only this exchange; without it all.' }),
      symbols: t.arg.stringList({ description: 'Only these canonical symbols, 1 to 100; without it all.' }),
      side: t.arg({ type: SideEnum, description: "Only this taker's side." }),
      minSize: t.arg({ type: 'Decimal', description: 'Only trades of at least this size, in base currency.' }),
      after: t.arg({
        type: 'Cursor',
        description: 'Continue after this cursor of the same subscription; without it from now on.',
      }),
      ...deliveryArg(),
    },
    subscribe: async (_root, { after, delivery: input, ...filter }, context) => {
      const delivery = readDelivery(input);
      if (filter.minSize?.startsWith('-')) throw new AppError('BAD_USER_INPUT', '`minSize` is not negative');
      await requireStreamed(context, filter);
      const cursors = context.tradeCursors(filter);
      const last = resumeAfter(after, context);
      const from = last === null ? null : cursors.decode(last);
      const stream = context.trades.subscribe({
        filter,
        after: from,
        delivery,
      });
      context.resume?.startsAt(cursors.encode(from ?? context.trades.position));
      return mapStream(stream, (batch) => new TradePayload(batch, cursors));
    },
    resolve: (payload) => payload,
  }),
);
