/** What was refused for one reason. */
export interface Rejection {
  readonly reason: string;
  readonly count: number;
  /** The newest case, cut short. */
  readonly sample: string;
}

const REASONS = 32;
const SAMPLE_CHARACTERS = 300;

/** Counts what could not be used, by reason, with one short sample each; a reason past the limit counts as "other". */
export class Rejections {
  readonly #byReason = new Map<string, { count: number; sample: string }>();

  add(reason: string, detail: string): void {
    const known = this.#byReason.has(reason) || this.#byReason.size < REASONS;
    const name = known ? reason : 'other';
    const entry = this.#byReason.get(name) ?? { count: 0, sample: '' };
    entry.count += 1;
    entry.sample = detail.slice(0, SAMPLE_CHARACTERS);
    this.#byReason.set(name, entry);
  }

  list(): readonly Rejection[] {
    return [...this.#byReason].map(([reason, { count, sample }]) => ({ reason, count, sample }));
  }
}
