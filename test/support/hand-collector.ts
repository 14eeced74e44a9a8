import { BaseDataCollector } from '../../src/collectors/base-data-collector.ts';
import type { ExchangeCollectorConfig } from '../../src/collectors/collector-status.ts';
import { DataType } from '../../src/market/data-type.ts';
import { decimal } from '../../src/market/decimal.ts';
import type { Trade } from '../../src/market/market-event.ts';
import { silentLog } from '../../src/runtime/log.ts';
import type { ManualClock } from './manual-clock.ts';

const CONFIG: ExchangeCollectorConfig = {
  exchange: 'third',
  symbol: 'BTC-USDT',
  dataTypes: [DataType.TRADE],
  healthCheckInterval: 10,
};

/** A collector somebody else could write: its data comes from the test. */
export class HandCollector extends BaseDataCollector {
  opened = 0;
  closed = 0;
  failure: Error | null = null;
  closeFailure: Error | null = null;
  /** While set, opening lasts until it resolves. */
  opening: Promise<void> | null = null;
  readonly clock: ManualClock;

  constructor(clock: ManualClock, config: Partial<ExchangeCollectorConfig> = {}) {
    super({ ...CONFIG, ...config }, { clock, random: () => 0.5, log: silentLog });
    this.clock = clock;
  }

  trade(tradeId: string): void {
    this.countMessage(true);
    this.emit({
      kind: 'trade',
      exchange: 'third',
      symbol: 'BTC-USDT',
      exchangeTime: this.clock.now() - 5,
      receivedAt: this.clock.now(),
      tradeId,
      fillCount: 1,
      price: decimal('1'),
      size: decimal('2'),
      side: 'buy',
      raw: { tradeId },
    } satisfies Trade);
  }

  protected override async open(): Promise<void> {
    this.opened += 1;
    await this.opening;
    if (this.failure) throw this.failure;
  }

  protected override async close(): Promise<void> {
    this.closed += 1;
    if (this.closeFailure) throw this.closeFailure;
  }
}
