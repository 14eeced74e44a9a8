import SchemaBuilder from '@pothos/core';
import type { Decimal } from '../market/decimal.ts';
import type { GraphQLContext } from './context.ts';

/** What the schema is written with. Every concept's module adds its own types and fields; schema.ts puts them together. */
export const builder = new SchemaBuilder<{
  Context: GraphQLContext;
  DefaultFieldNullability: false;
  Scalars: {
    ID: { Input: string; Output: string };
    /** Ms since the Unix epoch in our hands. */
    DateTime: { Input: number; Output: number | Date };
    /** Ms since the Unix epoch of its first moment. */
    Date: { Input: number; Output: number };
    Decimal: { Input: Decimal; Output: Decimal };
    BigInt: { Input: bigint; Output: bigint | number };
    Cursor: { Input: string; Output: string };
    JSON: { Input: unknown; Output: unknown };
  };
}>({
  defaultFieldNullability: false,
});

builder.queryType({ description: 'Reads. What is stored, what is collected, and how well.' });
builder.mutationType({ description: 'Control. Expected failures come as `userErrors` of the payload.' });
builder.subscriptionType({ description: 'Live data, over graphql-transport-ws or server-sent events.' });
