/** What may be wrong, a word each. DECLARED is not wrong: it is missing, and the ledger says so. */
export const FINDINGS = {
  MISSING: 'was made by the exchange, is not stored, and no stretch of the ledger admits it',
  DECLARED: 'is not stored, and lies in a GAP or UNFILLABLE stretch',
  DUPLICATE: 'is stored more than once',
  SPURIOUS: 'is stored and was never made by the exchange',
  CORRUPT: 'is stored otherwise than it was made',
  FALSE_PROVEN: 'lies in a PROVEN or BACKFILLED stretch and is not stored',
  OVERDECLARED: 'lies in a GAP or UNFILLABLE stretch and is stored',
  UNCOVERED: 'is stored, and no stretch of the ledger covers it',
  OVERLAP: 'lies in two stretches of one writer',
  WRONG_COUNT: 'is a stretch that counts otherwise than its rows',
  API_MISSING: 'is stored, and GraphQL does not give it',
  API_EXTRA: 'is given by GraphQL, and not stored',
  API_REPEATED: 'is given by GraphQL more than once',
  API_DIFFERENT: 'is given by GraphQL otherwise than it is stored',
  PUBLISHED_THEN_LOST: 'reached a subscriber, and is not stored',
  PUBLISHED_DIFFERENT: 'reached a subscriber otherwise than it is stored',
  REPEATED: 'reached one subscriber more than once',
  OUT_OF_ORDER: 'reached a subscriber after a later one of the same writer',
  NOT_DELIVERED: 'was stored after a subscriber began, matches, and was passed over',
  CANDLE_DIFFERENT: 'was told of a candle otherwise than the query gives it',
  CANDLE_NOT_CLOSED_ONCE: 'was not told to be closed, or more than once',
  CANDLE_FALSE_FINAL: 'was told to be final, and trades are or may be missing',
  CANDLE_PREVIOUS_DIFFERENT: 'was revised, from values that had not been told',
  NOT_CAUGHT_UP: 'is a subscriber that does not reach the end of what is stored',
} as const;

export type Finding = keyof typeof FINDINGS;

export interface Example {
  readonly finding: Finding;
  /** Where: an instrument, a subscriber. */
  readonly where: string;
  readonly what: string;
}

/** Enough to see a pattern; the counts are complete. */
const EXAMPLES_EACH = 10;

/** What was found, counted; and the first of each as examples. */
export class Findings {
  readonly #counts = new Map<Finding, number>();
  readonly #examples: Example[] = [];

  add(finding: Finding, where: string, what: string, count = 1): void {
    if (count === 0) return;
    const before = this.#counts.get(finding) ?? 0;
    this.#counts.set(finding, before + count);
    if (this.#examples.filter((example) => example.finding === finding).length < EXAMPLES_EACH)
      this.#examples.push({ finding, where, what });
  }

  /** Only what was found at all. */
  get counts(): Readonly<Partial<Record<Finding, number>>> {
    return Object.fromEntries(this.#counts);
  }

  get examples(): readonly Example[] {
    return this.#examples;
  }

  count(finding: Finding): number {
    return this.#counts.get(finding) ?? 0;
  }

  /** Nothing but what the ledger declares. */
  get clean(): boolean {
    return [...this.#counts.keys()].every((finding) => finding === 'DECLARED');
  }
}
