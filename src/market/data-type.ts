/** The kinds of market data a collector can collect. The values are the words of configuration, SQL and frames. */
export const DataType = {
  TICKER: 'ticker',
  TRADE: 'trade',
  ORDERBOOK: 'orderbook',
  CANDLE: 'candle',
  BALANCE: 'balance',
} as const;

export type DataType = (typeof DataType)[keyof typeof DataType];

export const DATA_TYPES: readonly DataType[] = Object.values(DataType);

/** What a collector collects when nothing else is said: everything that needs no key. */
export const PUBLIC_DATA_TYPES: readonly DataType[] = DATA_TYPES.filter((type) => type !== DataType.BALANCE);

export const isDataType = (value: unknown): value is DataType => DATA_TYPES.includes(value as DataType);
