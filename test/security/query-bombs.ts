const MARKET = 'exchange: "okx", symbol: "BTC-USDT"';

const times = (count: number, text: (k: number) => string) =>
  Array.from({ length: count }, (_, k) => text(k)).join(' ');

/** Documents made to cost the server more than they cost whoever sends them. */
export const QUERY_BOMBS: readonly string[] = [
  ...Array.from(
    { length: 10 },
    (_, k) =>
      `{ ...A } ${times(k + 1, (n) => `fragment ${'ABCDEFGHIJK'[n]} on Query { ...${'ABCDEFGHIJK'[(n + 1) % (k + 1)]} }`)}`,
  ),
  ...Array.from(
    { length: 10 },
    (_, k) =>
      `{ ...F0 } ${times(10 * k + 10, (n) => `fragment F${n} on Query { ...F${n + 1} ...F${n + 1} }`)} fragment F${10 * k + 10} on Query { __typename }`,
  ),
  ...Array.from(
    { length: 10 },
    (_, k) => `{ ${times(20 * k + 20, () => `... { ${times(100, (n) => `... on Query { a${n}: __typename }`)} }`)} }`,
  ),
  ...Array.from(
    { length: 10 },
    (_, k) => `{ nodes(ids: ${'['.repeat(5_000 * (k + 1))}${']'.repeat(5_000 * (k + 1))}) { id } }`,
  ),
  ...Array.from({ length: 10 }, (_, k) => `{ __typename ${'@include(if: true) '.repeat(30 * (k + 1))} }`),
  ...Array.from(
    { length: 10 },
    (_, k) => `{ ${'collectors { '.repeat(20 * (k + 1))} name ${'}'.repeat(20 * (k + 1))} }`,
  ),
  ...Array.from(
    { length: 10 },
    (_, k) => `{ ${'__schema { types { fields { type { '.repeat(k + 2)} name ${'} } } }'.repeat(k + 2)} }`,
  ),
  ...Array.from({ length: 10 }, (_, k) => `{ ${times(100 * (k + 1), () => 'collectors { name }')} }`),
  ...Array.from(
    { length: 10 },
    (_, k) =>
      `{ ${times(2 * k + 20, (n) => `c${n}: candles(${MARKET}, interval: D1, timeZone: "Europe/Berlin", from: "2024-01-01T00:00:00Z") { edges { cursor } }`)} }`,
  ),
  ...Array.from(
    { length: 10 },
    (_, k) =>
      `query (${times(50 * (k + 1), (n) => `$v${n}: Int`)}) { ${times(50 * (k + 1), (n) => `trades(${MARKET}, first: $v${n}) { pageInfo { endCursor } }`)} }`,
  ),
];
