import type { Side } from '../market/market-event.ts';
import type { Provenance } from '../market/recorded-trade.ts';

/** One letter in the database for each word of ours. */
export const SIDE_LETTERS = { buy: 'b', sell: 's' } as const satisfies Record<Side, string>;
export const PROVENANCE_LETTERS = { LIVE: 'l', BACKFILL: 'b', RECONCILED: 'r' } as const satisfies Record<
  Provenance,
  string
>;

export const sideOf = (letter: string): Side => (letter === SIDE_LETTERS.buy ? 'buy' : 'sell');

export function provenanceOf(letter: string): Provenance {
  for (const word of Object.keys(PROVENANCE_LETTERS) as Provenance[])
    if (PROVENANCE_LETTERS[word] === letter) return word;
  return 'LIVE';
}

/** A writer's sequences fit in the lower 48 bits of a trade's id, its slot in the upper ones. */
const SEQUENCE_BITS = 48n;

export const rowId = (writer: number, sequence: bigint): bigint => (BigInt(writer) << SEQUENCE_BITS) + sequence;
export const writerOf = (id: bigint): number => Number(id >> SEQUENCE_BITS);
export const sequenceOf = (id: bigint): bigint => id & ((1n << SEQUENCE_BITS) - 1n);
