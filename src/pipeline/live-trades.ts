/** Storage names them too, so they live with the vocabulary. */
export type { Provenance, RecordedTrade } from '../market/recorded-trade.ts';
