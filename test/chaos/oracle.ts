import { placeOf, type Tape, tradeAt } from '../../src/simulator/tape.ts';
import type { Findings } from './findings.ts';
import { intersect, lengthOf, type Run, repeated, subtract, union } from './runs.ts';
import type { Stored, StoredStretch, StoredTrade } from './stored.ts';

/** What one instrument's exchange made, and how much of it must be stored or declared. */
export interface Expected {
  readonly tape: Tape;
  /** Places of the tape that were made while somebody collected. */
  readonly window: Run;
  /** Places that can be known at all: from the first ever sent to the newest made. */
  readonly made: Run;
}

const MISSING_FOR = new Set(['GAP', 'UNFILLABLE']);
const WHOLE = new Set(['PROVEN', 'BACKFILLED']);

/** Compares what is stored with the tape, recomputed, id by id, and with what the ledger says of it. */
export function judgeStored(expected: readonly Expected[], stored: Stored, findings: Findings): void {
  for (const { tape, window, made } of expected) {
    const { symbol } = tape.instrument;
    const ofSymbol = <T extends { readonly symbol: string }>(rows: readonly T[]) =>
      rows.filter((row) => row.symbol === symbol);
    new Judgement(tape, made, findings).judge(window, ofSymbol(stored.trades), ofSymbol(stored.stretches));
  }
}

interface Held extends Run {
  readonly writer: number;
}

interface PlacedStretch extends Run {
  readonly stretch: StoredStretch;
}

class Judgement {
  readonly #tape: Tape;
  readonly #symbol: string;
  readonly #made: Run;
  readonly #findings: Findings;

  constructor(tape: Tape, made: Run, findings: Findings) {
    this.#tape = tape;
    this.#symbol = tape.instrument.symbol;
    this.#made = made;
    this.#findings = findings;
  }

  judge(window: Run, trades: readonly StoredTrade[], stretches: readonly StoredStretch[]): void {
    const rows = trades.flatMap((trade) => this.#row(trade));
    this.#addRuns('DUPLICATE', repeated(rows));
    const held = union(rows);
    const placed = stretches.map((stretch) => ({
      first: this.#place(stretch.first),
      last: this.#place(stretch.last),
      stretch,
    }));
    const declared = union(placed.filter(({ stretch }) => MISSING_FOR.has(stretch.status)));
    const absent = subtract([window], held);
    this.#addRuns('DECLARED', intersect(absent, declared));
    this.#addRuns('MISSING', subtract(absent, declared));
    this.#addRuns('UNCOVERED', subtract(held, union(placed)));
    for (const each of placed) this.#stretch(each, placed, rows, held);
    for (const writer of new Set(stretches.map((stretch) => stretch.writer)))
      this.#addRuns('OVERLAP', repeated(placed.filter(({ stretch }) => stretch.writer === writer)));
  }

  /** The places a row stands for; nothing for one that should not be. */
  #row(trade: StoredTrade): readonly Held[] {
    const last = placeOf(this.#tape, trade.tradeId);
    const first = (last ?? 0) - trade.fillCount + 1;
    if (last === null || !(first >= this.#made.first) || last > this.#made.last || first > last) {
      this.#findings.add('SPURIOUS', this.#symbol, `${trade.tradeId} (${trade.fillCount} fills)`);
      return [];
    }
    const wrong = this.#corruption(trade, { first, last });
    if (wrong !== null) this.#findings.add('CORRUPT', this.#symbol, `${trade.tradeId}: ${wrong}`);
    return [{ first, last, writer: trade.writer }];
  }

  #corruption(trade: StoredTrade, { first, last }: Run): string | null {
    const fills = Array.from({ length: last - first + 1 }, (_, i) => tradeAt(this.#tape, first + i));
    const size = fills.length === 1 ? fills[0]?.size : sumOf(fills.map((fill) => fill.size));
    for (const fill of fills)
      for (const [name, is, was] of [
        ['price', trade.price, fill.price],
        ['size', trade.size, size],
        ['side', trade.side, fill.side],
        ['time', trade.time, fill.time],
      ] as const)
        if (is !== was) return `${name} is ${is}, was ${was}`;
    return null;
  }

  #stretch(
    { stretch, first, last }: PlacedStretch,
    all: readonly PlacedStretch[],
    rows: readonly Held[],
    held: readonly Run[],
  ): void {
    const { status, writer, actual } = stretch;
    const run = [{ first, last }];
    if (WHOLE.has(status)) this.#addRuns('FALSE_PROVEN', subtract(run, held), ` ${status} of writer ${writer}`);
    if (MISSING_FOR.has(status)) {
      // Another writer may have what this one lacks, and says so itself.
      const others = union(
        all.filter((other) => other.stretch.writer !== writer && !MISSING_FOR.has(other.stretch.status)),
      );
      this.#addRuns('OVERDECLARED', subtract(intersect(run, held), others), ` ${status} of writer ${writer}`);
    }
    const total = lengthOf(intersect(run, held));
    const own = lengthOf(intersect(run, union(rows.filter((row) => row.writer === writer))));
    if (actual < own || actual > total)
      this.#findings.add(
        'WRONG_COUNT',
        this.#symbol,
        `${status} ${stretch.first} to ${stretch.last} of writer ${writer} says ${actual}, has ${own === total ? total : `${own} to ${total}`}`,
      );
  }

  #addRuns(finding: Parameters<Findings['add']>[0], runs: readonly Run[], more = ''): void {
    for (const run of runs)
      this.#findings.add(
        finding,
        this.#symbol,
        `${this.#id(run.first)}${run.last === run.first ? '' : ` to ${this.#id(run.last)}`}${more}`,
        run.last - run.first + 1,
      );
  }

  #place(id: bigint): number {
    return Number(id - this.#tape.firstId);
  }

  #id(place: number): bigint {
    return this.#tape.firstId + BigInt(place);
  }
}

/** Exact; as many places as the longest has. */
function sumOf(sizes: readonly string[]): string {
  const places = Math.max(...sizes.map((size) => size.split('.')[1]?.length ?? 0));
  const units = sizes.reduce((sum, size) => {
    const [whole = '', part = ''] = size.split('.');
    return sum + BigInt(whole + part.padEnd(places, '0'));
  }, 0n);
  const digits = String(units).padStart(places + 1, '0');
  return places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`;
}
