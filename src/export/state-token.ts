import { CursorCodec } from '../pipeline/feed/cursor.ts';
import { AppError } from '../runtime/errors.ts';
import type { Position } from '../storage/trades.ts';

/** Names one state of the database: whoever gives it gets the very rows a manifest spoke of. */
export interface StateToken {
  /** When it was, ms. */
  readonly takenAt: number;
  readonly position: Position;
  /** What retention had taken of the range by then. */
  readonly dropped: string;
}

export const stateToken = ({ takenAt, position, dropped }: StateToken): string =>
  `${takenAt}.${dropped}.${codec(takenAt, dropped).encode(position)}`;

/** @throws {AppError} BAD_USER_INPUT for text that no manifest held. */
export function readStateToken(text: string): StateToken {
  const [, time, dropped = '', cursor = ''] = /^(\d{1,15})\.([\w-]{11})\.([\w-]+)$/.exec(text) ?? [];
  const takenAt = Number(time);
  try {
    if (time !== undefined) return { takenAt, dropped, position: codec(takenAt, dropped).decode(cursor) };
  } catch {
    // a cursor of another state, or none at all
  }
  throw new AppError(
    'BAD_USER_INPUT',
    '`state` should be exactly what a manifest gave; leave it out for what is there now',
  );
}

const codec = (takenAt: number, dropped: string) => new CursorCodec(JSON.stringify(['export', takenAt, dropped]));
