import { windowAt } from '../market/candle-window.ts';
import { CursorCodec } from '../pipeline/feed/cursor.ts';
import { AppError } from '../runtime/errors.ts';
import type { CandlePlace } from './candle-change.ts';
import type { CandleSelection } from './candle-series.ts';

/** Candles begin and end at whole seconds. */
const UNIT_MS = 1_000;
/** No candle that a cursor speaks of ends before the first of these or after the last, ms. */
const [EARLIEST, LATEST] = [0, Date.UTC(9999, 0)];

/** Cursors of one stream of candles as opaque text: the position in the trades, and what was closed. */
export class CandleCursors {
  readonly #selection: CandleSelection;
  readonly #positions: CursorCodec;

  constructor(selection: CandleSelection) {
    const { exchange, symbols, interval } = selection;
    this.#selection = selection;
    this.#positions = new CursorCodec(JSON.stringify(['candles', exchange, symbols, interval]));
  }

  encode({ position, closed }: CandlePlace): string {
    const newest = Math.max(...closed.values());
    const behind = this.#selection.symbols.map((symbol) => (newest - (closed.get(symbol) ?? newest)) / UNIT_MS);
    const tail = behind.some((units) => units > 0) ? `.${behind.map((units) => units.toString(36)).join('.')}` : '';
    return `${this.#positions.encode(position)}.${newest.toString(36)}${tail}`;
  }

  /** @throws {AppError} CURSOR_INVALID for text that is no cursor, and for a cursor of another stream. */
  decode(text: string): CandlePlace {
    const [positions = '', newest = '', ...behind] = text.length <= 4_096 ? text.split('.') : [];
    const position = this.#positions.decode(positions);
    const { symbols } = this.#selection;
    if (behind.length > 0 && behind.length !== symbols.length) throw changed();
    const end = Number.parseInt(newest, 36);
    const closed = new Map(symbols.map((symbol, k) => [symbol, end - Number.parseInt(behind[k] ?? '0', 36) * UNIT_MS]));
    if (![...closed.values()].every((time) => this.#isEnd(time))) throw changed();
    const place = { position, closed };
    if (this.encode(place) !== text) throw changed();
    return place;
  }

  #isEnd(time: number): boolean {
    if (!(time >= EARLIEST && time <= LATEST)) return false;
    return windowAt({ interval: this.#selection.interval, timeZone: 'UTC', anchor: null }, time).openTime === time;
  }
}

const changed = () => new AppError('CURSOR_INVALID', 'The cursor was changed; use it exactly as it was given');
