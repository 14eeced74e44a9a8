import type { ExchangeAdapter, ExchangeCapabilities } from '../exchanges/adapter.ts';
import { builder } from './builder.ts';
import { CollectorType, viewOf } from './collector.ts';
import { DataTypeEnum } from './data-type.ts';
import { findableBy, globalId, NodeInterface } from './node.ts';

const ProofEnum = builder.enumType('ExchangeProof', {
  description: 'What completeness of a stream can be proven by.',
  values: {
    TRADE_ID_CONTIGUITY: { description: 'Trade ids have no holes, so a hole is a missing trade.' },
    SEQUENCE_CHAIN: { description: 'Every change names the one before it.' },
    CHECKSUM: { description: 'The exchange sends a checksum of the whole.' },
    CONNECTION_ONLY: { description: 'Only an unbroken connection: the weakest proof.' },
  } as const satisfies Record<ExchangeCapabilities['tradeProof'] | ExchangeCapabilities['bookProof'], unknown>,
});

const Capabilities = builder.objectRef<ExchangeCapabilities>('ExchangeCapabilities').implement({
  description: 'How strong the proof of completeness is, and how far back missing trades can be fetched.',
  fields: (t) => ({
    tradeProof: t.expose('tradeProof', { type: ProofEnum, description: 'Of trades.' }),
    bookProof: t.expose('bookProof', { type: ProofEnum, description: 'Of order books.' }),
    tradeBackfillBy: t.string({
      description: 'How missing trades are asked for: "trade id", "time" or "none".',
      resolve: ({ tradeBackfill }) => tradeBackfill.by,
    }),
    tradeBackfillReach: t.string({
      description: 'How far back that reaches, in words.',
      resolve: ({ tradeBackfill }) => tradeBackfill.reach,
    }),
    tradeBackfillPageSize: t.int({
      description: 'Trades a request.',
      resolve: ({ tradeBackfill }) => tradeBackfill.pageSize,
    }),
  }),
});

const ExchangeType = builder.objectRef<ExchangeAdapter>('Exchange');

findableBy(ExchangeType, (id, { exchanges }) => (Object.hasOwn(exchanges, id) ? (exchanges[id] ?? null) : null));

ExchangeType.implement({
  description: 'An exchange this server can collect from.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'Global id; `node(id:)` finds the exchange again.',
      resolve: ({ id }) => globalId('Exchange', id),
    }),
    exchange: t.string({
      description: 'Its id wherever an `exchange` is asked for, such as "okx".',
      resolve: ({ id }) => id,
    }),
    name: t.exposeString('name', { description: 'As people call it.' }),
    docs: t.exposeString('docs', {
      description: "The page of the exchange's own documentation that the adapter was checked against.",
    }),
    dataTypes: t.field({
      type: [DataTypeEnum],
      description: 'What can be collected.',
      resolve: ({ dataTypes }) => [...dataTypes],
    }),
    capabilities: t.expose('capabilities', {
      type: Capabilities,
      description: 'What can be proven and fetched again.',
    }),
    collectors: t.field({
      type: [CollectorType],
      description: 'Its collectors, in the order they were added.',
      resolve: ({ id }, _args, { collectors }) =>
        collectors
          .listCollectors()
          .flatMap((name) => collectors.getCollector(name) ?? [])
          .filter(({ exchange }) => exchange === id)
          .map(viewOf),
    }),
  }),
});

builder.queryField('exchanges', (t) =>
  t.field({
    type: [ExchangeType],
    description: 'The exchanges this server can collect from.',
    resolve: (_root, _args, { exchanges }) => Object.values(exchanges),
  }),
);
