import { exactId, type FillRange, fillRange } from '../../market/packed-trades.ts';
import type { NumberedTrade } from '../../storage/trade-batch.ts';
import type { TradeLedgers } from '../ledger/trade-ledgers.ts';
import type { SpoolItem } from '../spool/spool-batch.ts';

/** Whether the trade ids of an exchange have no holes, so that a hole tells of a missing trade. */
export type HasTradeIds = (exchange: string) => boolean;

/** The ids a trade stands for; null where they say nothing of completeness. */
export const idsOf = (trade: NumberedTrade['trade'], hasTradeIds: HasTradeIds): FillRange | null =>
  hasTradeIds(trade.exchange) ? fillRange(trade) : null;

/**
 * Takes what happened into the ledgers, in order. Taking the same in again changes nothing. Intake does it before a batch is
 * durable, to know what is new; the drain does it again with what is about to be committed, so that a transaction holds the trades
 * and what they mean, neither more nor less.
 */
export function foldItem(ledgers: TradeLedgers, item: SpoolItem, hasTradeIds: HasTradeIds): void {
  switch (item.kind) {
    case 'trade': {
      const { trade, provenance, recordedAt } = item;
      if (!hasTradeIds(trade.exchange)) return;
      const { exchange, symbol, exchangeTime } = trade;
      const last = exactId(trade.tradeId);
      const isNumber = !Number.isNaN(last);
      if (isNumber && ledgers.touch(exchange, symbol).extend(last - trade.fillCount + 1, last, exchangeTime)) return;
      const range = fillRange(trade);
      if (range === null) return;
      const ledger = ledgers.touch(exchange, symbol);
      for (const run of ledger.missing(range)) ledger.add(run, { time: exchangeTime, provenance, now: recordedAt });
      return;
    }
    case 'give-up': {
      const ledger = ledgers.touch(item.exchange, item.symbol);
      const time = ledger.newest?.to ?? item.now;
      return ledger[item.wasTaken ? 'retract' : 'giveUp'](item.range, item.cause, { time, now: item.now });
    }
    case 'declare':
      ledgers.touch(item.exchange, item.symbol).declare(item.range, item.about, item.now);
      return;
    default:
      return item satisfies never;
  }
}
