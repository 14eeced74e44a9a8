/** How often each rule was broken. The rules are ours, so there are few. */
export class Refusals {
  readonly #counts = new Map<string, number>();

  count(rule: string): void {
    this.#counts.set(rule, (this.#counts.get(rule) ?? 0) + 1);
  }

  get counts(): ReadonlyMap<string, number> {
    return this.#counts;
  }
}
