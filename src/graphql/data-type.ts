import { builder } from './builder.ts';

export const DataTypeEnum = builder.enumType('DataType', {
  description: 'Kinds of market data a collector can collect.',
  values: {
    TICKER: { value: 'ticker', description: 'Best prices and rolling 24 h figures.' },
    TRADE: { value: 'trade', description: 'Every single trade.' },
    ORDERBOOK: { value: 'orderbook', description: 'The order book, live; stored as samples.' },
    CANDLE: { value: 'candle', description: 'Candles as the exchange computes them.' },
    BALANCE: { value: 'balance', description: "The account's balances; needs keys." },
  } as const,
});
