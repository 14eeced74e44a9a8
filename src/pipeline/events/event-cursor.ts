import { hash } from 'node:crypto';
import { AppError } from '../../runtime/errors.ts';

const CURSOR = /^2~([\w-]{11})~([\w-]{11})~(0|[1-9]\d{0,14})$/;
const MAX_LENGTH = 200;

const fingerprint = (text: string): string => hash('sha256', text, 'base64url').slice(0, 11);

/** Cursors of a stream of logged events: the number of the last one, and which log and which filter it is of, as opaque text. */
export class EventCursorCodec {
  readonly #log: string;
  readonly #scope: string;

  constructor(logId: string, scope: string) {
    this.#log = fingerprint(logId);
    this.#scope = fingerprint(scope);
  }

  encode(number: number): string {
    return Buffer.from(`2~${this.#scope}~${this.#log}~${number}`, 'latin1').toString('base64url');
  }

  /** @throws {AppError} CURSOR_INVALID for text that is no such cursor, CURSOR_EXPIRED for one of a log that is gone. */
  decode(text: string): number {
    const plain = text.length <= MAX_LENGTH ? Buffer.from(text, 'base64url').toString('latin1') : '';
    const [, scope, log, number] = CURSOR.exec(plain) ?? [];
    if (scope === undefined || number === undefined)
      throw new AppError('CURSOR_INVALID', 'The cursor is not one this server gave; use it exactly as it was given');
    if (scope !== this.#scope)
      throw new AppError(
        'CURSOR_INVALID',
        'The cursor belongs to another field or filter; resume with the arguments it was given for',
      );
    if (log !== this.#log)
      throw new AppError(
        'CURSOR_EXPIRED',
        'The cursor is of events another server kept, or that are lost; query `collectors` for their state and subscribe without `after`',
      );
    return Number(number);
  }
}
