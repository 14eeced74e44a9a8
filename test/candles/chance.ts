import { seeded } from '../chaos/seeded.ts';

/** What chance decides; the same text decides the same. */
export interface Chance {
  /** A whole number from 0 to below this. */
  below(limit: number): number;
  /** From one whole number to another, both included. */
  between(from: number, to: number): number;
  pick<T>(values: readonly T[]): T;
  /** True so often, 0 to 1. */
  hits(share: number): boolean;
}

export function chanceOf(text: string): Chance {
  const random = seeded(text);
  const below = (limit: number) => Math.floor(random() * limit);
  return {
    below,
    between: (from, to) => from + below(to - from + 1),
    pick: <T>(values: readonly T[]) => values[below(values.length)] as T,
    hits: (share) => random() < share,
  };
}
