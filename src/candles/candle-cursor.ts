import { windowAt } from '../market/candle-window.ts';
import { CursorCodec } from '../pipeline/cursor.ts';
import { AppError } from '../runtime/errors.ts';
import type { CandlePlace } from './candle-change.ts';
import type { CandleSelection } from './candle-series.ts';

/** No clock of an exchange goes further ahead of another's. */
const MOST_BEHIND = 100_000;

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
    const behind = this.#selection.symbols.map((symbol) => this.#candlesBetween(closed.get(symbol) ?? newest, newest));
    const tail = behind.some((count) => count > 0) ? `.${behind.map((count) => count.toString(36)).join('.')}` : '';
    return `${this.#positions.encode(position)}.${newest.toString(36)}${tail}`;
  }

  /** @throws {AppError} CURSOR_INVALID for text that is no cursor, and for a cursor of another stream. */
  decode(text: string): CandlePlace {
    const [positions = '', newest = '', ...behind] = text.length <= 4_096 ? text.split('.') : [];
    const position = this.#positions.decode(positions);
    const { symbols } = this.#selection;
    const end = Number.parseInt(newest, 36);
    if (
      !Number.isSafeInteger(end) ||
      Math.abs(end) > 8.64e15 ||
      (behind.length > 0 && behind.length !== symbols.length)
    )
      throw changed();
    const closed = new Map<string, number>();
    for (const [k, symbol] of symbols.entries()) {
      const count = Number.parseInt(behind[k] ?? '0', 36);
      if (!(count >= 0 && count <= MOST_BEHIND)) throw changed();
      closed.set(symbol, this.#earlier(end, count));
    }
    const place = { position, closed };
    if (this.#windowOf(end).openTime !== end || this.encode(place) !== text) throw changed();
    return place;
  }

  #windowOf(time: number) {
    return windowAt({ interval: this.#selection.interval, timeZone: 'UTC', anchor: null }, time);
  }

  #candlesBetween(from: number, to: number): number {
    let count = 0;
    for (let at = from; at < to && count < MOST_BEHIND; at = this.#windowOf(at).closeTime) count += 1;
    return count;
  }

  #earlier(end: number, count: number): number {
    let at = end;
    for (let left = count; left > 0; left -= 1) at = this.#windowOf(at - 1).openTime;
    return at;
  }
}

const changed = () => new AppError('CURSOR_INVALID', 'The cursor was changed; use it exactly as it was given');
