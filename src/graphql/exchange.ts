import type { ExchangeAdapter, ExchangeCapabilities } from '../exchanges/adapter.ts';
import type { DataType } from '../market/data-type.ts';
import { allCollectors } from './all-collectors.ts';
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

interface StreamCapabilities {
  readonly dataType: DataType;
  readonly proof: ExchangeCapabilities['tradeProof'] | ExchangeCapabilities['bookProof'];
  readonly refill: ExchangeCapabilities['tradeBackfill'] | null;
}

/** Of tickers, candles and balances nothing tells whether one is missing, and none is fetched again. */
function capabilityOf(
  dataType: DataType,
  { tradeProof, bookProof, tradeBackfill }: ExchangeCapabilities,
): StreamCapabilities {
  if (dataType === 'orderbook') return { dataType, proof: bookProof, refill: null };
  if (dataType !== 'trade') return { dataType, proof: 'CONNECTION_ONLY', refill: null };
  return { dataType, proof: tradeProof, refill: tradeBackfill.by === 'none' ? null : tradeBackfill };
}

const StreamCapability = builder.objectRef<StreamCapabilities>('StreamCapability').implement({
  description: 'What can be proven of one kind of data, and fetched again.',
  fields: (t) => ({
    dataType: t.expose('dataType', { type: DataTypeEnum, description: 'Which.' }),
    proof: t.expose('proof', { type: ProofEnum, description: 'What shows that nothing is missing.' }),
    refillable: t.boolean({
      description: 'Whether what is missing can be fetched.',
      resolve: ({ refill }) => refill !== null,
    }),
    refillBy: t.string({
      nullable: true,
      description: 'How it is asked for: "trade id" or "time"; null where it cannot be fetched.',
      resolve: ({ refill }) => refill?.by ?? null,
    }),
    refillReach: t.string({
      nullable: true,
      description: 'How far back, in words; null where it cannot be fetched.',
      resolve: ({ refill }) => refill?.reach ?? null,
    }),
  }),
});

const Capabilities = builder
  .objectRef<ExchangeCapabilities & Pick<ExchangeAdapter, 'dataTypes'>>('ExchangeCapabilities')
  .implement({
    description: 'How strong the proof of completeness is, and how far back missing trades can be fetched.',
    fields: (t) => ({
      tradeProof: t.expose('tradeProof', { type: ProofEnum, description: 'Of trades.' }),
      bookProof: t.expose('bookProof', { type: ProofEnum, description: 'Of order books.' }),
      streams: t.field({
        type: [StreamCapability],
        description: 'The same for every kind of data, in the order of `Exchange.dataTypes`.',
        resolve: ({ dataTypes, ...capabilities }) => dataTypes.map((dataType) => capabilityOf(dataType, capabilities)),
      }),
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
    capabilities: t.field({
      type: Capabilities,
      description: 'What can be proven and fetched again.',
      resolve: ({ capabilities, dataTypes }) => ({ ...capabilities, dataTypes }),
    }),
    collectors: t.field({
      type: [CollectorType],
      description: 'Its collectors, in the order they were added.',
      resolve: ({ id }, _args, { collectors }) =>
        allCollectors(collectors)
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
