import { Lexer, Source, TokenKind } from 'graphql';

const OPENING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_L, TokenKind.PAREN_L, TokenKind.BRACKET_L]);
const CLOSING: ReadonlySet<TokenKind> = new Set([TokenKind.BRACE_R, TokenKind.PAREN_R, TokenKind.BRACKET_R]);

/**
 * Whether the first `most` tokens of a text show a mutation: the one of this name, or any where none is named. For what has more tokens
 * than are parsed; a mutation that begins behind them is not seen.
 */
export function beginsMutation(text: string, operationName: string | null, most: number): boolean {
  const lexer = new Lexer(new Source(text));
  try {
    let depth = 0;
    let isBetween = true;
    for (let k = 0; k < most; k += 1) {
      const { kind, value } = lexer.advance();
      if (isBetween && value === 'mutation' && kind === TokenKind.NAME) {
        const name = lexer.lookahead();
        if (operationName === null || (name.kind === TokenKind.NAME && name.value === operationName)) return true;
      }
      if (OPENING.has(kind)) depth += 1;
      if (CLOSING.has(kind)) depth -= 1;
      isBetween = depth === 0 && kind === TokenKind.BRACE_R;
    }
  } catch {
    // no document, from here on
  }
  return false;
}
