import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';

/** A trade of OKX's BTC-USDT; only what a test is about has to be said. */
export const tradeOf = (id: bigint | number, own: Partial<Trade> = {}): Trade => ({
  kind: 'trade',
  exchange: 'okx',
  symbol: 'BTC-USDT',
  exchangeTime: 1_767_225_600_000 + Number(id),
  receivedAt: 1_767_225_600_000 + Number(id),
  tradeId: String(id),
  fillCount: 1,
  price: decimal('1.5'),
  size: decimal('2'),
  side: 'buy',
  raw: null,
  ...own,
});

export const idsBetween = (first: bigint, last: bigint): readonly bigint[] =>
  Array.from({ length: Number(last - first) + 1 }, (_, i) => first + BigInt(i));
