import type { Decimal } from '../market/decimal.ts';
import type { BookLevel } from '../market/market-event.ts';
import { AppError } from '../runtime/errors.ts';
import type { Rejected } from './adapter.ts';
import { isObject } from './json.ts';

/** Why a record was rejected. Bounded, because it labels a counter. */
export type RejectReason =
  | 'missing-field'
  | 'wrong-type'
  | 'bad-decimal'
  | 'bad-integer'
  | 'bad-time'
  | 'bad-word'
  | 'wrong-instrument';

/** The fields of a record on the wire, in the exchange's own words; what they hold is not known yet. */
export type Wire<Field extends string> = { readonly [field in Field]?: unknown };

/** A field of an exchange's record that is not what its documentation promises. */
export class FieldError extends AppError {
  readonly reason: RejectReason;

  constructor(reason: RejectReason, field: string, promised: string, found: unknown) {
    super('FRAME_MALFORMED', `${field} should be ${promised}, was ${shown(found)}`);
    this.reason = reason;
  }
}

/**
 * The readers below take a value and the name of its field, not an object and a key: `decimalOf(trade.px, 'px')`
 * lets the engine read the property at a known place. All throw {FieldError}; nothing is guessed or converted.
 */
export function recordOf(found: unknown): object {
  if (isObject(found)) return found;
  throw unfit('wrong-type', 'the record', 'an object', found);
}

export function textOf(found: unknown, field: string): string {
  if (typeof found === 'string') return found;
  throw unfit('wrong-type', field, 'a string', found);
}

/** Digits with an optional fraction, at most 60 characters; no sign, no exponent. */
export function decimalOf(found: unknown, field: string): Decimal {
  if (typeof found === 'string' && isUnsignedDecimal(found)) return found as Decimal;
  throw unfit(typeof found === 'string' ? 'bad-decimal' : 'wrong-type', field, 'an unsigned decimal in quotes', found);
}

/** Null where the exchange did not say: field absent, null or an empty string. */
export const optionalDecimalOf = (found: unknown, field: string): Decimal | null =>
  found === undefined || found === null || found === '' ? null : decimalOf(found, field);

/** Null as above; may be negative, as a balance of a margin account is. */
export function signedDecimalOf(found: unknown, field: string): Decimal {
  if (typeof found === 'string' && isUnsignedDecimal(found.startsWith('-') ? found.slice(1) : found))
    return found as Decimal;
  throw unfit(typeof found === 'string' ? 'bad-decimal' : 'wrong-type', field, 'a decimal in quotes', found);
}

/** An id of up to 40 digits, printed as text or as a JSON number. */
export function idOf(found: unknown, field: string): string {
  if (typeof found === 'string' && found.length <= 40 && isDigits(found)) return found;
  if (typeof found === 'number' && Number.isSafeInteger(found) && found >= 0) return String(found);
  throw unfit('bad-integer', field, 'an id of digits', found);
}

/** A JSON number. */
export function integerOf(found: unknown, field: string): number {
  if (Number.isSafeInteger(found)) return found as number;
  throw unfit(
    typeof found === 'number' || typeof found === 'string' ? 'bad-integer' : 'wrong-type',
    field,
    'an integer',
    found,
  );
}

const [EARLIEST, LATEST] = [Date.UTC(2001, 8, 10), Date.UTC(2100, 0)];

/** Milliseconds since the Unix epoch, as a number or as text; outside 2001 to 2100 it is another unit or nonsense. */
export function timeOf(found: unknown, field: string): number {
  const ms = typeof found === 'number' ? found : typeof found === 'string' ? Number(found) : Number.NaN;
  if (isTime(ms)) return ms;
  throw unfit('bad-time', field, 'a time in ms', found);
}

export const isTime = (ms: number): boolean => ms >= EARLIEST && ms < LATEST && Number.isInteger(ms);

/** Price and size lead each level; what follows them differs from exchange to exchange and is not read. */
export function levelsOf(found: unknown, field: string): readonly BookLevel[] {
  if (!Array.isArray(found)) throw unfit('wrong-type', field, 'an array of levels', found);
  const [price, size] = [`a price of ${field}`, `a size of ${field}`];
  return found.map((level) => {
    if (!Array.isArray(level)) throw unfit('wrong-type', `a level of ${field}`, 'an array', level);
    return [decimalOf(level[0], price), decimalOf(level[1], size)];
  });
}

/** Runs `read` over the records; those it refuses are told apart and their neighbours kept. */
export function readEach<T>(
  records: readonly unknown[],
  read: (record: unknown, index: number) => T,
): { accepted: T[]; rejected: Rejected[] } {
  const accepted: T[] = [];
  const rejected: Rejected[] = [];
  for (let index = 0; index < records.length; index += 1) {
    try {
      accepted.push(read(records[index], index));
    } catch (error) {
      if (!(error instanceof FieldError)) throw error;
      rejected.push({ reason: error.reason, detail: `data[${index}]: ${error.message}` });
    }
  }
  return { accepted, rejected };
}

export const unfit = (reason: RejectReason, field: string, promised: string, found: unknown): FieldError =>
  new FieldError(found === undefined || found === null ? 'missing-field' : reason, field, promised, found);

function shown(found: unknown): string {
  if (found === undefined) return 'absent';
  if (typeof found === 'object') return Array.isArray(found) ? 'an array' : found === null ? 'null' : 'an object';
  return `${typeof found} "${String(found).slice(0, 60)}"`;
}

const DIGITS = /^\d+$/;
const UNSIGNED = /^\d+(?:\.\d+)?$/;

const isDigits = (text: string): boolean => DIGITS.test(text);
const isUnsignedDecimal = (text: string): boolean => text.length <= 60 && UNSIGNED.test(text);
