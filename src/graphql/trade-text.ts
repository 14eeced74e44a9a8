import type { RecordedTrade } from '../market/recorded-trade.ts';
import { TRADE_COLUMNS, type TradeColumn, TradeLines } from '../storage/trade-lines.ts';
import type { NodeList } from './context.ts';
import { EDGE_END, EdgeSteps } from './edge-steps.ts';
import type { SelectionPlan } from './execution/plan.ts';
import { output } from './execution/text-output.ts';

/** Writes what stands from one place of a line up to another. */
type Write = (line: string, from: number, to: number, page: TradeLines) => void;

const digits: Write = (line, from, to) => output.part(line, from, to);
const quoted: Write = (line, from, to) => output.quotedPart(line, from, to);
const string: Write = (line, from, to) => output.value(line.slice(from, to));
const time: Write = (line, from, to) => output.time(Number(line.slice(from, to)));
/** By the letter it is stored as. */
const word =
  (words: Readonly<Record<string, string>>): Write =>
  (line, from) =>
    output.plain(words[line[from] ?? ''] ?? '');

/** What is written of a trade, and the number of the column it stands in. */
const at = (name: TradeColumn, write: Write) => ({ column: TRADE_COLUMNS.indexOf(name), write });

/** The fields of a trade that stand in a line as they are answered, or nearly so; the resolvers of trade.ts say the same. */
const STEPS = new EdgeSteps({
  exchange: at('writer', (_line, _from, _to, { exchange }) => output.value(exchange)),
  symbol: at('writer', (_line, _from, _to, { symbol }) => output.value(symbol)),
  tradeId: at('tradeId', string),
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

const TAB = 9;

/** Writes the edges of a page, with commas between them; false, and nothing, where something is asked that does not stand in its lines. */
export function writeTrades(page: NodeList<RecordedTrade>, selection: SelectionPlan): boolean {
  const steps = page instanceof TradeLines ? STEPS.of(selection) : null;
  if (!(page instanceof TradeLines) || steps === null) return false;
  const starts: number[] = [0];
  page.lines.forEach((line, row) => {
    for (let place = 0, column = 1; column < TRADE_COLUMNS.length; place += 1)
      if (line.charCodeAt(place) === TAB) {
        starts[column] = place + 1;
        column += 1;
      }
    if (row > 0) output.plain(',');
    for (const {
      before,
      write: { column, write },
    } of steps) {
      output.bytes(before);
      write(line, starts[column] ?? 0, (starts[column + 1] ?? 0) - 1, page);
    }
    output.bytes(EDGE_END);
  });
  return true;
}
