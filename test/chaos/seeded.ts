import { hash32, seedOf } from '../../src/simulator/hash.ts';

/** Numbers from 0 to 1 that only look like chance: the same text gives the same ones. */
export function seeded(text: string): () => number {
  const seed = seedOf(text);
  let drawn = 0;
  return () => {
    drawn += 1;
    return hash32(seed, 0, drawn) / 2 ** 32;
  };
}
