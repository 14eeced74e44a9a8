import { hash } from 'node:crypto';
import { AppError } from '../../runtime/errors.ts';
import type { Position } from '../../storage/trades.ts';
import type { TradeFilter } from './trade-filter.ts';
import type { TradeBatch } from './trade-request.ts';

/** Far above what the writers of one database need; longer text is refused unread. */
const MAX_LENGTH = 2_048;

/** Version, scope, then writer.sequence of each writer. */
const CURSOR = /^1~([\w-]{11})((?:~\d{1,10}\.\d{1,19})*)$/;

const MAX_WRITER = 2 ** 31 - 1;
const MAX_SEQUENCE = 2n ** 63n - 1n;

/**
 * Cursors of one kind of stream: a position, and a fingerprint of what was asked for, as opaque text. The scope names the
 * field and its filter in one spelling; a cursor of another scope would silently skip trades, so it is refused.
 */
export class CursorCodec {
  readonly #scope: string;

  constructor(scope: string) {
    this.#scope = hash('sha256', scope, 'base64url').slice(0, 11);
  }

  encode(position: Position): string {
    let text = `1~${this.#scope}`;
    for (const [writer, sequence] of position) if (sequence > 0n) text += `~${writer}.${sequence}`;
    return Buffer.from(text, 'latin1').toString('base64url');
  }

  /** @throws {AppError} CURSOR_INVALID for text that is no cursor, and for a cursor of another field or filter. */
  decode(text: string): Position {
    const [, scope, places] = (text.length <= MAX_LENGTH ? CURSOR.exec(plain(text)) : null) ?? [];
    if (scope === undefined || places === undefined)
      throw new AppError('CURSOR_INVALID', 'The cursor is not one this server gave; use it exactly as it was given');
    if (scope !== this.#scope)
      throw new AppError(
        'CURSOR_INVALID',
        'The cursor belongs to another field or filter; resume with the arguments it was given for',
      );
    const position = readPlaces(places);
    // one text for one position: a writer named twice, leading zeros or stray bits were not written here
    if (position === null || this.encode(position) !== text)
      throw new AppError('CURSOR_INVALID', 'The cursor was changed; use it exactly as it was given');
    return position;
  }
}

function readPlaces(places: string): Position | null {
  const position = new Map<number, bigint>();
  for (const place of places.split('~').slice(1)) {
    const [writer = '', sequence = ''] = place.split('.');
    if (Number(writer) > MAX_WRITER || BigInt(sequence) > MAX_SEQUENCE) return null;
    position.set(Number(writer), BigInt(sequence));
  }
  return position;
}

const plain = (text: string): string => Buffer.from(text, 'base64url').toString('latin1');

/** The position just after each trade of a batch, in order: what the cursor of each edge holds. */
export function edgePositions(batch: Pick<TradeBatch, 'trades' | 'before'>): readonly Position[] {
  const position = new Map(batch.before);
  return batch.trades.map(({ writer, sequence }) => new Map(position.set(writer, sequence)));
}

export type TradeCursors = (filter: TradeFilter) => CursorCodec;

/** Filters that mean the same give the same cursors. */
export const tradeCursors: TradeCursors = ({ exchange, symbols, side, minSize }) =>
  new CursorCodec(
    JSON.stringify([
      'trades',
      exchange || null,
      symbols ? [...new Set(symbols)].sort() : null,
      side || null,
      minSize ? shortest(minSize) : null,
    ]),
  );

const shortest = (digits: string): string =>
  (digits.includes('.') ? digits.replace(/\.?0+$/, '') : digits).replace(/^0+(?=\d)/, '');
