import type { Decimal } from '../market/decimal.ts';

const [ZERO, NINE, POINT, QUOTE] = [48, 57, 46, 34];
/** The same as `fields.ts` allows. */
const [MAX_ID_DIGITS, MAX_DECIMAL_LENGTH] = [40, 60];
/** Integers of so many digits are below 2^53. */
const MAX_SAFE_DIGITS = 15;

/**
 * Reads a text of one known shape from its start to its end, several times faster than `JSON.parse`. What is not of that shape fails
 * it, and from then on every reading is worth nothing: only `ends` tells whether all were good. So a reader asks for one thing after
 * the other, and gives up once, at the end. One instance is enough, because nobody waits between `begin` and `ends`.
 */
export class Scan {
  #text = '';
  #at = 0;
  #failed = false;
  #value = 0;

  /** Of the digits that were read last, before any point; exact below 2^53, as a number above it has no other use than to be too large. */
  get value(): number {
    return this.#value;
  }

  begin(text: string, at: number): void {
    this.#text = text;
    this.#at = at;
    this.#failed = false;
  }

  /** Passes over a literal if it is there. */
  has(literal: string): boolean {
    if (!this.#text.startsWith(literal, this.#at)) return false;
    this.#at += literal.length;
    return true;
  }

  /** Passes over a literal that has to be there. */
  literal(literal: string): void {
    if (!this.has(literal)) this.#failed = true;
  }

  /** Digits up to a quote, as many as an id may have. */
  id(): string {
    const start = this.#at;
    const end = this.#afterDigits(start);
    if (end === start || end - start > MAX_ID_DIGITS || this.#text.charCodeAt(end) !== QUOTE) this.#failed = true;
    this.#at = end;
    return this.#text.slice(start, end);
  }

  /** Digits with an optional fraction up to a quote. */
  decimal(): Decimal {
    const start = this.#at;
    let end = this.#afterDigits(start);
    if (end === start) this.#failed = true;
    if (this.#text.charCodeAt(end) === POINT) {
      const fraction = end + 1;
      end = this.#afterDigits(fraction);
      if (end === fraction) this.#failed = true;
    }
    if (end - start > MAX_DECIMAL_LENGTH || this.#text.charCodeAt(end) !== QUOTE) this.#failed = true;
    this.#at = end;
    return this.#text.slice(start, end) as Decimal;
  }

  /** A number of JSON that is an integer from 0 to 10^15 - 1; nothing else, such as a fraction, follows its digits. */
  integer(): number {
    const start = this.#at;
    this.#at = this.#afterDigits(start);
    const length = this.#at - start;
    if (length === 0 || length > MAX_SAFE_DIGITS) this.#failed = true;
    if (length > 1 && this.#text.charCodeAt(start) === ZERO) this.#failed = true;
    return this.#value;
  }

  /** True when the literal is the rest of the text and all before it was as asked for. */
  ends(literal: string): boolean {
    this.literal(literal);
    return !this.#failed && this.#at === this.#text.length;
  }

  #afterDigits(start: number): number {
    let end = start;
    let value = 0;
    for (let code = this.#text.charCodeAt(end); code >= ZERO && code <= NINE; code = this.#text.charCodeAt(end)) {
      value = value * 10 + (code - ZERO);
      end += 1;
    }
    this.#value = value;
    return end;
  }
}
