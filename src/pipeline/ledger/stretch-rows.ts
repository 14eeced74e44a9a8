import { COVERAGE_EVIDENCE, COVERAGE_STATUSES, type CoverageStatus, type Stretch } from '../../market/coverage.ts';

/** Places of a stretch in flat memory, 8 bytes each: ids, then numbers, then all that is one of a few. */
const SLOTS = 8;
const [FIRST, LAST, GAP, FROM, TO, ACTUAL, GAP_FOUND_AT, KIND] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
/** Of the kind, from below: its status, its evidence, whether it belongs to a gap, its cause. */
const [STATUSES, EVIDENCES, GAPS] = [8, 8, 2];
/** Causes kept that no stretch has any more. */
const MOST_UNUSED = 64;

/**
 * The stretches of one market, ascending, without an object for any of them. They are never fewer: every gap that was ever filled
 * leaves two more, and 64 bytes are a quarter of what an object with its numbers takes. Whoever reads one gets a copy.
 */
export class StretchRows {
  #length = 0;
  #ids = new BigInt64Array(0);
  /** The same memory. */
  #numbers = new Float64Array(0);
  readonly #causes: string[] = [];
  /** All of them, from the moment an id does not fit into 64 bits; no exchange counts so far. */
  #large: Stretch[] | null = null;

  constructor(stretches: readonly Stretch[] = []) {
    this.splice(0, 0, stretches);
  }

  get length(): number {
    return this.#large?.length ?? this.#length;
  }

  at(index: number): Stretch | undefined {
    if (this.#large) return copyOf(this.#large[index]);
    if (index < 0 || index >= this.#length) return undefined;
    const [at, ids, numbers] = [index * SLOTS, this.#ids, this.#numbers];
    let kind = numbers[at + KIND] as number;
    const status = COVERAGE_STATUSES[kind % STATUSES] as Stretch['status'];
    kind = Math.floor(kind / STATUSES);
    const evidence = COVERAGE_EVIDENCE[kind % EVIDENCES] as Stretch['evidence'];
    kind = Math.floor(kind / EVIDENCES);
    const gapFoundAt = numbers[at + GAP_FOUND_AT] as number;
    return {
      first: ids[at + FIRST] as bigint,
      last: ids[at + LAST] as bigint,
      status,
      evidence,
      from: numbers[at + FROM] as number,
      to: numbers[at + TO] as number,
      actual: numbers[at + ACTUAL] as number,
      cause: this.#causes[Math.floor(kind / GAPS) - 1] ?? null,
      gap: kind % GAPS === 1 ? (ids[at + GAP] as bigint) : null,
      gapFoundAt: Number.isNaN(gapFoundAt) ? null : gapFoundAt,
    };
  }

  /** Index of the first that ends at or after an id; the length where none does. */
  indexFrom(id: bigint): number {
    let low = 0;
    let high = this.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const last = this.#large ? (this.#large[middle] as Stretch).last : (this.#ids[middle * SLOTS + LAST] as bigint);
      if (last < id) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Those of a status, ascending. */
  of(status: CoverageStatus): readonly Stretch[] {
    if (this.#large) return this.#large.filter((row) => row.status === status);
    const code = COVERAGE_STATUSES.indexOf(status);
    const found: Stretch[] = [];
    for (let index = 0; index < this.#length; index += 1)
      if ((this.#numbers[index * SLOTS + KIND] as number) % STATUSES === code) found.push(this.at(index) as Stretch);
    return found;
  }

  /** From one on, all of them. */
  *from(index: number): Generator<Stretch> {
    for (let at = index; at < this.length; at += 1) yield this.at(at) as Stretch;
  }

  get newest(): Stretch | undefined {
    return this.at(this.length - 1);
  }

  /** Puts another one in the place of one. */
  set(index: number, row: Stretch): void {
    if (!this.#large && !fits(row)) this.#large = [...this.from(0)];
    if (this.#large) this.#large[index] = row;
    else this.#write(index, row);
  }

  /** Takes so many away at an index, and puts these there. */
  splice(index: number, count: number, rows: readonly Stretch[]): void {
    if (this.#causes.length > this.#length + MOST_UNUSED) this.#forgetCauses();
    if (!this.#large && !rows.every(fits)) this.#large = [...this.from(0)];
    if (this.#large) {
      this.#large.splice(index, count, ...rows);
      return;
    }
    const length = this.#length + rows.length - count;
    if (length * SLOTS > this.#ids.length) this.#grow(length);
    this.#ids.copyWithin((index + rows.length) * SLOTS, (index + count) * SLOTS, this.#length * SLOTS);
    this.#length = length;
    for (const [k, row] of rows.entries()) this.#write(index + k, row);
  }

  #write(index: number, row: Stretch): void {
    const [at, ids, numbers] = [index * SLOTS, this.#ids, this.#numbers];
    ids[at + FIRST] = row.first;
    ids[at + LAST] = row.last;
    ids[at + GAP] = row.gap ?? 0n;
    numbers[at + FROM] = row.from;
    numbers[at + TO] = row.to;
    numbers[at + ACTUAL] = row.actual;
    numbers[at + GAP_FOUND_AT] = row.gapFoundAt ?? Number.NaN;
    const kind = this.#numberOf(row.cause) * GAPS + (row.gap === null ? 0 : 1);
    const [status, evidence] = [COVERAGE_STATUSES.indexOf(row.status), COVERAGE_EVIDENCE.indexOf(row.evidence)];
    numbers[at + KIND] = (kind * EVIDENCES + evidence) * STATUSES + status;
  }

  /** An eighth more than is needed, as stretches come one by one. */
  #grow(length: number): void {
    const grown = new BigInt64Array((length + (length >>> 3)) * SLOTS);
    grown.set(this.#ids.subarray(0, this.#length * SLOTS));
    this.#ids = grown;
    this.#numbers = new Float64Array(grown.buffer);
  }

  /** Those of stretches that are gone. */
  #forgetCauses(): void {
    const rows = [...this.from(0)];
    this.#causes.length = 0;
    for (const [index, row] of rows.entries()) this.#write(index, row);
  }

  /** Of a cause, from 1 on; 0 without one. There are few. */
  #numberOf(cause: string | null): number {
    if (cause === null) return 0;
    const known = this.#causes.lastIndexOf(cause);
    return known >= 0 ? known + 1 : this.#causes.push(cause);
  }
}

const fits = ({ first, last, gap }: Stretch): boolean =>
  BigInt.asIntN(64, first) === first &&
  BigInt.asIntN(64, last) === last &&
  (gap === null || BigInt.asIntN(64, gap) === gap);

const copyOf = (row: Stretch | undefined): Stretch | undefined => row && { ...row };
