/** Backpressure as a switch: whoever is full closes it, whoever produces waits until every closer has opened it again. */
export class Gate {
  readonly #closers = new Set<string>();
  readonly #listeners = new Set<(open: boolean) => void>();

  get open(): boolean {
    return this.#closers.size === 0;
  }

  /** The names of those that hold it closed. */
  get closedBy(): readonly string[] {
    return [...this.#closers];
  }

  /** Repeating changes nothing. */
  set(closer: string, open: boolean): void {
    const before = this.open;
    if (open) this.#closers.delete(closer);
    else this.#closers.add(closer);
    if (before !== this.open) for (const listener of this.#listeners) listener(this.open);
  }

  onChange(listener: (open: boolean) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }
}
