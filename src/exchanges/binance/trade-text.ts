import { DataType } from '../../market/data-type.ts';
import type { Trade } from '../../market/market-event.ts';
import type { Frame, Route } from '../adapter.ts';
import { isTime } from '../fields.ts';
import { Scan } from '../scan.ts';

const BEGINNING = '{"stream":"';
const MAX_FILLS = 1_000_000;

const scan = new Scan();

/** How the events of one stream are written up to their first number, and after it. */
interface Shape {
  readonly head: string;
  readonly symbol: string;
}

/** Null for a stream of something else. */
const shapes = new WeakMap<Route, Shape | null>();

/**
 * Reads an event of `trade` or `aggTrade` in the shape in which Binance writes them on `/stream`, its fields in their order. Null for
 * every other text, which is read in the general way; where this one reads it, it reads the same.
 */
export function readTradeText(text: string, receivedAt: number, routes: ReadonlyMap<string, Route>): Frame | null {
  if (!text.startsWith(BEGINNING)) return null;
  const route = routes.get(text.slice(BEGINNING.length, text.indexOf('"', BEGINNING.length)));
  const shape = route === undefined ? null : shapeOf(route);
  if (route === undefined || shape === null || text.slice(0, shape.head.length) !== shape.head) return null;
  const { name, nativeSymbol: s, key: channel } = route.channel;
  scan.begin(text, shape.head.length);
  const E = scan.integer();
  scan.literal(shape.symbol);
  const id = scan.integer();
  scan.literal(',"p":"');
  const p = scan.decimal();
  scan.literal('","q":"');
  const q = scan.decimal();
  scan.literal('"');
  const isAggregate = name === 'aggTrade';
  if (isAggregate) scan.literal(',"f":');
  const f = isAggregate ? scan.integer() : id;
  if (isAggregate) scan.literal(',"l":');
  const l = isAggregate ? scan.integer() : id;
  scan.literal(',"T":');
  const T = scan.integer();
  const m = scan.has(',"m":true');
  if (!m) scan.literal(',"m":false');
  const M = scan.has(',"M":true');
  if (!M) scan.literal(',"M":false');
  const fillCount = l - f + 1;
  if (!scan.ends('}}') || !isTime(T) || fillCount < 1 || fillCount > MAX_FILLS) return null;
  const raw = route.dropsPayload?.()
    ? null
    : isAggregate
      ? { e: name, E, s, a: id, p, q, f, l, T, m, M }
      : { e: name, E, s, t: id, p, q, T, m, M };
  const trade: Trade = {
    kind: 'trade',
    exchange: 'binance',
    symbol: route.symbol,
    exchangeTime: T, // `E` is when it was published, not traded
    receivedAt,
    raw,
    tradeId: String(l),
    fillCount,
    price: p,
    size: q,
    side: m ? 'sell' : 'buy', // the buyer was the maker, so the taker sold
  };
  return { kind: 'events', channel, events: [trade], rejected: [] };
}

function shapeOf(route: Route): Shape | null {
  const known = shapes.get(route);
  if (known !== undefined) return known;
  const { name, dataType, key, nativeSymbol } = route.channel;
  const isTrade = dataType === DataType.TRADE && (name === 'trade' || name === 'aggTrade');
  const shape = {
    head: `${BEGINNING}${key}","data":{"e":"${name}","E":`,
    symbol: `,"s":${JSON.stringify(nativeSymbol)},"${name === 'trade' ? 't' : 'a'}":`,
  };
  shapes.set(route, isTrade ? shape : null);
  return isTrade ? shape : null;
}
