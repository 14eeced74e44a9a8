interface Operation {
  readonly kind: string;
  readonly outcome: Promise<unknown>;
}

/** One operation at a time; the same operation asked for twice is done once. */
export class Operations {
  #running: Operation | null = null;

  run<T>(kind: string, work: () => Promise<T>): Promise<T> {
    const running = this.#running;
    if (running?.kind === kind) return running.outcome as Promise<T>;
    const outcome = running ? running.outcome.then(work, work) : work();
    const operation = { kind, outcome };
    this.#running = operation;
    const done = () => {
      if (this.#running === operation) this.#running = null;
    };
    outcome.then(done, done);
    return outcome;
  }
}
