import type { Decimal } from '../market/decimal.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import { provenanceOf, sideOf } from './trade-columns.ts';

/** date_part is a float, exact for whole ms; extract would be a slow numeric. */
const ms = (column: string): string => `(date_part('epoch', ${column}) * 1000)::int8`;

/** What stands in a line, in its order, and how it is read. The payload is last, as it can be long; nothing where there is none. */
const COLUMNS = {
  writer: 'id >> 48',
  sequence: 'id & ((1::int8 << 48) - 1)',
  exchangeTime: ms('ts'),
  receivedAt: ms('received_at'),
  recordedAt: ms('recorded_at'),
  fillCount: 'fill_count',
  side: 'side',
  provenance: 'provenance',
  price: 'price',
  size: 'size',
  tradeId: 'trade_id',
  raw: 'raw',
} as const;

export type TradeColumn = keyof typeof COLUMNS;
export const TRADE_COLUMNS = Object.keys(COLUMNS) as readonly TradeColumn[];

/** A trade as a line. Ids have no control characters, and JSON text of the database has neither tabs nor line ends. */
export const TRADE_LINE = `concat(${Object.values(COLUMNS).join(`, e'\\t', `)})`;

/** Trades of one market as text, a line each with tabs between: objects only where somebody asks for them. */
export class TradeLines implements Iterable<RecordedTrade> {
  /** Without a line end behind the last one. */
  readonly text: string;
  readonly exchange: string;
  readonly symbol: string;

  constructor(text: string, { exchange, symbol }: { readonly exchange: string; readonly symbol: string }) {
    this.text = text;
    this.exchange = exchange;
    this.symbol = symbol;
  }

  get lines(): readonly string[] {
    return this.text === '' ? [] : this.text.split('\n');
  }

  at(index: number): RecordedTrade | undefined {
    // The last one, which every page tells the cursor of, need not be looked for from the beginning.
    const line = index === -1 ? this.text.slice(this.text.lastIndexOf('\n') + 1) : this.lines.at(index);
    return line === undefined || line === '' ? undefined : this.#read(line);
  }

  *[Symbol.iterator](): Generator<RecordedTrade, void> {
    for (const line of this.lines) yield this.#read(line);
  }

  #read(line: string): RecordedTrade {
    const [writer, sequence, exchangeTime, receivedAt, recordedAt, fillCount, side, ...others] = line.split(
      '\t',
    ) as Line;
    const [provenance, price, size, tradeId, raw] = others;
    return {
      writer: Number(writer),
      sequence: BigInt(Number(sequence)), // 48 bits; of text it would take longer
      recordedAt: Number(recordedAt),
      provenance: provenanceOf(provenance),
      trade: {
        ...{ kind: 'trade', exchange: this.exchange, symbol: this.symbol },
        ...{ exchangeTime: Number(exchangeTime), receivedAt: Number(receivedAt), tradeId },
        ...{ fillCount: Number(fillCount), price: price as Decimal, size: size as Decimal },
        ...{ side: sideOf(side), raw: raw === '' ? null : JSON.parse(raw) },
      },
    };
  }
}

type Line = [string, string, string, string, string, string, string, string, string, string, string, string];
