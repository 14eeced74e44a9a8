import { DataType } from '../../market/data-type.ts';
import type { Trade } from '../../market/market-event.ts';
import type { Frame, Route } from '../adapter.ts';
import { isTime } from '../fields.ts';
import { Scan } from '../scan.ts';
import { keyOf } from './channels.ts';

const BEGINNING = '{"arg":{"channel":"trades';
const MAX_FILLS = 1_000_000;

const scan = new Scan();

/** How the frames of one channel begin, up to the id of the trade. */
interface Head {
  readonly key: string;
  readonly text: string;
}

const heads = { trades: new Map<string, Head | null>(), 'trades-all': new Map<string, Head | null>() };
let room = 10_000; // far more than one server collects; a stranger's names cannot grow it further

/**
 * Reads a frame of `trades` or `trades-all` in the shape in which OKX writes them: one trade, its fields in their order. Null for
 * every other text, which is read in the general way; where this one reads it, it reads the same.
 */
export function readTradeText(text: string, receivedAt: number, routes: ReadonlyMap<string, Route>): Frame | null {
  if (!text.startsWith(BEGINNING)) return null;
  const isAll = text.startsWith('-all', BEGINNING.length);
  const from = BEGINNING.length + (isAll ? '-all","instId":"' : '","instId":"').length;
  const instId = text.slice(from, text.indexOf('"', from));
  const head = headOf(isAll ? 'trades-all' : 'trades', instId);
  const route = head === null ? undefined : routes.get(head.key);
  if (head === null || route?.channel.nativeSymbol !== instId || route.channel.dataType !== DataType.TRADE) return null;
  if (text.slice(0, head.text.length) !== head.text) return null;
  scan.begin(text, head.text.length);
  const tradeId = scan.id();
  scan.literal('","px":"');
  const price = scan.decimal();
  scan.literal('","sz":"');
  const size = scan.decimal();
  const side = scan.has('","side":"buy"') ? 'buy' : 'sell';
  if (side === 'sell') scan.literal('","side":"sell"');
  scan.literal(',"ts":"');
  const ts = scan.id();
  const exchangeTime = scan.value;
  scan.literal('"');
  const count = scan.has(',"count":"') ? scan.id() : null;
  const fillCount = count === null ? 1 : scan.value;
  if (count !== null) scan.literal('"');
  const source = scan.has(',"source":"') ? scan.id() : null;
  if (source !== null) scan.literal('"');
  const seqId = scan.has(',"seqId":') ? scan.integer() : null;
  if (!scan.ends('}]}')) return null;
  if (!isTime(exchangeTime) || fillCount < 1 || fillCount > MAX_FILLS) return null;
  const raw = route.dropsPayload?.()
    ? null
    : count !== null && source !== null && seqId !== null
      ? { instId, tradeId, px: price, sz: size, side, ts, count, source, seqId }
      : {
          ...{ instId, tradeId, px: price, sz: size, side, ts },
          ...{ ...(count !== null && { count }), ...(source !== null && { source }), ...(seqId !== null && { seqId }) },
        };
  const trade: Trade = {
    kind: 'trade',
    exchange: 'okx',
    symbol: route.symbol,
    exchangeTime,
    receivedAt,
    raw,
    tradeId,
    fillCount,
    price,
    size,
    side,
  };
  return { kind: 'events', channel: head.key, events: [trade], rejected: [] };
}

/** Null for an instrument whose name is written otherwise in JSON. */
function headOf(name: keyof typeof heads, instId: string): Head | null {
  const known = heads[name].get(instId);
  if (known !== undefined) return known;
  const arg = { channel: name, instId };
  const text = `{"arg":${JSON.stringify(arg)},"data":[{"instId":"${instId}","tradeId":"`;
  const head = JSON.stringify(instId) === `"${instId}"` ? { key: keyOf(arg), text } : null;
  if (room > 0) heads[name].set(instId, head);
  room -= 1;
  return head;
}
