import type { RecordedTrade } from '../market/recorded-trade.ts';
import { TRADE_COLUMNS, type TradeColumn, TradeLines } from '../storage/trade-lines.ts';
import type { NodeList } from './context.ts';
import { EDGE_END, EdgeSteps } from './edge-steps.ts';
import type { SelectionPlan } from './execution/plan.ts';
import { output } from './execution/text-output.ts';

/** Writes what stands from one place of a text up to another. */
type Write = (text: Uint8Array, from: number, to: number, page: TradeLines) => void;

const digits: Write = (text, from, to) => output.part(text, from, to);
const quoted: Write = (text, from, to) => output.quotedPart(text, from, to);
const time: Write = (text, from, to) => output.time(wholeNumber(text, from, to));
/** By the letter it is stored as. */
function word(words: Readonly<Record<string, string>>): Write {
  const byLetter = new Map(Object.entries(words).map(([letter, text]) => [letter.charCodeAt(0), Buffer.from(text)]));
  return (text, from) => output.bytes(byLetter.get(text[from] ?? 0) ?? NOTHING);
}
const NOTHING = Buffer.of();

const [TAB, LINE_END, MINUS, ZERO] = [0x09, 0x0a, 0x2d, 0x30];

function wholeNumber(text: Uint8Array, from: number, to: number): number {
  const isNegative = text[from] === MINUS;
  let number = 0;
  for (let k = isNegative ? from + 1 : from; k < to; k += 1) number = number * 10 + (text[k] as number) - ZERO;
  return isNegative ? -number : number;
}

/** What is written of a trade, and the number of the column it stands in. */
const at = (name: TradeColumn, write: Write) => ({ column: TRADE_COLUMNS.indexOf(name), write });

/** The fields of a trade that stand in a line as they are answered, or nearly so; the resolvers of trade.ts say the same. */
const STEPS = new EdgeSteps({
  exchange: at('writer', (_line, _from, _to, { exchange }) => output.value(exchange)),
  symbol: at('writer', (_line, _from, _to, { symbol }) => output.value(symbol)),
  tradeId: at('tradeId', quoted),
  fillCount: at('fillCount', digits),
  price: at('price', quoted),
  size: at('size', quoted),
  side: at('side', word({ b: '"BUY"', s: '"SELL"' })),
  exchangeTime: at('exchangeTime', time),
  receivedAt: at('receivedAt', time),
  recordedAt: at('recordedAt', time),
  sequence: at('sequence', quoted),
  writer: at('writer', digits),
  provenance: at('provenance', word({ l: '"LIVE"', b: '"BACKFILL"', r: '"RECONCILED"' })),
});

/** Kept from page to page, so that a page leaves less behind to be collected. */
let kept = Buffer.allocUnsafe(65_536);
const KEPT_BYTES = 1_048_576;

/** The bytes of ASCII text, until the next text is asked for. */
function bytesOf(text: string): Uint8Array {
  if (text.length > KEPT_BYTES) return Buffer.from(text, 'latin1');
  if (text.length > kept.length) kept = Buffer.allocUnsafe(Math.min(KEPT_BYTES, text.length * 2));
  return kept.subarray(0, kept.write(text, 'latin1'));
}

/**
 * Writes the edges of a page, with commas between them; false, and nothing, where something is asked that does not stand in its lines, or
 * something in them is no ASCII. Read as bytes, which takes less time than characters.
 */
export function writeTrades(page: NodeList<RecordedTrade>, selection: SelectionPlan): boolean {
  if (!(page instanceof TradeLines)) return false;
  const steps = STEPS.of(selection);
  if (steps === null || Buffer.byteLength(page.text) !== page.text.length) return false;
  const text = bytesOf(page.text);
  const starts = new Int32Array(TRADE_COLUMNS.length);
  for (let from = 0; from < text.length; ) {
    if (from > 0) output.plain(',');
    starts[0] = from;
    for (let at = from, column = 1; column < TRADE_COLUMNS.length; at += 1)
      if (text[at] === TAB) {
        starts[column] = at + 1;
        column += 1;
      }
    for (const {
      before,
      write: { column, write },
    } of steps) {
      output.bytes(before);
      write(text, starts[column] ?? 0, (starts[column + 1] ?? 0) - 1, page);
    }
    output.bytes(EDGE_END);
    const end = text.indexOf(LINE_END, starts[TRADE_COLUMNS.length - 1]);
    from = end < 0 ? text.length : end + 1;
  }
  return true;
}
