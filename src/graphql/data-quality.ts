import { assessDay, DAY_MS, type DayQuality, MINUTE_MS, type Repairs } from '../candles/data-quality.ts';
import { GRACE_MS } from '../market/candle.ts';
import {
  CANDLE_VERDICTS,
  type CandleDifference,
  type CandleVerdict,
  COMPARED_FIELDS,
  inWords,
} from '../market/compare-candles.ts';
import type { CoverageStatus } from '../market/coverage.ts';
import type { Decimal } from '../market/decimal.ts';
import type { ExchangeCandle } from '../market/market-event.ts';
import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import type { MarketDataRow } from '../storage/market-data.ts';
import { builder } from './builder.ts';
import { CandleType } from './candle.ts';
import type { GraphQLContext } from './context.ts';
import { CoverageStatusEnum } from './coverage-status.ts';
import { marketArgs, requireMarket } from './range.ts';
import { readRow } from './stored-event.ts';

const MINUTES_A_DAY = DAY_MS / MINUTE_MS;
const SHOWN = 100;

const CandleFieldEnum = builder.enumType('CandleField', {
  description: 'A figure of a candle that is compared.',
  values: Object.fromEntries(
    COMPARED_FIELDS.map((field) => [
      field.replace(/[A-Z]/, '_$&').toUpperCase(),
      { value: field, description: `\`${field}\`.` },
    ]),
  ),
});

const VERDICT_WORDS: Readonly<Record<CandleVerdict, string>> = {
  OURS_INCOMPLETE: 'Trades of ours are known to be missing: our candle is PARTIAL or MISSING.',
  THEIRS_DIFFERS: 'Ours is COMPLETE: every trade is here, by proof, and the exchange says otherwise.',
  UNDECIDED: 'Ours is UNPROVEN: nothing says whether it has every trade.',
};

const CandleVerdictEnum = builder.enumType('CandleVerdict', {
  description: 'Which of two candles that differ is wrong, by the coverage ledger.',
  values: Object.fromEntries(CANDLE_VERDICTS.map((verdict) => [verdict, { description: VERDICT_WORDS[verdict] }])),
});

const ExchangeCandleType = builder.objectRef<ExchangeCandle>('ExchangeCandle').implement({
  description: 'A closed candle of a minute as the exchange computed and printed it.',
  fields: (t) => {
    const figure = (name: 'open' | 'high' | 'low' | 'close' | 'volume', description: string) =>
      t.field({ type: 'Decimal', description, resolve: (candle): Decimal => candle[name] });
    return {
      openTime: t.expose('openTime', {
        type: 'DateTime',
        description: 'Where its time begins: the label it came with.',
      }),
      closeTime: t.expose('closeTime', { type: 'DateTime', description: 'Where its time ends, exclusive.' }),
      open: figure('open', 'First price, in quote currency; of a quiet minute the last one before it.'),
      high: figure('high', 'Highest price; of a quiet minute as `open`.'),
      low: figure('low', 'Lowest price; of a quiet minute as `open`.'),
      close: figure('close', 'Last price; of a quiet minute as `open`.'),
      volume: figure('volume', 'In base currency; in contracts for derivatives.'),
      quoteVolume: t.expose('quoteVolume', {
        type: 'Decimal',
        nullable: true,
        description: 'In quote currency; null where the exchange did not say.',
      }),
      tradeCount: t.field({
        type: 'BigInt',
        nullable: true,
        description: 'Single trades; null where the exchange does not count them (OKX).',
        resolve: ({ tradeCount }) => tradeCount,
      }),
    };
  },
});

const CandleDifferenceType = builder.objectRef<CandleDifference>('CandleDifference').implement({
  description: 'A minute of which the exchange printed another candle than its trades make.',
  fields: (t) => ({
    closeTime: t.field({ type: 'DateTime', description: 'Its label.', resolve: ({ ours }) => ours.closeTime }),
    ours: t.expose('ours', { type: CandleType, description: 'Made of the trades that are here.' }),
    theirs: t.expose('theirs', { type: ExchangeCandleType, description: 'As the exchange printed it.' }),
    fields: t.field({
      type: [CandleFieldEnum],
      description: 'In what they differ, at least one.',
      resolve: ({ fields }) => [...fields],
    }),
    verdict: t.expose('verdict', {
      type: CandleVerdictEnum,
      description: 'Which of them is wrong, as far as is known.',
    }),
    message: t.string({ description: 'The same in words.', resolve: inWords }),
  }),
});

const RepairsType = builder.objectRef<Repairs>('Repairs').implement({
  description: 'What was missing of some time and what became of it, by the coverage ledger. Trades are single fills.',
  fields: (t) => ({
    gaps: t.exposeInt('gaps', { description: 'Gaps of which a part lies in it.' }),
    gapsFilled: t.exposeInt('gapsFilled', { description: 'Those of them of which nothing is missing there any more.' }),
    tradesBackfilled: t.expose('tradesBackfilled', {
      type: 'BigInt',
      description: 'Were missing and were fetched; of a part that reaches beyond the day all of it, here and below.',
    }),
    tradesMissing: t.expose('tradesMissing', { type: 'BigInt', description: 'Are still to be fetched.' }),
    tradesLost: t.expose('tradesLost', { type: 'BigInt', description: 'Are missing for good; `coverage` says why.' }),
    candlesRevised: t.exposeInt('candlesRevised', {
      description: 'Candles of a minute that got trades after they were over.',
    }),
  }),
});

const CoverageShareType = builder
  .objectRef<{ readonly status: CoverageStatus; readonly share: number }>('CoverageShare')
  .implement({
    description: 'How much of some time has one status.',
    fields: (t) => ({
      status: t.expose('status', { type: CoverageStatusEnum, description: 'Of the stream of trades.' }),
      share: t.exposeFloat('share', { description: 'Of the time, 0 to 1, rounded down to six digits.' }),
    }),
  });

const DataQualityType = builder.objectRef<DayQuality>('DataQuality').implement({
  description:
    'The candles of a minute that our trades make beside those the exchange printed, over one day in UTC. They are equal when every figure the ' +
    'exchange gives is the same number. A minute that is over is either compared, only ours, only theirs, or nobody has it.',
  fields: (t) => {
    const count = (description: string, resolve: (quality: DayQuality) => number) => t.int({ description, resolve });
    const judged = (verdict: CandleVerdict) =>
      count(`Of \`candlesDiffering\`. ${VERDICT_WORDS[verdict]}`, ({ differences }) =>
        differences.reduce((sum, one) => sum + (one.verdict === verdict ? 1 : 0), 0),
      );
    return {
      exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
      symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
      day: t.field({ type: 'Date', description: 'The day in UTC.', resolve: ({ from }) => from }),
      from: t.expose('from', { type: 'DateTime', description: 'Its first moment.' }),
      to: t.expose('to', {
        type: 'DateTime',
        description: `Its end, exclusive; of the present day the end of the last minute that was over ${GRACE_MS / 1_000} s ago.`,
      }),
      minutes: t.exposeInt('minutes', { description: `From \`from\` to \`to\`, ${MINUTES_A_DAY} at most.` }),
      candlesCompared: t.exposeInt('compared', { description: 'Minutes of which there is a candle of both.' }),
      candlesEqual: count(
        'Of `candlesCompared`; also a quiet minute: their candle without volume equals ours without prices.',
        ({ compared, differences }) => compared - differences.length,
      ),
      candlesDiffering: count('Of `candlesCompared`, the others.', ({ differences }) => differences.length),
      candlesOnlyOurs: t.exposeInt('onlyOurs', {
        description: 'Minutes that we have, of which no candle of theirs was stored: their candles were not collected.',
      }),
      candlesOnlyTheirs: t.exposeInt('onlyTheirs', {
        description: 'Minutes in which they traded and of which we know nothing: trades were not collected.',
      }),
      oursIncomplete: judged('OURS_INCOMPLETE'),
      theirsDiffers: judged('THEIRS_DIFFERS'),
      undecided: judged('UNDECIDED'),
      differences: t.field({
        type: [CandleDifferenceType],
        description: 'The first of those that differ, in order of time.',
        args: {
          first: t.arg.int({
            defaultValue: SHOWN,
            description: `At most this many, 1 to ${MINUTES_A_DAY}; \`candlesDiffering\` counts all.`,
          }),
        },
        resolve: ({ differences }, { first }) => differences.slice(0, requireCount(first ?? SHOWN)),
      }),
      coverage: t.field({
        type: [CoverageShareType],
        description: 'How much of the time each status has, every status once.',
        resolve: ({ coverage }) => [...coverage],
      }),
      repaired: t.expose('repaired', { type: RepairsType, description: 'What was missing, and what became of it.' }),
    };
  },
});

builder.queryField('dataQuality', (t) =>
  t.field({
    type: DataQualityType,
    description:
      "Our candles of one market beside the exchange's own, minute by minute over one day in UTC: who differs, what was repaired. Their candles are " +
      'those of the channel of 1m candles, stored while data type CANDLE is collected. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT.',
    args: {
      ...marketArgs(),
      day: t.arg({ type: 'Date', required: true, description: 'The present day is compared up to now.' }),
    },
    resolve: async (_root, { exchange, symbol, day: from }, context) => {
      const now = context.clock.now();
      if (from > now)
        throw new AppError(
          'BAD_USER_INPUT',
          `\`day\` (${formatTime(from).slice(0, 10)}) has not begun; give a day up to today (${formatTime(now).slice(0, 10)}, UTC)`,
        );
      await requireMarket(context, exchange, symbol);
      const over = Math.floor((now - GRACE_MS) / MINUTE_MS) * MINUTE_MS;
      const to = Math.max(from, Math.min(from + DAY_MS, over));
      const query = { exchange, symbol, from: new Date(from), to: new Date(to) };
      const theirs = closedMinutes(context, await context.history.listMinuteCandles(query));
      return assessDay(context.candles, { exchange, symbol, from, to, theirs });
    },
  }),
);

/** By their end. What a row was is told by its own times: rows do not name their channel. */
function closedMinutes(context: GraphQLContext, rows: readonly MarketDataRow[]): ReadonlyMap<number, ExchangeCandle> {
  const candles = new Map<number, ExchangeCandle>();
  for (const row of rows) {
    const candle = readMinute(context, row);
    if (candle?.closed && candle.closeTime === row.timestamp.getTime()) candles.set(candle.closeTime, candle);
  }
  return candles;
}

/** Null for a candle of another length, where the exchange's payload names that. */
function readMinute(context: GraphQLContext, row: MarketDataRow): ExchangeCandle | null {
  try {
    const candle = readRow(context, row, 'candle');
    return candle.interval === '1m' ? candle : null;
  } catch (error) {
    if (error instanceof AppError && error.code === 'FRAME_MALFORMED') return null;
    throw error;
  }
}

function requireCount(first: number): number {
  if (first >= 1 && first <= MINUTES_A_DAY) return first;
  throw new AppError('BAD_USER_INPUT', `\`first\` is 1 to ${MINUTES_A_DAY}, was ${first}`);
}
