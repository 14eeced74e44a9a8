import { MARK } from './payloads.ts';

/** What a Postgres with log_statement=all says it was told; each statement once, as there are tens of thousands. */
export class StatementLog {
  /** Begins every entry; its further lines begin with a tab. */
  static readonly PREFIX = '@@';
  readonly #statements = new Set<string>();
  readonly #errors = new Set<string>();
  readonly #values = new Set<string>();
  #rest = '';

  hear(text: string): void {
    const entries = (this.#rest + text).split(`\n${StatementLog.PREFIX}`);
    this.#rest = entries.pop() ?? '';
    for (const entry of entries) this.#take(entry);
  }

  #take(entry: string): void {
    // Parameters have lines of their own.
    if (/^(?:@@)?DETAIL: {2}[Pp]arameters: /.test(entry))
      for (const [value] of entry.matchAll(new RegExp(`${MARK}\\d+`, 'g'))) this.#values.add(value);
    else if (/^(?:@@)?(?:ERROR|FATAL|PANIC|WARNING):/.test(entry)) this.#errors.add(entry);
    else this.#statements.add(entry);
  }

  /** Everything that is not the values of a statement. */
  get statements(): readonly string[] {
    return [...this.#statements];
  }

  get errors(): readonly string[] {
    return [...this.#errors];
  }

  /** Marks of payloads that came as values. */
  get values(): readonly string[] {
    return [...this.#values];
  }
}
