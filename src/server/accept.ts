/**
 * What a client says it can read, by its Accept header; without one it reads everything. Answers are JSON or a stream of events.
 * Weights are not looked at: a client gets the best it names.
 */
export const acceptsAnswers = (accept: string | null | undefined): boolean =>
  !accept || /\*\/\*|application\/(\*|json|graphql-response\+json)/i.test(accept) || acceptsEvents(accept);

/** Subscriptions are answered by events only. */
export const acceptsEvents = (accept: string | null | undefined): boolean =>
  !accept || /\*\/\*|text\/(\*|event-stream)/i.test(accept);

const ONE_ANSWER: Readonly<Record<string, string>> = {
  'application/graphql-response+json': 'application/graphql-response+json',
  'application/json': 'application/json',
  'application/*': 'application/json',
  '*/*': 'application/json',
};

/** The media type of one answer, the first that is named as Yoga chooses; null for a header that Yoga has to look at itself. */
export function answerType(accept: string | undefined): string | null {
  if (!accept) return 'application/json';
  const ranges = accept.replace(/\s/g, '').toLowerCase();
  if (ranges.includes('charset')) return null;
  for (const range of ranges.split(',')) {
    const name = range.split(';', 1)[0] ?? '';
    const type = Object.hasOwn(ONE_ANSWER, name) ? ONE_ANSWER[name] : undefined;
    if (type !== undefined) return type;
    if (name.includes('*')) return null;
  }
  return null;
}
