import type { Decimal } from './decimal.ts';

/** Whose collector an event belongs to, and when. All times are ms since the Unix epoch, UTC. */
interface Stamped {
  /** Registry id, e.g. "okx". */
  readonly exchange: string;
  /** Canonical BASE-QUOTE, e.g. "BTC-USDT", "BTC-USDT-SWAP"; for a balance the currency, e.g. "USDT". */
  readonly symbol: string;
  /** Stamped by the exchange; equal to `receivedAt` where the exchange sends no time (Binance bookTicker). */
  readonly exchangeTime: number;
  /** Stamped when our socket read the frame. */
  readonly receivedAt: number;
  /** The exchange's own payload of this one event, as parsed; null for a trade where nobody keeps it. */
  readonly raw: unknown;
}

/** The taker's side: `buy` lifted an ask. */
export type Side = 'buy' | 'sell';

export interface Trade extends Stamped {
  readonly kind: 'trade';
  /** The exchange's id as text (ids beyond 2^53 occur). For a packed trade the id of its last fill. */
  readonly tradeId: string;
  /** How many fills this record stands for: 1, or more for a packed trade, whose ids are tradeId-fillCount+1 .. tradeId. */
  readonly fillCount: number;
  /** Quote currency per unit of base. */
  readonly price: Decimal;
  /** Base currency; contracts for derivatives. */
  readonly size: Decimal;
  readonly side: Side;
}

/** Null where the exchange did not say (empty string, or a frame without that field). 24 h figures roll. */
export interface Ticker extends Stamped {
  readonly kind: 'ticker';
  readonly last: Decimal | null;
  readonly lastSize: Decimal | null;
  readonly bid: Decimal | null;
  readonly bidSize: Decimal | null;
  readonly ask: Decimal | null;
  readonly askSize: Decimal | null;
  readonly open24h: Decimal | null;
  readonly high24h: Decimal | null;
  readonly low24h: Decimal | null;
  /** Base currency (contracts for derivatives). */
  readonly volume24h: Decimal | null;
  readonly quoteVolume24h: Decimal | null;
}

/** Price, then size in base currency. Bids best (highest) first, asks best (lowest) first. */
export type BookLevel = readonly [price: Decimal, size: Decimal];

/** VALID: an unbroken chain from a snapshot. RESYNCING: broken or crossed, a snapshot is awaited. STALE: no frame for too long, or the socket is gone. */
export type BookValidity = 'VALID' | 'RESYNCING' | 'STALE';

export interface OrderBook extends Stamped {
  readonly kind: 'orderbook';
  readonly bids: readonly BookLevel[];
  readonly asks: readonly BookLevel[];
  /** The exchange's sequence after the last applied change; null where it sends none. */
  readonly sequence: number | null;
  readonly validity: BookValidity;
  /** By the exchange's own sequence it follows the state before it, so that nothing was missed between them. */
  readonly chained: boolean;
}

/** A candle as the exchange computed it (ours come from trades). */
export interface ExchangeCandle extends Stamped {
  readonly kind: 'candle';
  /** The exchange-independent name, e.g. "1m". */
  readonly interval: string;
  /** Covers [openTime, closeTime); closeTime = openTime + interval, exclusive, and is the label. */
  readonly openTime: number;
  readonly closeTime: number;
  readonly open: Decimal;
  readonly high: Decimal;
  readonly low: Decimal;
  readonly close: Decimal;
  readonly volume: Decimal;
  readonly quoteVolume: Decimal | null;
  readonly tradeCount: number | null;
  /** The exchange's own word that this candle will not change. */
  readonly closed: boolean;
}

export interface Balance extends Stamped {
  readonly kind: 'balance';
  readonly currency: string;
  readonly total: Decimal;
  readonly available: Decimal | null;
  readonly frozen: Decimal | null;
}

/** One normalised market event; its `kind` is the word of its data type. Immutable: a consumer that needs another shape derives a new value. */
export type MarketEvent = Trade | Ticker | OrderBook | ExchangeCandle | Balance;
