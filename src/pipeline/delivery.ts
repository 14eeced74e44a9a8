/** What happens when a client is slower than the market; docs/data-semantics.md says exactly what is counted. */
export type DeliveryMode = 'LOSSLESS' | 'CONFLATE' | 'DROP_OLDEST';

/** How a subscriber wants its payloads. */
export interface Delivery {
  readonly mode: DeliveryMode;
  /** A value waits at most this long for others to share its payload; 0 sends at once. */
  readonly maxBatchMs: number;
  /** Payloads a second, evenly spaced; null = no limit. */
  readonly maxPerSecond: number | null;
}

export const DEFAULT_DELIVERY: Delivery = { mode: 'LOSSLESS', maxBatchMs: 0, maxPerSecond: null };
