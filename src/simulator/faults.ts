import type { Clock } from '../runtime/clock.ts';
import { FAULTS, type Fault, type FaultKind, readFault } from './fault.ts';

/** A fault that is set, and what it did so far. */
export interface ActiveFault {
  readonly id: number;
  readonly fault: Fault;
  /** Strikes so far. */
  readonly hits: number;
  /** Places of the trades a `gap` withholds; null for other kinds. */
  readonly skipped: { readonly symbol: string; readonly first: number; readonly last: number } | null;
}

interface Entry {
  readonly id: number;
  readonly fault: Fault;
  readonly until: number;
  hits: number;
  left: number;
  /** When a fault that strikes by itself does so again. */
  nextAt: number;
  skipped: ActiveFault['skipped'];
}

/** Where a fault may strike; a fault that names none of these strikes everywhere. */
export interface Place {
  readonly symbol?: string | null;
  readonly channel?: string;
  readonly endpoint?: string;
  readonly path?: string;
}

/** What the switches need from the servers they break. */
export interface Breakable {
  /** Strikes a fault that acts at once, or begins a half-open. */
  strike(fault: Fault): void;
  /** Ends what a fault left behind. */
  mend(kind: FaultKind): void;
  /** The native symbol, and the place of its next trade. @throws {AppError} SYMBOL_UNKNOWN */
  locate(symbol: string): { readonly nativeSymbol: string; readonly next: number };
}

/** The fault switches of one simulator. Each ends by its count, by its duration or by `clear`. */
export class Faults {
  readonly #clock: Clock;
  readonly #breakable: Breakable;
  #entries: readonly Entry[] = [];
  #lastId = 0;

  constructor(clock: Clock, breakable: Breakable) {
    this.#clock = clock;
    this.#breakable = breakable;
  }

  /**
   * Sets a fault and returns its id.
   * @throws {AppError} BAD_USER_INPUT naming the wrong field, SYMBOL_UNKNOWN for an instrument that is not simulated.
   */
  add(wanted: Fault): number {
    const checked = readFault(wanted);
    const where = checked.symbol === undefined ? null : this.#breakable.locate(checked.symbol);
    const fault: Fault = where === null ? checked : { ...checked, symbol: where.nativeSymbol };
    const atOnce = 'atOnce' in FAULTS[fault.kind];
    this.#lastId += 1;
    const entry: Entry = {
      id: this.#lastId,
      fault,
      until: fault.durationMs === undefined ? Number.POSITIVE_INFINITY : this.#clock.monotonic() + fault.durationMs,
      hits: 0,
      left: fault.count ?? (atOnce ? 1 : Number.POSITIVE_INFINITY),
      nextAt: atOnce ? 0 : Number.POSITIVE_INFINITY,
      skipped:
        fault.kind === 'gap' && where !== null
          ? { symbol: where.nativeSymbol, first: where.next, last: where.next + (fault.trades ?? 0) - 1 }
          : null,
    };
    if (atOnce) this.#strikeAtOnce(entry);
    else if (fault.kind === 'half-open') this.#breakable.strike(fault);
    if (entry.left > 0) this.#entries = [...this.#entries, entry];
    return entry.id;
  }

  /** Ends one fault, or all of them. An id that is not set changes nothing. */
  clear(id?: number): void {
    this.#keep((entry) => id !== undefined && entry.id !== id);
  }

  get active(): readonly ActiveFault[] {
    return this.#entries.map(({ id, fault, hits, skipped }) => ({ id, fault, hits, skipped }));
  }

  get quiet(): boolean {
    return this.#entries.length === 0;
  }

  /** The first fault of this kind that strikes here, its count taken; null when none does. */
  strike(kind: FaultKind, place: Place): Fault | null {
    const entry = this.#entries.find((each) => each.fault.kind === kind && matches(each.fault, place) && each.left > 0);
    if (entry === undefined) return null;
    entry.hits += 1;
    entry.left -= 1;
    if (entry.left <= 0) this.#keep((each) => each !== entry);
    return entry.fault;
  }

  /** As `strike`, without taking a count. */
  find(kind: FaultKind, place: Place): Fault | null {
    return this.#entries.find((each) => each.fault.kind === kind && matches(each.fault, place))?.fault ?? null;
  }

  /** Whether a `gap` withholds the trade at this place. */
  withholds(symbol: string, place: number): boolean {
    for (const entry of this.#entries) {
      const { skipped } = entry;
      if (skipped === null || skipped.symbol !== symbol || place < skipped.first || place > skipped.last) continue;
      entry.hits += 1;
      return true;
    }
    return false;
  }

  /** Strikes what is due again and ends what has lasted long enough; called on every tick. */
  tick(): void {
    if (this.quiet) return;
    const now = this.#clock.monotonic();
    for (const entry of this.#entries) if (now >= entry.nextAt) this.#strikeAtOnce(entry);
    const over = ({ until, left, skipped }: Entry) =>
      left <= 0 ||
      now >= until ||
      (skipped !== null && this.#breakable.locate(skipped.symbol).next > skipped.last + WITHHELD_MEMORY);
    if (this.#entries.some(over)) this.#keep((entry) => !over(entry));
  }

  #keep(wanted: (entry: Entry) => boolean): void {
    const ended = this.#entries.filter((entry) => !wanted(entry));
    this.#entries = this.#entries.filter(wanted);
    for (const { fault } of ended) this.#breakable.mend(fault.kind);
  }

  #strikeAtOnce(entry: Entry): void {
    entry.hits += 1;
    entry.left -= 1;
    entry.nextAt = this.#clock.monotonic() + (entry.fault.everyMs ?? 1000);
    this.#breakable.strike(entry.fault);
  }
}

/** A gap stays listed until this many trades after its end, so that a late subscriber's replay does not give it away. */
const WITHHELD_MEMORY = 16;

const matches = (fault: Fault, place: Place): boolean =>
  (fault.symbol === undefined || fault.symbol === place.symbol) &&
  (fault.channel === undefined || fault.channel === place.channel) &&
  (fault.endpoint === undefined || fault.endpoint === place.endpoint) &&
  (fault.path === undefined || place.path?.startsWith(fault.path) === true);
