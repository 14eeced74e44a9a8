import { DATA_TYPES, type DataType } from '../market/data-type.ts';
import type { Gap } from '../market/gap-ledger.ts';
import { isInstant } from '../runtime/date-time.ts';
import { builder } from './builder.ts';
import { connectionType, edgeType, readPage, toConnection } from './connection.ts';
import type { Gaps } from './context.ts';
import { CoverageStatusEnum } from './coverage-status.ts';
import { DataTypeEnum } from './data-type.ts';
import { queueEvents } from './event-queue.ts';
import { mapStream } from './map-stream.ts';
import { findableBy, globalId, NodeInterface } from './node.ts';
import { gapCursors } from './page-cursor.ts';
import { requireExchange, requireStreamed } from './range.ts';

/** Of one client: gaps change a few times a second at most, so only a client that stopped reading fills it. */
const QUEUE_CAPACITY = 1_000;

type GapName = Pick<Gap, 'exchange' | 'symbol' | 'dataType' | 'first' | 'foundAt'>;

/** A gap is named by where it began and when it was found. */
export const gapId = ({ exchange, symbol, dataType, first, foundAt }: GapName): string =>
  globalId('Gap', `${exchange}/${symbol}/${dataType}/${first}/${foundAt}`);

function readGapName(id: string): GapName | null {
  const [exchange, symbol, type, first, foundAt] =
    /^([^/]+)\/([^/]+)\/(\w+)\/(-?\d{1,40})\/(\d{1,15})$/.exec(id)?.slice(1) ?? [];
  const dataType = DATA_TYPES.find((one) => one === type);
  if (!exchange || !symbol || !dataType || !first || !isInstant(Number(foundAt))) return null;
  return { exchange, symbol, dataType, first: BigInt(first), foundAt: Number(foundAt) };
}

const GapType = builder.objectRef<Gap>('Gap');

findableBy(GapType, async (id, { history }) => {
  const name = readGapName(id);
  return name && (await history.findGap(name));
});

GapType.implement({
  description: 'Something that was missing when it was due, and what became of it.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Global id; `node(id:)` finds the gap again.', resolve: gapId }),
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
    dataType: t.expose('dataType', { type: DataTypeEnum, description: 'Which stream of the market.' }),
    firstId: t.field({
      type: 'BigInt',
      description: 'The first missing trade id, as it was found; ms since the Unix epoch for streams without ids.',
      resolve: ({ first }) => first,
    }),
    lastId: t.field({ type: 'BigInt', description: 'The last one.', resolve: ({ last }) => last }),
    from: t.expose('from', {
      type: 'DateTime',
      description: 'Exchange time of what stands before it; for streams without ids its first ms, by our clock.',
    }),
    to: t.expose('to', {
      type: 'DateTime',
      description: 'Exchange time of what stands after it; for streams without ids its last ms, by our clock.',
    }),
    foundAt: t.expose('foundAt', { type: 'DateTime', description: 'When it was found, by our clock.' }),
    cause: t.exposeString('cause', {
      nullable: true,
      description: 'Why it is, or was, missing, in words; null when that is not known any more.',
    }),
    status: t.expose('status', {
      type: CoverageStatusEnum,
      description:
        'GAP while anything of it is open; then UNFILLABLE when something is missing for good, else BACKFILLED.',
    }),
    expected: t.expose('expected', {
      type: 'BigInt',
      description:
        'Single trades missing when it was found; 0 for streams without ids, of which nobody knows how much was missed.',
    }),
    filled: t.expose('filled', { type: 'BigInt', description: 'Those of them that are stored now.' }),
    unfillable: t.expose('unfillable', { type: 'BigInt', description: 'Those of them that never will be.' }),
    remaining: t.field({
      type: 'BigInt',
      description: 'Those of them that are still to be fetched.',
      resolve: ({ expected, filled, unfillable }) => expected - filled - unfillable,
    }),
  }),
});

/** Gaps of a market that are open; the parts of one count once. */
export const countOpenGaps = (gaps: Gaps, exchange: string, symbol: string): number =>
  new Set(gaps.openGaps(exchange, symbol).map(({ gap }) => gap)).size;

builder.queryField('gaps', (t) =>
  t.field({
    type: connectionType('Gap', edgeType('Gap', GapType)),
    description:
      'What was missing and what became of it, the newest found first. What the database does not hold yet is not in it; `gapChanged` tells ' +
      'at once. Codes: EXCHANGE_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.',
    args: {
      status: t.arg({
        type: [CoverageStatusEnum],
        description: 'Only with one of these (a gap is GAP, BACKFILLED or UNFILLABLE); without it all.',
      }),
      exchange: t.arg.string({ description: 'Only of this exchange; without it all.' }),
      symbol: t.arg.string({ description: 'Only of this canonical symbol; without it all.' }),
      dataType: t.arg({ type: DataTypeEnum, description: 'Only of this stream; without it all.' }),
      first: t.arg.int({ description: 'At most this many, 1 to 1000; without it 50.' }),
      after: t.arg({ type: 'Cursor', description: 'Only what follows this cursor, exclusive.' }),
    },
    resolve: async (_root, { status, exchange = null, symbol = null, dataType: asked, ...args }, context) => {
      if (exchange !== null) requireExchange(context, exchange);
      const dataType: DataType | null = DATA_TYPES.find((type) => type === asked) ?? null;
      const statuses = status ? [...new Set(status)].sort() : null;
      const cursors = gapCursors('gaps', [exchange, symbol, dataType, statuses ? statuses.join(' ') : null]);
      const page = readPage(args, cursors);
      const query = { exchange, symbol, dataType, statuses, limit: page.limit, after: page.after };
      const { gaps, hasMore } = await context.history.listGaps(query);
      return toConnection(gaps, hasMore, page, cursors, (gap) => gap);
    },
  }),
);

builder.subscriptionField('gapChanged', (t) =>
  t.field({
    type: GapType,
    description:
      'A gap of trades whenever it is found, shrinks or is closed, from now on; the same gap comes as often as it changes. A client too slow to read ' +
      'loses the oldest changes, and `gaps` has the state. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN.',
    args: {
      exchange: t.arg.string({ description: 'Only of this exchange; without it all.' }),
      symbol: t.arg.string({ description: 'Only of this canonical symbol; without it all.' }),
    },
    subscribe: async (_root, { exchange = null, symbol = null }, context) => {
      await requireStreamed(context, { exchange, symbols: symbol === null ? null : [symbol] });
      const stream = queueEvents<Gap>(
        { name: 'gap changes', capacity: QUEUE_CAPACITY, registry: context.queues },
        (push) =>
          context.gaps.onChange((gap) => {
            if (exchange !== null && gap.exchange !== exchange) return;
            if (symbol === null || gap.symbol === symbol) push(gap);
          }),
      );
      return mapStream(stream, ({ value }) => value);
    },
    resolve: (gap) => gap,
  }),
);
