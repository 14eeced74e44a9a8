import { hash32 } from './hash.ts';
import { countAt, midTicks, type Tape } from './tape.ts';

/** Order books as a pure function of (tape, step): any two steps give the change between them, so every stream chains. */

export interface Level {
  readonly ticks: number;
  /** 0 in a change: the level is gone. */
  readonly lots: number;
  readonly orders: number;
}

/** Bids highest first, asks lowest first; never crossed, never empty. */
export interface Book {
  readonly step: number;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

/** A book is a new one every so many ms. */
export const STEP_MS = 50;
/** Levels a side: what OKX's `books` shows, and all there is on simulated Binance. */
export const BOOK_DEPTH = 400;

const SALT = { sequence: 64, level: 65, life: 66, best: 67 } as const;

/** Where nothing trades, the book stands still too. */
export const stepAt = (tape: Tape, time: number): number =>
  tape.milliRate === 0 ? 0 : Math.max(0, Math.floor((time - tape.startTime) / STEP_MS));

export const stepTime = (tape: Tape, step: number): number => tape.startTime + step * STEP_MS;

/** The exchange's sequence after this step: rises by uneven amounts, as the real ones do. */
export const sequenceAt = (tape: Tape, step: number): number =>
  1_000 + step * 8 + (hash32(tape.seed, SALT.sequence, step) % 8);

export function bookAt(tape: Tape, step: number, depth: number = BOOK_DEPTH): Book {
  const best = midTicks(tape, Math.max(0, countAt(tape, stepTime(tape, step)) - 1));
  return { step, bids: side(tape, step, best, -1, depth), asks: side(tape, step, best + 1, 1, depth) };
}

/** Levels with what became of them; removed ones have zero lots. */
export interface BookChange {
  readonly from: number;
  readonly to: Book;
  readonly bids: readonly Level[];
  readonly asks: readonly Level[];
}

/** More steps than this are taken in several changes. */
const STEPS_AT_ONCE = 40;

/**
 * From a book towards a later step: every level touched on the way, also one that came and went. So the change is right for
 * any book between the two, as a REST snapshot taken meanwhile is.
 */
export function changeTowards(tape: Tape, from: Book, step: number): BookChange {
  const bids = new Map<number, Level>();
  const asks = new Map<number, Level>();
  let book = from;
  while (book.step < Math.min(step, from.step + STEPS_AT_ONCE)) {
    const next = bookAt(tape, book.step + 1);
    noteChanges(book.bids, next.bids, bids);
    noteChanges(book.asks, next.asks, asks);
    book = next;
  }
  return { from: from.step, to: book, bids: [...bids.values()], asks: [...asks.values()] };
}

function side(tape: Tape, step: number, best: number, direction: 1 | -1, depth: number): readonly Level[] {
  const levels: Level[] = [{ ticks: best, ...bestSize(tape, step, direction) }];
  for (let ticks = best + direction; levels.length < depth && ticks > 0; ticks += direction) {
    const level = levelAt(tape, step, ticks);
    if (level !== null) levels.push(level);
  }
  return levels;
}

/** The best level is there and different at every step. */
function bestSize(tape: Tape, step: number, direction: 1 | -1): { lots: number; orders: number } {
  const bits = hash32(tape.seed, SALT.best + direction, step);
  return { lots: (1 + (bits & 0xfff) * 2 + (step & 1)) * tape.instrument.lotScale, orders: 1 + ((bits >>> 16) & 15) };
}

/** A deeper level lives 32 to 4,096 steps with one size, then gets another or is absent for as long. */
function levelAt(tape: Tape, step: number, ticks: number): Level | null {
  const nature = hash32(tape.seed, SALT.level, ticks);
  const life = 32 << (nature & 7);
  const bits = hash32(nature, SALT.life, Math.floor((step + ((nature >>> 8) % life)) / life));
  if ((bits & 3) === 0) return null;
  return { ticks, lots: (1 + ((bits >>> 2) & 0x3fff)) * tape.instrument.lotScale, orders: 1 + ((bits >>> 20) & 15) };
}

function noteChanges(from: readonly Level[], to: readonly Level[], touched: Map<number, Level>): void {
  const gone = new Map(from.map((level) => [level.ticks, level]));
  for (const level of to) {
    const before = gone.get(level.ticks);
    gone.delete(level.ticks);
    if (before?.lots !== level.lots || before.orders !== level.orders) touched.set(level.ticks, level);
  }
  for (const ticks of gone.keys()) touched.set(ticks, { ticks, lots: 0, orders: 0 });
}
