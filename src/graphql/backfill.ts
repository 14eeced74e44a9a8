import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import { REASON } from './audit.ts';
import { builder } from './builder.ts';
import type { Backfill } from './context.ts';
import { requireExchange } from './range.ts';
import { settle, type UserError, UserErrorType } from './user-error.ts';

const BackfillStateEnum = builder.enumType('BackfillStatus', {
  description: 'How far a backfill is.',
  values: {
    PLANNED: { description: 'A dry run: nothing was, or will be, fetched by it.' },
    RUNNING: { description: 'It is being fetched, also after a restart of the server.' },
    DONE: { description: 'Everything that can be had is here.' },
    CANCELLED: { description: 'Ended by request; what was fetched stays.' },
    FAILED: {
      description: 'Reserved: what fails is tried again until it is done or given up, so no backfill ends so.',
    },
  } as const satisfies Record<Backfill['status'] | 'FAILED', unknown>,
});

const BackfillType = builder.objectRef<Backfill>('Backfill').implement({
  description: 'Trades of the past that are fetched because somebody asked for them.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'Give it to `backfill` and `cancelBackfill`.' }),
    exchange: t.exposeString('exchange', { description: 'Exchange id, such as "okx".' }),
    symbol: t.exposeString('symbol', { description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
    from: t.expose('from', { type: 'DateTime', description: 'Exchange time, inclusive.' }),
    to: t.expose('to', { type: 'DateTime', description: 'Exchange time, exclusive.' }),
    firstId: t.expose('firstId', {
      type: 'BigInt',
      nullable: true,
      description: 'The first trade id of the range; null when the exchange has none there.',
    }),
    lastId: t.expose('lastId', { type: 'BigInt', nullable: true, description: 'The last one; null as `firstId` is.' }),
    requests: t.exposeFloat('requests', {
      description: 'Requests made so far, of a dry run those it would take; a whole number.',
    }),
    trades: t.expose('trades', {
      type: 'BigInt',
      description: 'Single trades of the range that were not here when it began.',
    }),
    seconds: t.exposeFloat('seconds', {
      description: 'How long it took so far, of a dry run how long it would take within the rate the exchange allows.',
    }),
    filled: t.expose('filled', { type: 'BigInt', description: 'Those of `trades` that are here now.' }),
    unfillable: t.expose('unfillable', { type: 'BigInt', description: 'Those the exchange does not give.' }),
    remaining: t.expose('remaining', { type: 'BigInt', description: 'Those still to be fetched.' }),
    status: t.expose('status', { type: BackfillStateEnum, description: 'How far it is.' }),
  }),
});

interface BackfillPayload {
  readonly backfill: Backfill | null;
  readonly userErrors: readonly UserError[];
}

const BackfillPayloadType = builder.objectRef<BackfillPayload>('BackfillPayload').implement({
  description: 'What a mutation of a backfill did.',
  fields: (t) => ({
    backfill: t.expose('backfill', {
      type: BackfillType,
      nullable: true,
      description: 'The backfill after it; null when there is none.',
    }),
    userErrors: t.expose('userErrors', {
      type: [UserErrorType],
      description: 'Why it did not work; empty when it did.',
    }),
  }),
});

const RequestInput = builder.inputType('RequestBackfillInput', {
  description: 'Which trades to fetch.',
  fields: (t) => ({
    exchange: t.string({ required: true, description: 'Exchange id, such as "okx"; `exchanges` lists them.' }),
    symbol: t.string({ required: true, description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
    from: t.field({ type: 'DateTime', required: true, description: 'Start by exchange time, inclusive.' }),
    to: t.field({ type: 'DateTime', required: true, description: 'End by exchange time, exclusive.' }),
    dryRun: t.boolean({
      defaultValue: false,
      description: 'True: only say how many requests, trades and seconds it would take.',
    }),
  }),
});

const CancelInput = builder.inputType('CancelBackfillInput', {
  description: 'Which backfill to end.',
  fields: (t) => ({ id: t.id({ required: true, description: 'As `requestBackfill` gave it.' }) }),
});

async function payload(work: () => Promise<Backfill>): Promise<BackfillPayload> {
  let backfill: Backfill | null = null;
  const userErrors = await settle(async () => {
    backfill = await work();
  });
  return { backfill, userErrors };
}

builder.queryField('backfill', (t) =>
  t.field({
    type: BackfillType,
    nullable: true,
    description: 'One backfill and how far it is; null when there is none (any more).',
    args: { id: t.arg.id({ required: true, description: 'As `requestBackfill` gave it.' }) },
    resolve: (_root, { id }, { backfills }) => backfills.find(id),
  }),
);

builder.mutationFields((t) => ({
  requestBackfill: t.field({
    type: BackfillPayloadType,
    description:
      'Fetches the trades of a market in [from, to) that are not here, in the background and within the rate the exchange allows. Repeating ' +
      'it fetches nothing twice. Codes: EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, BACKFILL_REFUSED.',
    args: { input: t.arg({ type: RequestInput, required: true, description: 'Which trades.' }), reason: t.arg(REASON) },
    resolve: (_root, { input: { exchange, symbol, from, to, dryRun } }, context) =>
      payload(async () => {
        requireExchange(context, exchange);
        if (from >= to)
          throw new AppError(
            'BAD_USER_INPUT',
            `\`from\` (${formatTime(from)}) is not before \`to\` (${formatTime(to)}); the range is [from, to)`,
          );
        return context.backfills.request({ exchange, symbol, from, to, dryRun: dryRun ?? false });
      }),
  }),
  cancelBackfill: t.field({
    type: BackfillPayloadType,
    description: 'Ends a backfill; what was fetched stays. Repeating changes nothing. Code: BACKFILL_UNKNOWN.',
    args: { input: t.arg({ type: CancelInput, required: true, description: 'Which one.' }), reason: t.arg(REASON) },
    resolve: (_root, { input: { id } }, { backfills }) => payload(() => backfills.cancel(id)),
  }),
}));
