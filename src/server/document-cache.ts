import type { DocumentNode } from 'graphql';

/** Characters of all documents that are kept. Documents weigh some twenty times their text. */
const MOST_CHARACTERS = 1_000_000;
/** What is longer is no document of a program that asks again and again. */
const LONGEST = 20_000;

/** Parsed documents by their text, those asked for last; whatever clients send, it stays small. */
export class DocumentCache {
  readonly #documents = new Map<string, DocumentNode>();
  #characters = 0;

  get(text: string): DocumentNode | undefined {
    const document = this.#documents.get(text);
    if (document) {
      this.#documents.delete(text);
      this.#documents.set(text, document);
    }
    return document;
  }

  set(text: string, document: DocumentNode): void {
    if (text.length > LONGEST || this.#documents.has(text)) return;
    this.#documents.set(text, document);
    this.#characters += text.length;
    for (const oldest of this.#documents.keys()) {
      if (this.#characters <= MOST_CHARACTERS) break;
      this.#documents.delete(oldest);
      this.#characters -= oldest.length;
    }
  }
}
