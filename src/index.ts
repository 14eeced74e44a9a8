/**
 * The library: what someone needs to write a collector or an exchange of their own. The server is `src/main.ts`.
 * See docs/adding-an-exchange.md.
 */
export { BaseDataCollector } from './collectors/base-data-collector.ts';
export type { CollectorEnvironment } from './collectors/collector-environment.ts';
export { CollectorManager, type ManagerOptions, type ManagerStatus } from './collectors/collector-manager.ts';
export type {
  CollectorEvent,
  CollectorState,
  CollectorStatus,
  ExchangeCollectorConfig,
  HealthStatus,
} from './collectors/collector-status.ts';
export type { DataCallback } from './collectors/data-listeners.ts';
export { ExchangeFactory, type FactoryOptions } from './collectors/exchange-factory.ts';
export type { StreamChange } from './collectors/watch/stream-set.ts';
export type { StreamHealth, StreamStatus } from './collectors/watch/stream-status.ts';
export type { ExchangeAdapter } from './exchanges/adapter.ts';
export { EXCHANGES, type ExchangeId } from './exchanges/registry.ts';
export { DataType } from './market/data-type.ts';
export { type Decimal, decimal } from './market/decimal.ts';
export { type MarketDataPoint, validateMarketDataPoint } from './market/market-data-point.ts';
export type { Balance, ExchangeCandle, MarketEvent, OrderBook, Ticker, Trade } from './market/market-event.ts';
export { AppError, type ErrorCode } from './runtime/errors.ts';
