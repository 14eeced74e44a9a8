import { getNamedType, isObjectType } from 'graphql';
import { TRADE_COLUMNS, type TradeColumn, type TradeLines } from '../storage/trade-lines.ts';
import type { FieldPlan, SelectionPlan } from './execution/plan.ts';
import { output } from './execution/text-output.ts';

/** Writes what stands from one place of a line up to another. */
type Write = (line: string, from: number, to: number, page: TradeLines) => void;

interface Step {
  /** What stands before it, up to the value before. */
  readonly before: string;
  /** Where it stands in a line. */
  readonly column: number;
  readonly write: Write;
}

interface Steps {
  readonly steps: readonly Step[];
  readonly after: string;
}

const digits: Write = (line, from, to) => output.part(line, from, to);
const quoted: Write = (line, from, to) => output.quotedPart(line, from, to);
const string: Write = (line, from, to) => output.value(line.slice(from, to));
const time: Write = (line, from, to) => output.time(Number(line.slice(from, to)));
/** By the letter it is stored as. */
const word =
  (words: Readonly<Record<string, string>>): Write =>
  (line, from) =>
    output.plain(words[line[from] ?? ''] ?? '');

/** The fields of a trade that stand in a line as they are answered, or nearly so; the resolvers of trade.ts say the same. */
const FIELDS: Readonly<Record<string, readonly [TradeColumn, Write]>> = {
  exchange: ['writer', (_line, _from, _to, { exchange }) => output.value(exchange)],
  symbol: ['writer', (_line, _from, _to, { symbol }) => output.value(symbol)],
  tradeId: ['tradeId', string],
  fillCount: ['fillCount', digits],
  price: ['price', quoted],
  size: ['size', quoted],
  side: ['side', word({ b: '"BUY"', s: '"SELL"' })],
  exchangeTime: ['exchangeTime', time],
  receivedAt: ['receivedAt', time],
  recordedAt: ['recordedAt', time],
  sequence: ['sequence', quoted],
  writer: ['writer', digits],
  provenance: ['provenance', word({ l: '"LIVE"', b: '"BACKFILL"', r: '"RECONCILED"' })],
};

/** Writes the edges of a page, with commas between them; false, and nothing, where something is asked that does not stand in its lines. */
export function writeEdges(page: TradeLines, selection: SelectionPlan): boolean {
  const known = stepsOf(selection);
  if (known === null) return false;
  const { steps, after } = known;
  const starts: number[] = [0];
  page.lines.forEach((line, row) => {
    for (let at = 0, column = 1; column < TRADE_COLUMNS.length; at += 1)
      if (line.charCodeAt(at) === TAB) {
        starts[column] = at + 1;
        column += 1;
      }
    if (row > 0) output.plain(',');
    for (const { before, column, write } of steps) {
      output.plain(before);
      write(line, starts[column] ?? 0, (starts[column + 1] ?? 0) - 1, page);
    }
    output.plain(after);
  });
  return true;
}

const TAB = 9;
const plans = new WeakMap<SelectionPlan, Steps | null>();

function stepsOf(selection: SelectionPlan): Steps | null {
  let steps = plans.get(selection);
  if (steps === undefined) {
    steps = planSteps(selection);
    plans.set(selection, steps);
  }
  return steps;
}

/** Of an edge that is asked for its node alone, and that for columns alone. */
function planSteps({ fields: [edgeField, ...others] }: SelectionPlan): Steps | null {
  const type = edgeField?.field.name === 'node' ? nodeType(edgeField) : null;
  if (!edgeField || !type || others.length > 0) return null;
  const { fields } = edgeField.selectionOf(type);
  const steps = fields.map(({ field, textKey }, k): Step | null => {
    const found = Object.hasOwn(FIELDS, field.name) ? FIELDS[field.name] : undefined;
    const before = (k === 0 ? edgeField.textKey : '') + textKey;
    return found ? { before, column: TRADE_COLUMNS.indexOf(found[0]), write: found[1] } : null;
  });
  return steps.length === 0 || steps.includes(null) ? null : { steps: steps as Step[], after: '}}' };
}

const nodeType = ({ field }: FieldPlan) => {
  const type = getNamedType(field.type);
  return isObjectType(type) ? type : null;
};
