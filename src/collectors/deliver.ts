import type { GapLedger } from '../market/gap-ledger.ts';
import type { Trade } from '../market/market-event.ts';
import type { Provenance } from '../market/recorded-trade.ts';
import type { Clock } from '../runtime/clock.ts';

/** Takes a fetched trade, to be recorded like one that came live; false: there is no room now. */
export type AcceptTrade = (trade: Trade, provenance: Exclude<Provenance, 'LIVE'>) => boolean;

const NO_ROOM_MS = 20;
/** As many wait to be recorded at once: more would fill the queue that live trades need, and hold up the sockets. */
const AT_ONCE = 250;

/**
 * Hands trades over in their order, waiting while there is no room; resolves when they are in the ledger. Rejects with the signal's
 * reason.
 */
export async function deliver(
  trades: readonly Trade[],
  provenance: Exclude<Provenance, 'LIVE'>,
  to: { readonly accept: AcceptTrade; readonly ledger: Pick<GapLedger, 'settled'>; readonly clock: Clock },
  signal: AbortSignal,
): Promise<void> {
  for (let from = 0; from < trades.length; from += AT_ONCE) {
    for (const trade of trades.slice(from, from + AT_ONCE))
      while (!to.accept(trade, provenance)) await to.clock.sleep(NO_ROOM_MS, signal);
    await to.ledger.settled();
    signal.throwIfAborted();
  }
}
