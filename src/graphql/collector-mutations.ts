import type { ExchangeCollectorConfig } from '../collectors/collector-status.ts';
import { PUBLIC_DATA_TYPES } from '../market/data-type.ts';
import { AppError } from '../runtime/errors.ts';
import { REASON } from './audit.ts';
import { builder } from './builder.ts';
import { CollectorType, type CollectorView, viewOf } from './collector.ts';
import type { GraphQLContext, ObservedCollector } from './context.ts';
import { DataTypeEnum } from './data-type.ts';
import { ManagerType } from './manager.ts';
import { settle, type UserError, UserErrorType } from './user-error.ts';

interface CollectorPayload {
  readonly collector: CollectorView | null;
  readonly userErrors: readonly UserError[];
}

const CollectorPayloadType = builder.objectRef<CollectorPayload>('CollectorPayload').implement({
  description: 'What a mutation of one collector did.',
  fields: (t) => ({
    collector: t.expose('collector', {
      type: CollectorType,
      nullable: true,
      description: 'The collector after it (removed: just before); null when there is none.',
    }),
    userErrors: t.expose('userErrors', {
      type: [UserErrorType],
      description: 'Why it did not work; empty when it did.',
    }),
  }),
});

const ManagerPayloadType = builder
  .objectRef<{ readonly userErrors: readonly UserError[] }>('ManagerPayload')
  .implement({
    description: 'What a mutation of all collectors did.',
    fields: (t) => ({
      manager: t.field({
        type: ManagerType,
        description: 'All collectors after it.',
        resolve: (_payload, _args, { collectors }) => collectors,
      }),
      userErrors: t.expose('userErrors', {
        type: [UserErrorType],
        description: 'Why it did not work; empty when it did.',
      }),
    }),
  });

const named = (verb: string, name: string) =>
  builder.inputType(name, {
    description: `Which collector to ${verb}.`,
    fields: (t) => ({ name: t.string({ required: true, description: 'Its name, such as "okx:BTC-USDT".' }) }),
  });

const StartInput = named('start', 'StartCollectorInput');
const RestartInput = named('restart', 'RestartCollectorInput');
const RemoveInput = named('remove', 'RemoveCollectorInput');
const StopInput = builder.inputType('StopCollectorInput', {
  description: 'Which collector to stop, and how.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'Its name, such as "okx:BTC-USDT".' }),
    force: t.boolean({ defaultValue: false, description: 'True: do not wait for the exchange to confirm.' }),
  }),
});
const AddInput = builder.inputType('AddCollectorInput', {
  description: 'What to collect.',
  fields: (t) => ({
    exchange: t.string({ required: true, description: 'Exchange id, such as "okx"; `exchanges` lists them.' }),
    symbol: t.string({ required: true, description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
    dataTypes: t.field({
      type: [DataTypeEnum],
      description: 'Without it everything that needs no keys: TICKER, TRADE, ORDERBOOK and CANDLE.',
    }),
    autoRestart: t.boolean({ defaultValue: true, description: 'Start it again after an error.' }),
    storeRawData: t.boolean({ defaultValue: true, description: "Keep the exchange's own payload of every trade." }),
  }),
});

/** Does something to one collector and shows it as it is afterwards. */
async function control(context: GraphQLContext, name: string, work: () => Promise<unknown>): Promise<CollectorPayload> {
  const userErrors = await settle(work);
  const collector = context.collectors.getCollector(name);
  return { collector: collector ? viewOf(collector) : null, userErrors };
}

/** A false of start or restart is a failure the caller can read about in the collector's health. */
async function demand(context: GraphQLContext, name: string, started: Promise<boolean>): Promise<void> {
  if (!(await started)) throw notStarted(name, context.collectors.getCollector(name));
}

const notStarted = (what: string, collector: ObservedCollector | undefined): AppError => {
  const issue = collector?.getHealthStatus().issues[0];
  return new AppError('COLLECTOR_START_FAILED', `${what} did not start${issue ? `: ${issue}` : ''}`);
};

/** What the exchange refuses, such as a symbol it does not have, stays: it may be listed later. The caller is told at once. */
async function add(context: GraphQLContext, config: ExchangeCollectorConfig): Promise<void> {
  const added = await context.collectors.addFromConfig(config);
  if (added.getStatus().status === 'error') throw notStarted(`${added.name} was added and`, added);
}

builder.mutationFields((t) => ({
  startCollector: t.field({
    type: CollectorPayloadType,
    description:
      'Starts a collector and keeps it running. Repeating changes nothing. Codes: COLLECTOR_UNKNOWN, COLLECTOR_START_FAILED.',
    args: { input: t.arg({ type: StartInput, required: true, description: 'Which one.' }), reason: t.arg(REASON) },
    resolve: (_root, { input: { name } }, context) =>
      control(context, name, () => demand(context, name, context.collectors.startCollector(name))),
  }),
  stopCollector: t.field({
    type: CollectorPayloadType,
    description: 'Stops a collector until it is started again. Repeating changes nothing. Code: COLLECTOR_UNKNOWN.',
    args: {
      input: t.arg({ type: StopInput, required: true, description: 'Which one, and how.' }),
      reason: t.arg(REASON),
    },
    resolve: (_root, { input: { name, force } }, context) =>
      control(context, name, () => context.collectors.stopCollector(name, { force: force ?? false })),
  }),
  restartCollector: t.field({
    type: CollectorPayloadType,
    description:
      'Stops and starts a collector; its neighbours on the same connection lose nothing. Codes: COLLECTOR_UNKNOWN, COLLECTOR_START_FAILED.',
    args: { input: t.arg({ type: RestartInput, required: true, description: 'Which one.' }), reason: t.arg(REASON) },
    resolve: (_root, { input: { name } }, context) =>
      control(context, name, () => demand(context, name, context.collectors.restartCollector(name))),
  }),
  addCollector: t.field({
    type: CollectorPayloadType,
    description:
      'Adds a collector and starts it; it is kept over restarts. Codes: EXCHANGE_UNKNOWN, COLLECTOR_EXISTS, COLLECTOR_CONFIG_INVALID, and ' +
      'COLLECTOR_START_FAILED when the exchange refuses it, a symbol it does not have for example: it is there then, and is tried again until it is removed.',
    args: { input: t.arg({ type: AddInput, required: true, description: 'What to collect.' }), reason: t.arg(REASON) },
    resolve: (_root, { input }, context) =>
      control(context, `${input.exchange}:${input.symbol}`, () =>
        add(context, {
          exchange: input.exchange,
          symbol: input.symbol,
          dataTypes: input.dataTypes ?? PUBLIC_DATA_TYPES,
          autoRestart: input.autoRestart ?? true,
          storeRawData: input.storeRawData ?? true,
        }),
      ),
  }),
  removeCollector: t.field({
    type: CollectorPayloadType,
    description: 'Stops a collector and forgets it; its data stays. Code: COLLECTOR_UNKNOWN.',
    args: { input: t.arg({ type: RemoveInput, required: true, description: 'Which one.' }), reason: t.arg(REASON) },
    resolve: async (_root, { input: { name } }, { collectors }) => {
      const collector = collectors.getCollector(name);
      const userErrors = await settle(async () => {
        if (!(await collectors.removeCollector(name)))
          throw new AppError('COLLECTOR_UNKNOWN', `There is no collector ${JSON.stringify(name.slice(0, 100))}`);
      });
      return { collector: collector ? viewOf(collector) : null, userErrors };
    },
  }),
  startAllCollectors: t.field({
    type: ManagerPayloadType,
    description: 'Starts every collector. Code: COLLECTOR_START_FAILED.',
    args: { reason: t.arg(REASON) },
    resolve: async (_root, _args, { collectors }) => ({
      userErrors: await settle(async () => demandAll(await collectors.startAll())),
    }),
  }),
  stopAllCollectors: t.field({
    type: ManagerPayloadType,
    description: 'Stops every collector until it is started again.',
    args: { reason: t.arg(REASON) },
    resolve: async (_root, _args, { collectors }) => ({ userErrors: await settle(() => collectors.stopAll()) }),
  }),
  restartAllCollectors: t.field({
    type: ManagerPayloadType,
    description: 'Stops and starts every collector. Code: COLLECTOR_START_FAILED.',
    args: { reason: t.arg(REASON) },
    resolve: async (_root, _args, { collectors }) => ({
      userErrors: await settle(async () => demandAll(await collectors.restartAll())),
    }),
  }),
}));

function demandAll(started: boolean): void {
  if (!started)
    throw new AppError(
      'COLLECTOR_START_FAILED',
      'Not every collector started; `manager.collectors` says which, `health.issues` why',
    );
}
