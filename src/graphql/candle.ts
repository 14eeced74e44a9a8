import { candleAt, listCandles } from '../candles/candle-history.ts';
import type { EmptyIntervals } from '../candles/candles-request.ts';
import {
  type Candle,
  type CandleCompleteness,
  type CandleState,
  type CandleValues,
  GRACE_MS,
  VWAP_PLACES,
  vwapOf,
} from '../market/candle.ts';
import { type CandleInterval, checkWindows } from '../market/candle-window.ts';
import type { Decimal } from '../market/decimal.ts';
import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { CandleIntervalEnum } from './candle-interval.ts';
import { writeCandles } from './candle-text.ts';
import { connectionType, edgeType, pageArgs, readPage } from './connection.ts';
import { LazyEdges } from './lazy-edges.ts';
import { MAX_PAGE } from './limits/page-size.ts';
import { timeCursors } from './page-cursor.ts';
import { marketArgs, OrderEnum, requireKnown, requireMarket } from './range.ts';

const EmptyIntervalsEnum = builder.enumType('EmptyIntervals', {
  description: 'What becomes of an interval without trades.',
  values: {
    OMIT: { value: 'OMIT', description: 'It is left out.' },
    INCLUDE_NULL: {
      value: 'INCLUDE_NULL',
      description: 'A candle without prices; `completeness` tells a quiet market from an outage.',
    },
    CARRY_FORWARD: {
      value: 'CARRY_FORWARD',
      description: 'A candle of the last price before it, with no volume. One that is MISSING stays without prices.',
    },
  } as const satisfies Record<EmptyIntervals, object>,
});

const CandleBoundaryEnum = builder.enumType('CandleBoundary', {
  description: 'Which end of its time belongs to a candle.',
  values: {
    START_INCLUSIVE: { value: 'START_INCLUSIVE', description: '[openTime, closeTime), as exchanges cut their own.' },
    END_INCLUSIVE: { value: 'END_INCLUSIVE', description: '(openTime, closeTime].' },
  } as const,
});

const CandleStateEnum = builder.enumType('CandleState', {
  description: 'Whether a candle may still change.',
  values: {
    FORMING: { description: 'Its time is not over.' },
    PROVISIONAL: { description: 'Its time is over; a trade of it may still come.' },
    FINAL: { description: 'Its time is over and every trade of it is in it.' },
  } satisfies Record<CandleState, object>,
});

const CandleCompletenessEnum = builder.enumType('CandleCompleteness', {
  description: 'Whether all trades of its time are in a candle, by the coverage ledger.',
  values: {
    COMPLETE: { description: 'All are. Without trades: the market was quiet.' },
    UNPROVEN: { description: 'Nothing says whether more were made.' },
    PARTIAL: { description: 'Some are known to be missing.' },
    MISSING: { description: 'Some are known to be missing and none is here: an outage.' },
  } satisfies Record<CandleCompleteness, object>,
});

const price = (description: string, pick: (values: CandleValues) => Decimal) => ({ description, pick });

const PRICES = {
  open: price('Price of the first trade.', ({ open }) => open),
  high: price('Highest price.', ({ high }) => high),
  low: price('Lowest price.', ({ low }) => low),
  close: price('Price of the last trade; of one millisecond the one with the highest id.', ({ close }) => close),
} as const;

export const CandleType = builder.objectRef<Candle>('Candle').implement({
  description:
    'What was traded in one interval. Its label is its end: `closeTime`. It holds nothing that was not known by then, as `availableAt` says.',
  fields: (t) => ({
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
    interval: t.expose('interval', { type: CandleIntervalEnum, description: 'Its length.' }),
    openTime: t.expose('openTime', { type: 'DateTime', description: 'Where its time begins, by exchange time.' }),
    closeTime: t.expose('closeTime', { type: 'DateTime', description: 'Where its time ends: its label.' }),
    ...Object.fromEntries(
      Object.entries(PRICES).map(([name, { description, pick }]) => [
        name,
        t.field({
          type: 'Decimal',
          nullable: true,
          description: `${description} Null without a trade, never 0.`,
          resolve: ({ values }: Candle) => values && pick(values),
        }),
      ]),
    ),
    volume: t.field({
      type: 'Decimal',
      description: 'In base currency.',
      resolve: ({ values }) => values?.volume ?? ZERO,
    }),
    quoteVolume: t.field({
      type: 'Decimal',
      description: 'In quote currency: the sum of price times size, exactly.',
      resolve: ({ values }) => values?.quoteVolume ?? ZERO,
    }),
    buyVolume: t.field({
      type: 'Decimal',
      description: 'Of `volume`, what takers bought.',
      resolve: ({ values }) => values?.buyVolume ?? ZERO,
    }),
    vwap: t.field({
      type: 'Decimal',
      nullable: true,
      description: `Volume-weighted mean price, rounded to ${VWAP_PLACES} digits after the point; null without volume.`,
      resolve: ({ values }) => values && vwapOf(values),
    }),
    tradeCount: t.field({
      type: 'BigInt',
      description: 'Single trades.',
      resolve: ({ values }) => values?.tradeCount ?? 0,
    }),
    state: t.expose('state', { type: CandleStateEnum, description: 'Whether it may still change.' }),
    completeness: t.expose('completeness', {
      type: CandleCompletenessEnum,
      description: 'Whether all trades are in it.',
    }),
    coverageRatio: t.exposeFloat('coverageRatio', {
      description: 'How much of its time is proven or was fetched, 0 to 1.',
    }),
    revision: t.int({
      description: `How often trades came after it was over, each time in one recording, with a grace of ${GRACE_MS / 1_000} s.`,
      resolve: ({ values }) => values?.revision ?? 0,
    }),
    availableAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'From when on it could be seen as it is, never before `closeTime`; null while it is FORMING.',
      resolve: ({ availableAt }) => availableAt,
    }),
  }),
});

const ZERO = '0' as Decimal;

const CandleEdge = edgeType('Candle', CandleType);
const CandleConnection = connectionType('Candle', CandleEdge);

const cutArgs = () =>
  builder.args((t) => ({
    boundary: t.field({
      type: CandleBoundaryEnum,
      defaultValue: 'START_INCLUSIVE',
      description: 'Which end of its time belongs to a candle.',
    }),
    timeZone: t.string({
      defaultValue: 'UTC',
      description: 'IANA name of the place whose days, weeks and months are meant, such as "Europe/Berlin".',
    }),
    anchor: t.field({
      type: 'DateTime',
      description: 'Candles end at the same time of day, day of the week or day of the month as this instant.',
    }),
  }));

interface CutArgs {
  readonly boundary?: string | null | undefined;
  readonly timeZone?: string | null | undefined;
  readonly anchor?: number | null | undefined;
}

const cutOf = (interval: CandleInterval, { boundary, timeZone, anchor = null }: CutArgs) => {
  const windows = { interval, timeZone: timeZone ?? 'UTC', anchor: anchor ?? null };
  checkWindows(windows);
  return { windows, endInclusive: boundary === 'END_INCLUSIVE' };
};

builder.queryField('candles', (t) =>
  t.field({
    type: CandleConnection,
    description:
      'Candles of one market whose end lies in (from, to], computed from its trades: one definition for any interval and any range that has trades. ' +
      `With neither \`first\` nor \`last\` the whole range, if that is at most ${MAX_PAGE} candles. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.`,
    args: {
      ...marketArgs(),
      interval: t.arg({ type: CandleIntervalEnum, required: true, description: 'Length of a candle.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'Only candles that end after this.' }),
      to: t.arg({ type: 'DateTime', description: 'Only candles that end at this or before; without it up to now.' }),
      order: t.arg({ type: OrderEnum, defaultValue: 'ASC', description: 'Oldest or newest first.' }),
      asOf: t.arg({
        type: 'DateTime',
        description:
          'As this server could have answered at that time, also after later revisions; without it as it is known now.',
      }),
      emptyIntervals: t.arg({
        type: EmptyIntervalsEnum,
        defaultValue: 'INCLUDE_NULL',
        description: 'What becomes of an interval without trades.',
      }),
      includeForming: t.arg.boolean({
        defaultValue: false,
        description: 'Also the candle whose time is not over at `to`.',
      }),
      ...cutArgs(),
      ...pageArgs(),
    },
    resolve: async (_root, { exchange, symbol, interval, from, to: end, asOf = null, ...args }, context) => {
      const now = context.clock.now();
      const to = end ?? now;
      if (from >= to)
        throw new AppError(
          'BAD_USER_INPUT',
          `\`from\` (${formatTime(from)}) should be before \`to\` (${formatTime(to)})`,
        );
      const order = args.order ?? 'ASC';
      const cut = cutOf(interval, args);
      const filter = [exchange, symbol, interval, order, args.boundary, cut.windows.timeZone, args.emptyIntervals];
      const cursors = timeCursors(
        'candles',
        [...filter, String(cut.windows.anchor), String(asOf)].map((one) => one ?? null),
        (text) => text,
      );
      const whole = args.first == null && args.last == null;
      const page = readPage(whole ? { ...args, first: MAX_PAGE } : args, cursors);
      await requireKnown(context, asOf);
      const reading = listCandles(context.candles, {
        ...{ exchange, symbol, from, to, asOf: asOf ?? null, order, ...cut, ...page },
        includeForming: args.includeForming ?? false,
        emptyIntervals: args.emptyIntervals ?? 'INCLUDE_NULL',
        after: page.after?.[0] ?? null,
        before: page.before?.[0] ?? null,
      });
      reading.catch(() => {}); // a market nobody knows is told of first
      await requireMarket(context, exchange, symbol);
      const { candles, hasMore } = await reading;
      if (whole && hasMore)
        throw new AppError(
          'BAD_USER_INPUT',
          `The range holds more than ${MAX_PAGE} candles of ${interval}; ask for a page with \`first\` (at most ${MAX_PAGE}) and go on with \`after\``,
        );
      const cursorOf = ({ closeTime }: Candle) => cursors.encode([closeTime, interval]);
      return { edges: new LazyEdges(candles, cursorOf, writeCandles), page, hasMore };
    },
  }),
);

builder.queryField('candlesAt', (t) =>
  t.field({
    type: [CandleType],
    description:
      'Of each interval the last candle that was over at a time, as it was known then: several intervals side by side without a look into the future. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT.',
    args: {
      ...marketArgs(),
      time: t.arg({ type: 'DateTime', required: true, description: 'The time to look from.' }),
      intervals: t.arg({
        type: [CandleIntervalEnum],
        required: true,
        description: 'In the order of the answer, each once.',
      }),
      ...cutArgs(),
    },
    resolve: async (_root, { exchange, symbol, time, intervals, ...args }, context) => {
      if (intervals.length === 0 || new Set(intervals).size < intervals.length)
        throw new AppError('BAD_USER_INPUT', '`intervals` should name each interval once, and one at least');
      await requireKnown(context, time);
      await requireMarket(context, exchange, symbol);
      const reads = intervals.map((interval) =>
        candleAt(context.candles, {
          ...{ exchange, symbol, time, emptyIntervals: 'INCLUDE_NULL', ...cutOf(interval, args) },
        }),
      );
      return Promise.all(reads);
    },
  }),
);
