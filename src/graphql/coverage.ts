import { type StreamKey, sizeOf } from '../market/coverage.ts';
import { type CoverageInterval, coverageIntervals } from '../market/coverage-intervals.ts';
import { DATA_TYPES, type DataType } from '../market/data-type.ts';
import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { CoverageEvidenceEnum, CoverageStatusEnum } from './coverage-status.ts';
import { DataTypeEnum } from './data-type.ts';
import { gapId } from './gap.ts';
import { marketArgs, requireMarket } from './range.ts';

interface Interval extends CoverageInterval {
  readonly stream: StreamKey;
}

/** Only trades are counted by ids; elsewhere a stretch is one of time, and nobody knows how much there should be in it. */
const idsOf = ({ ids, stream }: Interval) => (stream.dataType === 'trade' ? ids : null);

const CoverageIntervalType = builder.objectRef<Interval>('CoverageInterval').implement({
  description: 'What is known of one stream in the half-open time [from, to).',
  fields: (t) => ({
    status: t.expose('status', { type: CoverageStatusEnum, description: 'In one word.' }),
    evidence: t.expose('evidence', { type: CoverageEvidenceEnum, description: 'What that rests on.' }),
    from: t.expose('from', {
      type: 'DateTime',
      description: 'Exchange time, inclusive; for other data than trades the time of our clock.',
    }),
    to: t.expose('to', {
      type: 'DateTime',
      description:
        'Exchange time, exclusive. Equal to `from` where a part of the stream has no time of its own; its ids tell what it is.',
    }),
    firstId: t.field({
      type: 'BigInt',
      nullable: true,
      description:
        'The first trade id it stands for, also where `from` was cut by the range asked for; null where no id is known, and for other data than trades.',
      resolve: (interval) => idsOf(interval)?.first ?? null,
    }),
    lastId: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'The last trade id it stands for; null as `firstId` is.',
      resolve: (interval) => idsOf(interval)?.last ?? null,
    }),
    expected: t.field({
      type: 'BigInt',
      nullable: true,
      description: 'Single trades from `firstId` to `lastId`; null as `firstId` is.',
      resolve: (interval) => {
        const ids = idsOf(interval);
        return ids && sizeOf(ids);
      },
    }),
    actual: t.field({
      type: 'BigInt',
      description: 'Those of them that are stored, single trades; for other data stored rows.',
      resolve: ({ actual }) => actual,
    }),
    cause: t.exposeString('cause', { nullable: true, description: 'Why not everything is here; null where it is.' }),
    gapId: t.id({
      nullable: true,
      description: 'Global id of the `Gap` it is, or was, a part of; null for what never was in one.',
      resolve: ({ stream, gap }) => gap && gapId({ ...stream, ...gap }),
    }),
  }),
});

builder.queryField('coverage', (t) =>
  t.field({
    type: [CoverageIntervalType],
    description:
      'What is known of one stream in [from, to), as contiguous intervals without overlap. A missing trade may share a millisecond with ' +
      'its neighbours, so a gap reaches from the trade before it to the one after it, both included; PROVEN is only what lies between. ' +
      'A quiet hour between consecutive ids is PROVEN. Streams without ids are told by the time they were carried. What the database does not hold yet (`health.storage`) is not in it. ' +
      'Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT.',
    args: {
      ...marketArgs(),
      dataType: t.arg({ type: DataTypeEnum, defaultValue: 'trade', description: 'Which stream of the market.' }),
      from: t.arg({ type: 'DateTime', required: true, description: 'Start of the range by exchange time, inclusive.' }),
      to: t.arg({
        type: 'DateTime',
        description: 'End of the range by exchange time, exclusive; without it up to now.',
      }),
    },
    resolve: async (_root, { exchange, symbol, dataType: asked, from, to: end }, context) => {
      const to = end ?? context.clock.now();
      if (from > to)
        throw new AppError('BAD_USER_INPUT', `\`from\` (${formatTime(from)}) is after \`to\` (${formatTime(to)})`);
      const dataType: DataType = DATA_TYPES.find((type) => type === asked) ?? 'trade';
      await requireMarket(context, exchange, symbol);
      const stream = { exchange, symbol, dataType };
      const stretches = await context.history.listStretches({ ...stream, from: new Date(from), to: new Date(to) });
      return coverageIntervals(stretches, { from, to }).map((interval) => ({ ...interval, stream }));
    },
  }),
);
