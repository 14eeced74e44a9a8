import type { Balance, ExchangeCandle, OrderBook, Ticker } from '../../market/market-event.ts';
import type { Clock } from '../../runtime/clock.ts';
import { type LiveEvent, stateKey } from './live-event.ts';

/** How much of the live market data of an exchange is kept. Intervals in seconds; 0 keeps every one. */
export interface Sampling {
  readonly ticker: number;
  readonly orderbook: number;
  /** Whether every update of a candle is kept; otherwise only closed ones, for a forming one says nothing its last version does not. */
  readonly formingCandles: boolean;
  /** Levels a side of a stored book. */
  readonly bookLevels: number;
}

export const DEFAULT_SAMPLING: Sampling = { ticker: 10, orderbook: 30, formingCandles: false, bookLevels: 25 };

/** How often ended windows are looked for, at most, in ms. */
const LOOK_EVERY_MS = 250;

interface Window {
  /** Its number: clock time / interval, rounded down. */
  number: number;
  /** The newest event of this window that is not kept yet. */
  waiting: Ticker | OrderBook | null;
}

/**
 * Decides which market data is stored. Of tickers and books one a window: the first at once, and when more followed, the
 * last of them once the window has ended, in the place of the next window's first. Windows are aligned to clock time.
 */
export class Sampler implements Disposable {
  readonly #samplingOf: (exchange: string) => Sampling;
  readonly #clock: Clock;
  readonly #keep: (event: LiveEvent) => void;
  readonly #windows = { ticker: new Map<string, Window>(), orderbook: new Map<string, Window>() };
  readonly #candles = new Map<string, string>();
  readonly #balances = new Map<string, string>();
  readonly #timer: Disposable;

  constructor(samplingOf: (exchange: string) => Sampling, clock: Clock, keep: (event: LiveEvent) => void) {
    this.#samplingOf = samplingOf;
    this.#clock = clock;
    this.#keep = keep;
    this.#timer = clock.every(LOOK_EVERY_MS, () => this.#keepEnded());
  }

  accept(event: LiveEvent): void {
    switch (event.kind) {
      case 'ticker':
        return this.#sample(event);
      case 'orderbook':
        if (event.validity === 'VALID') this.#sample(event);
        return;
      case 'candle':
        if (event.closed || this.#samplingOf(event.exchange).formingCandles)
          this.#keepChanged(this.#candles, event, candleState(event));
        return;
      case 'balance':
        return this.#keepChanged(this.#balances, event, balanceState(event));
      default:
        return event satisfies never;
    }
  }

  /** Keeps what waits for the end of its window. */
  [Symbol.dispose](): void {
    this.#timer[Symbol.dispose]();
    for (const windows of Object.values(this.#windows))
      for (const window of windows.values()) this.#keepWaiting(window);
  }

  #sample(event: Ticker | OrderBook): void {
    const number = this.#windowNumber(event);
    if (number === null) return this.#keepSample(event);
    const windows = this.#windows[event.kind];
    const key = stateKey(event);
    const window = windows.get(key);
    if (!window) {
      windows.set(key, { number, waiting: null });
      return this.#keepSample(event);
    }
    if (window.number === number) {
      window.waiting = event;
      return;
    }
    const ended = window.waiting;
    window.number = number;
    window.waiting = ended ? event : null;
    this.#keepSample(ended ?? event);
  }

  #keepEnded(): void {
    for (const kind of ['ticker', 'orderbook'] as const) {
      for (const window of this.#windows[kind].values()) {
        const number = window.waiting && this.#windowNumber(window.waiting);
        if (number === null || window.number === number) continue;
        window.number = number;
        this.#keepWaiting(window);
      }
    }
  }

  #keepWaiting(window: Window): void {
    if (window.waiting) this.#keepSample(window.waiting);
    window.waiting = null;
  }

  /** Null when every event is kept. */
  #windowNumber({ exchange, kind }: Ticker | OrderBook): number | null {
    const seconds = this.#samplingOf(exchange)[kind];
    return seconds === 0 ? null : Math.floor(this.#clock.now() / (seconds * 1_000));
  }

  #keepChanged(states: Map<string, string>, event: ExchangeCandle | Balance, state: string): void {
    const key = stateKey(event);
    if (states.get(key) === state) return;
    states.set(key, state);
    this.#keep(event);
  }

  #keepSample(event: Ticker | OrderBook): void {
    this.#keep(event.kind === 'orderbook' ? shallow(event, this.#samplingOf(event.exchange).bookLevels) : event);
  }
}

const shallow = (book: OrderBook, levels: number): OrderBook =>
  book.bids.length <= levels && book.asks.length <= levels
    ? book
    : { ...book, bids: book.bids.slice(0, levels), asks: book.asks.slice(0, levels) };

const candleState = ({ openTime, open, high, low, close, volume, closed }: ExchangeCandle): string =>
  `${openTime} ${open} ${high} ${low} ${close} ${volume} ${closed}`;

const balanceState = ({ total, available, frozen }: Balance): string => `${total} ${available} ${frozen}`;
