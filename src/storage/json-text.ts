/** What JSON can say and jsonb cannot: the zero character and halves of a character pair. */
const UNSTORABLE = /(?<=(?:^|[^\\])(?:\\\\)*)\\u(?:0000|d[89a-f][0-9a-f]{2})/g;

/** JSON text that jsonb takes: characters it cannot hold become U+FFFD, which marks what was not readable. */
export function jsonText(value: unknown): string {
  const text = JSON.stringify(value ?? null);
  return text.includes('\\u') ? text.replace(UNSTORABLE, '\\ufffd') : text;
}
