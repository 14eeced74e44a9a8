/**
 * How far somebody has read: the last sequence of each writer. A writer commits in sequence order, so whoever stands at n
 * has missed nothing up to n. A writer that is not named stands at 0.
 */
export type Position = ReadonlyMap<number, bigint>;
