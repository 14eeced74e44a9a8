const [ZERO, MINUS, LAST_ASCII] = [48, 45, 0x7f];
/** Integers up to here are divided as such. */
const MAX_INT = 2 ** 31 - 1;
const MAX_INTEGER_BYTES = 20;

/**
 * A text put together of many small pieces, without garbage: to join strings makes several objects a piece, which are alive until
 * the whole text is. Used again for the next text; the memory it has grown to stays.
 */
export class GrowingText {
  #bytes = Buffer.allocUnsafeSlow(65_536);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  clear(): this {
    this.#length = 0;
    return this;
  }

  add(text: string): this {
    this.#reserve(text.length * 3);
    const start = this.#length;
    for (let at = 0; at < text.length; at += 1) {
      const code = text.charCodeAt(at);
      if (code > LAST_ASCII) {
        this.#length = start + this.#bytes.write(text, start);
        return this;
      }
      this.#bytes[start + at] = code;
    }
    this.#length = start + text.length;
    return this;
  }

  /** Of a safe integer. */
  addInteger(value: number): this {
    if (value > MAX_INT || value < -MAX_INT) return this.add(String(value));
    this.#reserve(MAX_INTEGER_BYTES);
    const bytes = this.#bytes;
    let left = value;
    if (left < 0) {
      bytes[this.#length++] = MINUS;
      left = -left;
    }
    let end = this.#length + 1;
    for (let power = 10; power <= left; power *= 10) end += 1;
    this.#length = end;
    do {
      const rest = (left / 10) | 0;
      end -= 1;
      bytes[end] = ZERO + left - rest * 10;
      left = rest;
    } while (left > 0);
    return this;
  }

  toString(): string {
    return this.#bytes.toString('utf8', 0, this.#length);
  }

  #reserve(more: number): void {
    if (this.#length + more <= this.#bytes.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(this.#bytes.length * 2, this.#length + more));
    this.#bytes.copy(larger, 0, 0, this.#length);
    this.#bytes = larger;
  }
}
