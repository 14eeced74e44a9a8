import { type IdRange, type Stretch, type StretchChange, sizeOf } from '../../market/coverage.ts';
import { DataType } from '../../market/data-type.ts';
import type { Gap, GapLedger, OpenGap } from '../../market/gap-ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import type { TradeLedgers } from '../ledger/trade-ledgers.ts';
import type { LedgerWord } from '../spool/spool-batch.ts';

interface BoardPorts {
  readonly ledgers: TradeLedgers;
  readonly clock: Clock;
  /** False: too much waits; it has not been said. */
  say(word: LedgerWord): boolean;
  settled(): Promise<void>;
}

/** What is missing of trades right now, for those who fetch it and those who want to know. */
export class GapBoard implements GapLedger {
  readonly #ports: BoardPorts;
  readonly #listeners = new Set<(gap: Gap) => void>();
  /** Gaps that are open, as they were last told, by market and first id. */
  readonly #open = new Map<string, Map<bigint, Gap>>();

  constructor(ports: BoardPorts) {
    this.#ports = ports;
    this.restart();
  }

  /** How many gaps are open. */
  get openCount(): number {
    return this.#open.values().reduce((sum, gaps) => sum + gaps.size, 0);
  }

  /** The markets something is missing of. */
  *openMarkets(): Generator<{ readonly exchange: string; readonly symbol: string }> {
    for (const gaps of this.#open.values()) for (const gap of gaps.values().take(1)) yield gap;
  }

  /** How many ids of a range may be asked for, and how many of them were given up. */
  countIds(
    exchange: string,
    symbol: string,
    range: IdRange,
  ): { readonly askable: bigint; readonly unfillable: bigint } {
    const ledger = this.#ports.ledgers.find(exchange, symbol);
    const total = (runs: readonly IdRange[]) => runs.reduce((sum, run) => sum + sizeOf(run), 0n);
    if (ledger === null) return { askable: sizeOf(range), unfillable: 0n };
    const gone = ledger.stretches.flatMap(({ status, first, last }) => {
      if (status !== 'UNFILLABLE' || first > range.last || last < range.first) return [];
      return [{ first: first > range.first ? first : range.first, last: last < range.last ? last : range.last }];
    });
    return { askable: total(ledger.askable(range)), unfillable: total(gone) };
  }

  openGaps(exchange: string, symbol: string): readonly OpenGap[] {
    const open = this.#ports.ledgers.find(exchange, symbol)?.open ?? [];
    return open.toReversed().map(({ first, last, gap, gapFoundAt, from, to, cause }) => ({
      ...{ exchange, symbol, first, last, from, to, gap: gap ?? first },
      ...{ gapFoundAt: gapFoundAt ?? 0, cause: cause ?? '' },
    }));
  }

  known(exchange: string, symbol: string): IdRange | null {
    return this.#ports.ledgers.find(exchange, symbol)?.known ?? null;
  }

  giveUp(exchange: string, symbol: string, range: IdRange, cause: string): boolean {
    const now = this.#ports.clock.now();
    return this.#ports.say({ kind: 'give-up', exchange, symbol, range, cause, now, wasTaken: false });
  }

  declare(
    exchange: string,
    symbol: string,
    range: IdRange,
    about: { readonly from: number; readonly to: number; readonly cause: string },
  ): bigint {
    const runs = this.#ports.ledgers.find(exchange, symbol)?.askable(range) ?? [range];
    const now = this.#ports.clock.now();
    if (runs.length > 0 && !this.#ports.say({ kind: 'declare', exchange, symbol, range, about, now }))
      throw new AppError('BACKFILL_REFUSED', 'Too many trades wait to become durable; ask again in a moment');
    return runs.reduce((sum, run) => sum + sizeOf(run), 0n);
  }

  settled(): Promise<void> {
    return this.#ports.settled();
  }

  onChange(listener: (gap: Gap) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Tells what a durable batch changed. */
  changed(changes: readonly StretchChange[]): void {
    const touched = new Map<string, { exchange: string; symbol: string; gaps: Set<bigint> }>();
    for (const { exchange, symbol, first, stretch } of changes) {
      const key = keyOf(exchange, symbol);
      const open = this.#open.get(key);
      if (stretch?.gap == null && open === undefined) continue;
      const market = touched.get(key) ?? { exchange, symbol, gaps: new Set() };
      if (stretch !== null && stretch.gap !== null) market.gaps.add(stretch.gap);
      const last = stretch?.last ?? first;
      for (const gap of open?.values() ?? []) if (gap.first <= last && gap.last >= first) market.gaps.add(gap.first);
      touched.set(key, market);
    }
    for (const { exchange, symbol, gaps } of touched.values())
      for (const gap of gaps) this.#tell(exchange, symbol, gap);
  }

  /** Looks at the ledgers anew. */
  restart(): void {
    this.#open.clear();
    for (const { exchange, symbol, ledger } of this.#ports.ledgers.markets())
      for (const { gap } of ledger.open) if (gap !== null) this.#tell(exchange, symbol, gap);
  }

  #tell(exchange: string, symbol: string, id: bigint): void {
    const key = keyOf(exchange, symbol);
    const before = this.#open.get(key)?.get(id) ?? null;
    const parts = this.#ports.ledgers.find(exchange, symbol)?.partsOf(id) ?? [];
    const gap = summary(exchange, symbol, id, parts, before);
    if (gap === null || (before && isSame(before, gap))) return;
    const open = this.#open.get(key) ?? new Map<bigint, Gap>();
    if (gap.status === 'GAP') this.#open.set(key, open.set(id, gap));
    else {
      open.delete(id);
      if (open.size === 0) this.#open.delete(key);
    }
    for (const listener of this.#listeners) listener(gap);
  }
}

const keyOf = (exchange: string, symbol: string): string => `${exchange} ${symbol}`;

/** The gap that was found at an id, from its parts; what came late by itself is no part any more. Null when nothing is known of one. */
function summary(
  exchange: string,
  symbol: string,
  id: bigint,
  parts: readonly Stretch[],
  before: Gap | null,
): Gap | null {
  const [some] = parts;
  if (some === undefined && before === null) return null;
  const total = (status: Stretch['status']) =>
    parts.reduce((sum, part) => (part.status === status ? sum + sizeOf(part) : sum), 0n);
  const [open, unfillable] = [total('GAP'), total('UNFILLABLE')];
  const last = before?.last ?? parts.at(-1)?.last ?? id;
  const expected = last - id + 1n;
  return {
    ...{ exchange, symbol, dataType: DataType.TRADE, first: id, last, expected, unfillable },
    ...{ foundAt: before?.foundAt ?? some?.gapFoundAt ?? 0, from: before?.from ?? some?.from ?? 0 },
    to: before?.to ?? parts.at(-1)?.to ?? 0,
    cause: parts.find(({ cause }) => cause !== null)?.cause ?? before?.cause ?? null,
    filled: expected - open - unfillable,
    status: open > 0n ? 'GAP' : unfillable > 0n ? 'UNFILLABLE' : 'BACKFILLED',
  };
}

const isSame = (a: Gap, b: Gap): boolean =>
  a.status === b.status && a.filled === b.filled && a.unfillable === b.unfillable && a.cause === b.cause;
