import { type IdRange, sizeOf } from '../../src/market/coverage.ts';
import { DataType } from '../../src/market/data-type.ts';
import type { Gap, GapLedger, OpenGap } from '../../src/market/gap-ledger.ts';
import type { Trade } from '../../src/market/market-event.ts';
import type { Provenance } from '../../src/market/recorded-trade.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { turn } from './manual-clock.ts';

interface Row extends IdRange {
  readonly status: 'PROVEN' | 'BACKFILLED' | 'GAP' | 'UNFILLABLE';
  readonly gap: { readonly first: bigint; readonly last: bigint; readonly foundAt: number } | null;
  readonly from: number;
  readonly to: number;
  readonly cause: string | null;
}

type Change = () => void;

/**
 * A ledger in memory. As in the real one nothing that is accepted, declared or given up shows before it is durable: that takes a turn of the
 * event loop.
 */
export class MemoryLedger implements GapLedger {
  readonly #clock: Clock;
  readonly #rows = new Map<string, Row[]>();
  readonly #listeners = new Set<(gap: Gap) => void>();
  #queue: Change[] = [];
  /** Every trade that was accepted, as it came. */
  readonly accepted: { readonly trade: Trade; readonly provenance: Provenance }[] = [];
  readonly givenUp: (IdRange & { readonly symbol: string; readonly cause: string })[] = [];
  /** Trades there is room for. */
  room = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Trades that came on the socket. */
  live(exchange: string, symbol: string, first: bigint, last = first, time = this.#clock.now()): void {
    this.#add(exchange, symbol, { first, last }, time, 'LIVE');
  }

  readonly accept = (trade: Trade, provenance: Exclude<Provenance, 'LIVE'>): boolean => {
    if (this.room <= 0) return false;
    this.room -= 1;
    this.accepted.push({ trade, provenance });
    const last = BigInt(trade.tradeId);
    const range = { first: last - BigInt(trade.fillCount) + 1n, last };
    this.#later(() => this.#add(trade.exchange, trade.symbol, range, trade.exchangeTime, provenance));
    return true;
  };

  openGaps(exchange: string, symbol: string): readonly OpenGap[] {
    return this.#of(exchange, symbol)
      .filter(({ status }) => status === 'GAP')
      .map(({ first, last, gap, from, to, cause }) => ({
        ...{ exchange, symbol, first, last, gap: gap?.first ?? first, gapFoundAt: gap?.foundAt ?? 0 },
        ...{ from, to, cause: cause ?? '' },
      }))
      .reverse();
  }

  known(exchange: string, symbol: string): IdRange | null {
    const rows = this.#of(exchange, symbol);
    const [first, last] = [rows[0], rows.at(-1)];
    return first && last ? { first: first.first, last: last.last } : null;
  }

  giveUp(exchange: string, symbol: string, range: IdRange, cause: string): boolean {
    this.givenUp.push({ ...range, symbol, cause });
    this.#later(() =>
      this.#paint(exchange, symbol, range, (part, row) =>
        row?.status === 'GAP' ? { ...row, ...part, status: 'UNFILLABLE', cause } : null,
      ),
    );
    return true;
  }

  declare(
    exchange: string,
    symbol: string,
    range: IdRange,
    about: { readonly from: number; readonly to: number; readonly cause: string },
  ): bigint {
    const { askable } = this.countIds(exchange, symbol, range);
    const foundAt = this.#clock.now();
    this.#later(() =>
      this.#paint(exchange, symbol, range, (part, row) =>
        row && row.status !== 'UNFILLABLE'
          ? null
          : { ...row, ...part, ...about, status: 'GAP', gap: row?.gap ?? { ...part, foundAt } },
      ),
    );
    return askable;
  }

  readonly countIds = (exchange: string, symbol: string, range: IdRange) => {
    let [askable, unfillable] = [sizeOf(range), 0n];
    for (const row of this.#of(exchange, symbol)) {
      const [first, last] = [max(row.first, range.first), min(row.last, range.last)];
      if (first > last) continue;
      if (row.status !== 'UNFILLABLE') askable -= sizeOf({ first, last });
      else unfillable += sizeOf({ first, last });
    }
    return { askable, unfillable };
  };

  async settled(): Promise<void> {
    await turn();
    this.#apply();
  }

  onChange(listener: (gap: Gap) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** e.g. ["1-4 PROVEN", "5-6 GAP"] */
  describe(exchange: string, symbol: string): readonly string[] {
    const merged: { first: bigint; last: bigint; status: string }[] = [];
    for (const { first, last, status } of this.#of(exchange, symbol)) {
      const before = merged.at(-1);
      if (before && before.last + 1n === first && before.status === status) before.last = last;
      else merged.push({ first, last, status });
    }
    return merged.map(({ first, last, status }) => `${first}-${last} ${status}`);
  }

  #later(change: Change): void {
    this.#queue.push(change);
    if (this.#queue.length === 1) void turn().then(() => this.#apply());
  }

  #apply(): void {
    const changes = this.#queue;
    this.#queue = [];
    for (const change of changes) change();
  }

  #add(exchange: string, symbol: string, range: IdRange, time: number, provenance: Provenance): void {
    const head = this.#of(exchange, symbol).at(-1);
    if (head && range.first > head.last + 1n) {
      const gap = { first: head.last + 1n, last: range.first - 1n };
      const foundAt = this.#clock.now();
      const cause = 'the exchange made trades that did not arrive';
      this.#paint(exchange, symbol, gap, (part) => ({
        ...{ ...part, status: 'GAP', gap: { ...gap, foundAt }, from: head.to, to: time, cause },
      }));
    }
    this.#paint(exchange, symbol, range, (part, row) => {
      if (row?.status === 'PROVEN' || row?.status === 'BACKFILLED') return null;
      const status = provenance === 'LIVE' || row === null ? 'PROVEN' : 'BACKFILLED';
      return { ...part, status, gap: row?.gap ?? null, from: time, to: time, cause: null };
    });
  }

  /** Replaces what lies in a range piece by piece; null keeps a piece as it is. */
  #paint(
    exchange: string,
    symbol: string,
    range: IdRange,
    piece: (part: IdRange, row: Row | null) => Row | null,
  ): void {
    const rows: Row[] = [];
    const touched = new Map<bigint, Row['gap']>();
    const put = (part: IdRange, row: Row | null) => {
      if (part.first > part.last) return;
      const painted = piece(part, row);
      if (painted?.gap) touched.set(painted.gap.first, painted.gap);
      const kept = painted ?? (row ? { ...row, ...part } : null);
      if (kept) rows.push(kept);
    };
    let next = range.first;
    let passed = false;
    const rest = () => {
      if (!passed) put({ first: next, last: range.last }, null);
      passed = true;
    };
    for (const row of this.#of(exchange, symbol)) {
      if (row.last < range.first) {
        rows.push(row);
        continue;
      }
      if (row.first > range.last) {
        rest();
        rows.push(row);
        continue;
      }
      put({ first: next, last: row.first - 1n }, null);
      if (row.first < range.first) rows.push({ ...row, last: range.first - 1n });
      put({ first: max(row.first, range.first), last: min(row.last, range.last) }, row);
      if (row.last > range.last) rows.push({ ...row, first: range.last + 1n });
      next = row.last + 1n;
      if (next > range.last) passed = true;
    }
    rest();
    this.#rows.set(`${exchange}:${symbol}`, this.#joined(rows));
    for (const gap of touched.values()) if (gap) this.#tell(exchange, symbol, gap);
  }

  #joined(rows: readonly Row[]): Row[] {
    const joined: Row[] = [];
    for (const row of rows) {
      const before = joined.at(-1);
      const same =
        before?.status === row.status &&
        before.last + 1n === row.first &&
        before.gap?.first === row.gap?.first &&
        before.cause === row.cause;
      if (before && same) joined[joined.length - 1] = { ...before, last: row.last, to: row.to };
      else joined.push(row);
    }
    return joined;
  }

  #tell(exchange: string, symbol: string, gap: NonNullable<Row['gap']>): void {
    const parts = this.#of(exchange, symbol).filter((row) => row.gap?.first === gap.first);
    const count = (statuses: readonly Row['status'][]) =>
      parts.filter(({ status }) => statuses.includes(status)).reduce((sum, part) => sum + sizeOf(part), 0n);
    const [open, unfillable] = [count(['GAP']), count(['UNFILLABLE'])];
    const expected = sizeOf(gap);
    const told: Gap = {
      ...{ exchange, symbol, dataType: DataType.TRADE, ...gap, from: parts[0]?.from ?? 0, to: parts.at(-1)?.to ?? 0 },
      ...{ cause: parts.find(({ cause }) => cause !== null)?.cause ?? null, expected, unfillable },
      filled: expected - open - unfillable,
      status: open > 0n ? 'GAP' : unfillable > 0n ? 'UNFILLABLE' : 'BACKFILLED',
    };
    for (const listener of this.#listeners) listener(told);
  }

  #of(exchange: string, symbol: string): Row[] {
    return this.#rows.get(`${exchange}:${symbol}`) ?? [];
  }
}

const max = (a: bigint, b: bigint): bigint => (a > b ? a : b);
const min = (a: bigint, b: bigint): bigint => (a < b ? a : b);
