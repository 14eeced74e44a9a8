/**
 * What a client says it can read, by its Accept header; without one it reads everything. Answers are JSON or a stream of events.
 * Weights are not looked at: a client gets the best it names.
 */
export const acceptsAnswers = (accept: string | null | undefined): boolean =>
  !accept || /\*\/\*|application\/(\*|json|graphql-response\+json)/i.test(accept) || acceptsEvents(accept);

/** Subscriptions are answered by events only. */
export const acceptsEvents = (accept: string | null | undefined): boolean =>
  !accept || /\*\/\*|text\/(\*|event-stream)/i.test(accept);
