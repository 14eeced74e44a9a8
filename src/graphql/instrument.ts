import type { InstrumentRow } from '../storage/instruments.ts';
import { builder } from './builder.ts';
import { CollectorType, viewOf } from './collector.ts';
import { connectionType, edgeType, readPage, toConnection } from './connection.ts';
import type { GraphQLContext } from './context.ts';
import { countOpenGaps } from './gap.ts';
import { findableBy, globalId, NodeInterface } from './node.ts';
import { nameCursors } from './page-cursor.ts';
import { marketArgs, requireExchange } from './range.ts';

/** An instrument as the API shows it: stored, or only collected so far. */
type Instrument = Pick<InstrumentRow, 'exchange' | 'symbol' | 'firstTradeAt' | 'lastTradeAt'>;

const CoverageSummary = builder
  .objectRef<{ readonly expected: bigint; readonly stored: bigint; readonly openGaps: number }>('CoverageSummary')
  .implement({
    description: 'How much of the trades of a market is here, in what was ever collected of it.',
    fields: (t) => ({
      ratio: t.float({
        nullable: true,
        description:
          '`stored` of `expected`, 0 to 1, and 1 only when nothing is missing; null when nothing was collected yet.',
        resolve: ({ expected, stored }) => ratioOf(stored, expected),
      }),
      expected: t.expose('expected', {
        type: 'BigInt',
        description: 'Single trades the exchange is known to have made; of what proves nothing those that came.',
      }),
      stored: t.expose('stored', { type: 'BigInt', description: 'Those of them that are stored.' }),
      openGaps: t.exposeInt('openGaps', { description: 'Gaps that are not filled, right now.' }),
    }),
  });

/** Rounded down, so that one missing trade among billions still shows. */
function ratioOf(stored: bigint, expected: bigint): number | null {
  if (expected === 0n) return null;
  return stored >= expected ? 1 : Number((stored * 1_000_000_000_000n) / expected) / 1e12;
}

const InstrumentType = builder.objectRef<Instrument>('Instrument');

findableBy(InstrumentType, (id, context) => {
  const [, exchange, symbol] = /^([^/]+)\/(.+)$/.exec(id) ?? [];
  return exchange && symbol ? findInstrument(context, exchange, symbol) : null;
});

InstrumentType.implement({
  description: 'One market: an exchange and a symbol.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'Global id; `node(id:)` finds the instrument again.',
      resolve: ({ exchange, symbol }) => globalId('Instrument', `${exchange}/${symbol}`),
    }),
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    symbol: t.exposeString('symbol', {
      description: 'Canonical BASE-QUOTE, such as "BTC-USDT"; a perpetual ends in -SWAP.',
    }),
    base: t.string({
      description: 'What is traded, such as "BTC".',
      resolve: ({ symbol }) => symbol.split('-')[0] ?? symbol,
    }),
    quote: t.string({
      nullable: true,
      description: 'What it is paid with, such as "USDT"; null for a symbol without one.',
      resolve: ({ symbol }) => symbol.split('-')[1] ?? null,
    }),
    firstTradeAt: t.expose('firstTradeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Exchange time of the oldest stored trade; null without one.',
    }),
    lastTradeAt: t.expose('lastTradeAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Exchange time of the newest stored trade; null without one.',
    }),
    coverage: t.field({
      type: CoverageSummary,
      description: 'How much of its trades is here.',
      resolve: async ({ exchange, symbol }, _args, { history, gaps }) => ({
        ...((await history.coverageTotals(exchange, symbol)) ?? { expected: 0n, stored: 0n }),
        openGaps: countOpenGaps(gaps, exchange, symbol),
      }),
    }),
    collector: t.field({
      type: CollectorType,
      nullable: true,
      description: 'Its collector; null when it is not collected (any more).',
      resolve: ({ exchange, symbol }, _args, { collectors }) => {
        const collector = collectors.getCollector(`${exchange}:${symbol}`);
        return collector ? viewOf(collector) : null;
      },
    }),
  }),
});

async function findInstrument(
  { collectors, history }: GraphQLContext,
  exchange: string,
  symbol: string,
): Promise<Instrument | null> {
  const stored = await history.findInstrument(exchange, symbol);
  if (stored?.kind === 'market') return stored;
  return collectors.getCollector(`${exchange}:${symbol}`)
    ? { exchange, symbol, firstTradeAt: null, lastTradeAt: null }
    : null;
}

builder.queryFields((t) => ({
  instrument: t.field({
    type: InstrumentType,
    nullable: true,
    description: 'One market; null when nothing of it is stored or collected. Code: EXCHANGE_UNKNOWN.',
    args: marketArgs(),
    resolve: (_root, { exchange, symbol }, context) => {
      requireExchange(context, exchange);
      return findInstrument(context, exchange, symbol);
    },
  }),
  instruments: t.field({
    type: connectionType('Instrument', edgeType('Instrument', InstrumentType)),
    description:
      'The markets with stored data, by exchange and symbol. Codes: EXCHANGE_UNKNOWN, BAD_USER_INPUT, CURSOR_INVALID.',
    args: {
      exchange: t.arg.string({ description: 'Only of this exchange; without it all.' }),
      first: t.arg.int({ description: 'At most this many, 1 to 1000; without it 50.' }),
      after: t.arg({ type: 'Cursor', description: 'Only what follows this cursor, exclusive.' }),
    },
    resolve: async (_root, { exchange = null, ...args }, context) => {
      if (exchange !== null) requireExchange(context, exchange);
      const cursors = nameCursors('instruments', [exchange]);
      const page = readPage(args, cursors);
      const { instruments, hasMore } = await context.history.listInstruments({
        exchange,
        limit: page.limit,
        after: page.after,
      });
      return toConnection<Instrument, { exchange: string; symbol: string }>(
        instruments,
        hasMore,
        page,
        cursors,
        ({ exchange: id, symbol }) => ({ exchange: id, symbol }),
      );
    },
  }),
}));
