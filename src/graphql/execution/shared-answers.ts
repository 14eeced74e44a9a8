import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';

/** An event that other subscribers get as well: what is made of one origin is the same for all who ask the same. */
export interface CommonEvent {
  readonly origin: object;
}

type Answer = ExecutionResult | Promise<ExecutionResult>;

const isCommon = (event: unknown): event is CommonEvent =>
  typeof event === 'object' && event !== null && typeof (event as Partial<CommonEvent>).origin === 'object';

/** What is answered to all subscribers of one document with the same variables. */
export class SharedAnswers {
  readonly #answer: (event: unknown) => Answer;
  readonly #forget: () => void;
  #subscribers = 0;
  #origin: object | null = null;
  #newest: Answer | null = null;

  constructor(answer: (event: unknown) => Answer, forget: () => void) {
    this.#answer = answer;
    this.#forget = forget;
  }

  /** The answer to an event, made once for events of one origin that come in a row. */
  of(event: unknown): Answer {
    if (!isCommon(event)) return this.#answer(event);
    const { origin } = event;
    if (this.#newest !== null && this.#origin === origin) return this.#newest;
    this.#newest = this.#answer(event);
    this.#origin = origin;
    return this.#newest;
  }

  join(): this {
    this.#subscribers += 1;
    return this;
  }

  /** Once for each `join`. */
  leave(): void {
    this.#subscribers -= 1;
    if (this.#subscribers === 0) this.#forget();
  }
}

const known = new WeakMap<GraphQLSchema, Map<string, SharedAnswers>>();

/** Those of an operation, as long as somebody subscribes to it; `answer` is of the first who does. */
export function joinSharedAnswers(args: ExecutionArgs, answer: (event: unknown) => Answer): SharedAnswers {
  const name = nameOf(args);
  if (name === null) return new SharedAnswers(answer, () => {}).join();
  const all = known.get(args.schema) ?? new Map<string, SharedAnswers>();
  known.set(args.schema, all);
  const answers = all.get(name) ?? new SharedAnswers(answer, () => all.delete(name));
  all.set(name, answers);
  return answers.join();
}

/** All that an answer depends on besides the event. Nothing of the context does; a role would have to be named here. */
function nameOf({ document, operationName, variableValues }: ExecutionArgs): string | null {
  const text = document.loc?.source.body;
  return text === undefined ? null : JSON.stringify([operationName ?? null, variableValues ?? null, text]);
}
