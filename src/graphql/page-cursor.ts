import { createHash } from 'node:crypto';
import { DATA_TYPES } from '../market/data-type.ts';
import { isInstant } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import type { GapKey } from '../storage/coverage.ts';
import { isStorable } from '../storage/storable.ts';

/** Writes and reads the cursors of one list. */
export interface CursorCodec<Key> {
  encode(key: Key): string;
  /** @throws {AppError} CURSOR_INVALID for text that is no cursor, or one of another field or filter. */
  decode(cursor: string): Key;
}

/**
 * Cursors are bound to the field and filter they came from: used elsewhere, one would silently skip rows.
 * `read` returns null for what `write` never wrote.
 */
function boundCursors<Key>(
  field: string,
  filter: readonly (string | null)[],
  { write, read }: { write(key: Key): string; read(text: string): Key | null },
): CursorCodec<Key> {
  const binding = createHash('sha256')
    .update(JSON.stringify([field, ...filter]))
    .digest('base64url')
    .slice(0, 8);
  return {
    encode: (key) => Buffer.from(`${binding} ${write(key)}`).toString('base64url'),
    decode: (cursor) => {
      const [, boundTo, text] = /^([\w-]{8}) (.{1,300})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
      if (boundTo !== undefined && boundTo !== binding)
        throw new AppError('CURSOR_INVALID', `This cursor belongs to another field or filter than this \`${field}\``);
      const key = text === undefined || !isStorable(text) ? null : read(text);
      if (key === null) throw new AppError('CURSOR_INVALID', `This is not a cursor of \`${field}\``);
      return key;
    },
  };
}

/** Cursors of rows in time order: exchange time in ms, then id, which `readId` reads (null for what is none). */
export const timeCursors = <Id extends string | bigint>(
  field: string,
  filter: readonly (string | null)[],
  readId: (text: string) => Id | null,
) =>
  boundCursors<readonly [time: number, id: Id]>(field, filter, {
    write: ([time, id]) => `${time} ${id}`,
    read: (text) => {
      const [, time = '', idText = ''] = /^(-?\d{1,15}) (.+)$/.exec(text) ?? [];
      const id = idText === '' || !isInstant(Number(time)) ? null : readId(idText);
      return id === null ? null : [Number(time), id];
    },
  });

/** Cursors of gaps, the newest found first. */
export const gapCursors = (field: string, filter: readonly (string | null)[]) =>
  boundCursors<GapKey>(field, filter, {
    write: ({ foundAt, writer, exchange, symbol, dataType, first }) =>
      `${foundAt} ${writer} ${exchange} ${symbol} ${dataType} ${first}`,
    read: (text) => {
      const [, foundAt, writer, exchange, symbol, type, first] =
        /^(\d{1,15}) (\d{1,5}) (\S+) (\S+) (\w+) (-?\d{1,40})$/.exec(text) ?? [];
      const dataType = DATA_TYPES.find((one) => one === type);
      if (exchange === undefined || symbol === undefined || dataType === undefined || first === undefined) return null;
      if (!isInstant(Number(foundAt)) || Number(writer) > 32_767) return null;
      return { foundAt: Number(foundAt), writer: Number(writer), exchange, symbol, dataType, first: BigInt(first) };
    },
  });

/** Cursors of instruments in the order of their names. */
export const nameCursors = (field: string, filter: readonly (string | null)[]) =>
  boundCursors<{ readonly exchange: string; readonly symbol: string }>(field, filter, {
    write: ({ exchange, symbol }) => `${exchange} ${symbol}`,
    read: (text) => {
      const [, exchange, symbol] = /^(\S+) (\S+)$/.exec(text) ?? [];
      return exchange === undefined || symbol === undefined ? null : { exchange, symbol };
    },
  });
