import type { BookValidity, OrderBook } from '../market/market-event.ts';
import type { Route } from './adapter.ts';
import { integerOf, levelsOf, unfit } from './fields.ts';
import { isObject } from './json.ts';

/** Reads the assembled `{ bids, asks, sequence, validity }` we store back; it carries no time of its own. @throws {FieldError} */
export function readStoredBook(exchange: string, payload: unknown, route: Route, receivedAt: number): OrderBook {
  if (!isObject(payload)) throw unfit('wrong-type', 'the order book', 'an object', payload);
  const { bids, asks, sequence, validity } = payload;
  if (!isValidity(validity)) throw unfit('bad-word', 'validity', 'VALID, RESYNCING or STALE', validity);
  return {
    kind: 'orderbook',
    exchange,
    symbol: route.symbol,
    exchangeTime: receivedAt,
    receivedAt,
    raw: payload,
    bids: levelsOf(bids, 'bids'),
    asks: levelsOf(asks, 'asks'),
    sequence: sequence === null ? null : integerOf(sequence, 'sequence'),
    validity,
    chained: false, // a sample: what came before it is not stored
  };
}

const isValidity = (word: unknown): word is BookValidity =>
  word === 'VALID' || word === 'RESYNCING' || word === 'STALE';
