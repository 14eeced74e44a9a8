/** Compares what is stored and what is said of it with the tape. */
import type { MarketStretch } from '../../src/market/coverage.ts';
import type { RecordedTrade } from '../../src/market/recorded-trade.ts';
import { isHere } from '../../src/pipeline/ledger/trade-ledger.ts';
import type { Tape } from './tape.ts';

export interface Stored {
  readonly log: readonly RecordedTrade[];
  readonly stretches: readonly MarketStretch[];
}

/** What must be true at every commit, in words where it is not. */
export function everTrue(tape: Tape, { log, stretches }: Stored): readonly string[] {
  const wrong: string[] = [];
  const stored = new Uint8Array(tape.count);
  for (const { trade } of log) {
    if (trade.symbol !== tape.symbol) continue;
    const place = tape.place(trade.tradeId);
    if (!(place >= 0 && place < tape.count)) wrong.push(`CORRUPT ${tape.symbol} ${trade.tradeId}: never made`);
    else if (stored[place]) wrong.push(`DUPLICATE ${tape.symbol} ${place}`);
    else stored[place] = 1;
  }
  let known = -1;
  for (const stretch of own(tape, stretches)) {
    const [first, last] = [tape.place(stretch.first), tape.place(stretch.last)];
    if (first <= known) wrong.push(`OVERLAP ${tape.symbol} at ${first}: ${stretch.status}`);
    known = Math.max(known, last);
    const here = isHere(stretch);
    for (let place = first; place <= last; place += 1) {
      if (here && !stored[place]) wrong.push(`FALSE PROVEN ${tape.symbol} ${place}: ${stretch.status}`);
      if (!here && stored[place]) wrong.push(`FALSE MISSING ${tape.symbol} ${place}: ${stretch.status}`);
    }
    if (stretch.actual !== (here ? last - first + 1 : 0)) wrong.push(`COUNT ${tape.symbol} ${first}..${last}`);
  }
  return wrong;
}

/** What must be true once all is settled. `gone`: places of which the exchange or the database keeps nothing. */
export function finallyTrue(tape: Tape, stored: Stored, gone: (place: number) => boolean): readonly string[] {
  const wrong: string[] = [];
  const said: string[] = [];
  for (const { first, last, status } of own(tape, stored.stretches))
    for (let place = tape.place(first); place <= tape.place(last); place += 1) said[place] = status;
  const places = new Set<number>();
  for (const { trade } of stored.log) {
    if (trade.symbol !== tape.symbol) continue;
    const place = tape.place(trade.tradeId);
    places.add(place);
    const made = { ...tape.trade(place, trade.receivedAt), raw: trade.raw };
    if (JSON.stringify(Object.entries(made).sort()) !== JSON.stringify(Object.entries(trade).sort()))
      wrong.push(`CORRUPT ${tape.symbol} ${place}: ${JSON.stringify(trade)}`);
  }
  const known = [...places, ...said.keys().filter((place) => said[place] !== undefined)];
  for (let place = Math.min(...known); place <= Math.max(...known); place += 1) {
    const status = said[place];
    if (!places.has(place) && status === undefined)
      wrong.push(`MISSING ${tape.symbol} ${place}: nothing is said of it`);
    if (places.has(place) && status === undefined) wrong.push(`UNDECLARED ${tape.symbol} ${place} is stored`);
    if (status === 'GAP') wrong.push(`OPEN ${tape.symbol} ${place}: never filled nor given up`);
    if (status === 'UNFILLABLE' && !gone(place))
      wrong.push(`GIVEN UP ${tape.symbol} ${place} though it could be fetched`);
  }
  if (Math.max(...known) !== tape.count - 1) wrong.push(`HEAD ${tape.symbol}: the last trade is not known`);
  return wrong;
}

const own = (tape: Tape, stretches: readonly MarketStretch[]): readonly MarketStretch[] =>
  stretches.filter(({ symbol }) => symbol === tape.symbol);
