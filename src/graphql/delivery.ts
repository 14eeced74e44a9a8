import type { Gap } from '../market/gap-ledger.ts';
import { DEFAULT_DELIVERY, type Delivery, type DeliveryMode } from '../pipeline/stream/delivery.ts';
import type { Notice } from '../pipeline/stream/notice.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { CoverageStatusEnum } from './coverage-status.ts';

const DeliveryModeEnum = builder.enumType('DeliveryMode', {
  description: 'What happens when a client is slower than the market.',
  values: {
    LOSSLESS: {
      description:
        'Nothing is left out; a slow client is caught up from storage. Tickers, books and balances are kept as far as bounds allow.',
    },
    CONFLATE: { description: 'The newest value of each instrument replaces older ones; `conflated` counts them.' },
    DROP_OLDEST: { description: 'The oldest values go; a LAGGED notice says how many.' },
  } as const satisfies Record<DeliveryMode, unknown>,
});

export const DeliveryInput = builder.inputType('Delivery', {
  description: 'How payloads are sent.',
  fields: (t) => ({
    mode: t.field({
      type: DeliveryModeEnum,
      defaultValue: DEFAULT_DELIVERY.mode,
      description: 'What happens when the client is slower than the market.',
    }),
    maxBatchMs: t.int({
      defaultValue: DEFAULT_DELIVERY.maxBatchMs,
      description: 'Milliseconds a value may wait for others to share its payload, 0 to 10000; 0 sends at once.',
    }),
    maxPerSecond: t.int({
      description: 'At most this many payloads a second, 1 to 1000, evenly spaced; without it no limit.',
    }),
  }),
});

export const deliveryArg = () =>
  builder.args((t) => ({
    delivery: t.field({
      type: DeliveryInput,
      description: 'How payloads are sent; the default loses nothing and waits for nothing.',
    }),
  }));

/** @throws {AppError} BAD_USER_INPUT for a number out of its range. */
export function readDelivery(
  input?: {
    mode?: DeliveryMode | null | undefined;
    maxBatchMs?: number | null | undefined;
    maxPerSecond?: number | null | undefined;
  } | null,
): Delivery {
  const { mode, maxBatchMs, maxPerSecond } = input ?? {};
  if (maxBatchMs != null && (maxBatchMs < 0 || maxBatchMs > 10_000))
    throw new AppError('BAD_USER_INPUT', `\`delivery.maxBatchMs\` is 0 to 10000, was ${maxBatchMs}`);
  if (maxPerSecond != null && (maxPerSecond < 1 || maxPerSecond > 1000))
    throw new AppError('BAD_USER_INPUT', `\`delivery.maxPerSecond\` is 1 to 1000, was ${maxPerSecond}`);
  return {
    mode: mode ?? DEFAULT_DELIVERY.mode,
    maxBatchMs: maxBatchMs ?? DEFAULT_DELIVERY.maxBatchMs,
    maxPerSecond: maxPerSecond ?? null,
  };
}

const gapOf = (notice: Notice): Gap | null => (notice.type === 'GAP' ? notice.gap : null);

const NoticeType = builder.enumType('StreamNoticeType', {
  description: 'What a stream tells its client between the data.',
  values: {
    LAGGED: { description: 'Values were dropped because the client was slower than the market; `missed` counts them.' },
    GAP: {
      description:
        'Trades of a market of this stream are missing (`status` GAP), or the gap is closed; when the missing ones come they are in the stream.',
    },
    DRAINING: {
      description: 'The server goes away and closes the connection in a moment: come back with the last cursor.',
    },
    CAUGHT_UP: { description: 'Everything stored before has been delivered; from here on values come as they happen.' },
  } as const satisfies Record<Notice['type'], unknown>,
});

export const StreamNotice = builder.objectRef<Notice>('StreamNotice').implement({
  description: 'Something a client should know about its stream, in the order it happened.',
  fields: (t) => ({
    type: t.field({ type: NoticeType, description: 'What happened.', resolve: ({ type }) => type }),
    missed: t.int({
      nullable: true,
      description: 'Values that matched the subscription and were dropped; null unless LAGGED.',
      resolve: (notice) => (notice.type === 'LAGGED' ? notice.missed : null),
    }),
    exchange: t.string({
      nullable: true,
      description: 'Of the market of a GAP; null for any other notice.',
      resolve: (notice) => gapOf(notice)?.exchange ?? null,
    }),
    symbol: t.string({
      nullable: true,
      description: 'Of the market of a GAP; null for any other notice.',
      resolve: (notice) => gapOf(notice)?.symbol ?? null,
    }),
    firstId: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'The first missing trade id of a GAP; null for any other notice.',
      resolve: (notice) => gapOf(notice)?.first ?? null,
    }),
    lastId: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'The last missing trade id of a GAP; null for any other notice.',
      resolve: (notice) => gapOf(notice)?.last ?? null,
    }),
    status: t.field({
      type: CoverageStatusEnum,
      nullable: true,
      description:
        'Of a GAP: GAP when it was found, BACKFILLED or UNFILLABLE when it was closed; null for any other notice.',
      resolve: (notice) => gapOf(notice)?.status ?? null,
    }),
    message: t.string({ description: 'The same in words.', resolve: inWords }),
  }),
});

function inWords(notice: Notice): string {
  switch (notice.type) {
    case 'LAGGED':
      return `${notice.missed} values were dropped: read faster, or narrow the subscription`;
    case 'CAUGHT_UP':
      return 'Live from here on';
    case 'DRAINING':
      return 'The server goes away: come back with the last cursor';
    case 'GAP':
      return gapInWords(notice.gap);
    default:
      return notice satisfies never;
  }
}

function gapInWords({ exchange, symbol, first, last, expected, unfillable, status, cause }: Gap): string {
  const which = `trades ${first} to ${last} of ${exchange}:${symbol}`;
  if (status === 'BACKFILLED') return `The ${which} that were missing are here`;
  if (status === 'UNFILLABLE') return `Of the ${which} ${unfillable} are missing for good${cause ? `: ${cause}` : ''}`;
  return `${expected} trades of ${exchange}:${symbol} are missing, ${first} to ${last}${cause ? `: ${cause}` : ''}`;
}

/** The field every stream payload has beside its data. */
export const NOTICES_FIELD = {
  type: [StreamNotice] as [typeof StreamNotice],
  description: 'What the client should know, in order.',
  resolve: ({ notices }: { readonly notices: readonly Notice[] }) => notices,
};
