/** The simulator's only source of chance: well-mixed bits that are a pure function of where they are asked for. */

/** 32 unsigned bits for the `n`-th place (an integer of 0 .. 2^53) of one purpose (`salt`) under one `seed`. */
export function hash32(seed: number, salt: number, n: number): number {
  const low = scramble(seed ^ Math.imul(salt, 0x9e3779b1) ^ (n | 0));
  return scramble(low ^ Math.imul(Math.floor(n / 0x1_0000_0000) + 0x7f4a7c15, 0x85ebca6b)) >>> 0;
}

/** A 32-bit seed from text, so that every (seed, exchange, instrument) has its own. */
export function seedOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  return scramble(hash);
}

/** The finaliser of MurmurHash3: every input bit reaches every output bit. */
function scramble(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
