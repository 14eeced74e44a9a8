import type { ExecutionArgs, ExecutionResult, GraphQLSchema } from 'graphql';

/** An event that other subscribers get as well: what is made of one origin is the same for all who ask the same. */
export interface CommonEvent {
  readonly origin: object;
}

type Answer = ExecutionResult | Promise<ExecutionResult>;

const isCommon = (event: unknown): event is CommonEvent =>
  typeof event === 'object' && event !== null && typeof (event as Partial<CommonEvent>).origin === 'object';

/** What is answered to all subscribers of one document with the same variables. Answers depend on nothing else: there are no roles. */
export class SharedAnswers {
  subscribers = 0;
  #origin: object | null = null;
  #answer: Answer | null = null;

  /** The answer to an event, made once for events of one origin that come in a row. */
  of(event: unknown, make: () => Answer): Answer {
    if (!isCommon(event)) return make();
    if (this.#answer !== null && this.#origin === event.origin) return this.#answer;
    this.#answer = make();
    this.#origin = event.origin;
    return this.#answer;
  }
}

const known = new WeakMap<GraphQLSchema, Map<string, SharedAnswers>>();

/** Those of an operation, as long as somebody subscribes to it. `leave` once. */
export function joinSharedAnswers({ schema, document, operationName, variableValues }: ExecutionArgs): {
  readonly answers: SharedAnswers;
  leave(): void;
} {
  const text = document.loc?.source.body;
  if (text === undefined) return { answers: new SharedAnswers(), leave() {} };
  const name = JSON.stringify([operationName ?? null, variableValues ?? null, text]);
  const all = known.get(schema) ?? new Map<string, SharedAnswers>();
  known.set(schema, all);
  const answers = all.get(name) ?? new SharedAnswers();
  all.set(name, answers);
  answers.subscribers += 1;
  return {
    answers,
    leave: () => {
      answers.subscribers -= 1;
      if (answers.subscribers === 0) all.delete(name);
    },
  };
}
