import type { Trade } from '../market/market-event.ts';
import type { Provenance } from '../market/recorded-trade.ts';
import type { Clock } from '../runtime/clock.ts';

/** Takes a fetched trade, to be recorded like one that came live; false: there is no room now. */
export type AcceptTrade = (trade: Trade, provenance: Exclude<Provenance, 'LIVE'>) => boolean;

const NO_ROOM_MS = 20;

/** Hands trades over in their order; waits while there is no room. Rejects with the signal's reason. */
export async function deliver(
  trades: readonly Trade[],
  provenance: Exclude<Provenance, 'LIVE'>,
  to: { readonly accept: AcceptTrade; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  for (const trade of trades) while (!to.accept(trade, provenance)) await to.clock.sleep(NO_ROOM_MS, signal);
}
