/** A template literal of a source. */
export interface Template {
  /** What it is handed to: `sql` of sql`…`; empty for a plain one. */
  readonly tag: string;
  /** Up to the first expression. */
  readonly text: string;
  readonly expressions: readonly string[];
}

/** Of TypeScript without comments, the outer ones before those within their expressions. */
export function templatesOf(source: string): readonly Template[] {
  const found: Template[] = [];
  let at = 0;
  for (let start = source.indexOf('`'); start >= 0; start = source.indexOf('`', at)) {
    const { end, template } = templateAt(source, start);
    found.push(template, ...template.expressions.flatMap(templatesOf));
    at = end;
  }
  return found;
}

function templateAt(source: string, start: number) {
  const tag = /(\w+)(?:<[^`;]*>)?$/.exec(source.slice(Math.max(0, start - 300), start))?.[1];
  const expressions: string[] = [];
  let text: string | null = null;
  let at = start + 1;
  while (at < source.length && source[at] !== '`') {
    if (source[at] === '\\') at += 2;
    else if (source.startsWith('${', at)) {
      text ??= source.slice(start + 1, at);
      const end = closing(source, at + 2);
      expressions.push(
        source
          .slice(at + 2, end)
          .replace(/\s+/g, ' ')
          .trim(),
      );
      at = end + 1;
    } else at += 1;
  }
  return {
    end: at + 1,
    template: { tag: tag ?? '', text: text ?? source.slice(start + 1, at), expressions },
  };
}

/** Of the brace that ends an expression. */
function closing(source: string, from: number): number {
  let depth = 0;
  let at = from;
  while (at < source.length && (depth > 0 || source[at] !== '}')) {
    if (source[at] === '`') at = templateAt(source, at).end - 1;
    if (source[at] === '{') depth += 1;
    if (source[at] === '}') depth -= 1;
    at += 1;
  }
  return at;
}
