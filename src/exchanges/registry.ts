import type { ExchangeAdapter } from './adapter.ts';
import { binance } from './binance/adapter.ts';
import { okx } from './okx/adapter.ts';

/** To add an exchange: add its folder and one line here. docs/adding-an-exchange.md tells the rest. */
export const EXCHANGES = {
  okx,
  binance,
} as const satisfies Record<string, ExchangeAdapter>;

export type ExchangeId = keyof typeof EXCHANGES;

export const isExchangeId = (id: unknown): id is ExchangeId => typeof id === 'string' && Object.hasOwn(EXCHANGES, id);
