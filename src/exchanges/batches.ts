/** Consecutive items in as few batches as possible, none above `maxBytes` unless a single item already is. */
export function batchesBelow<T>(
  maxBytes: number,
  items: readonly T[],
  textOf: (item: T) => string,
): readonly (readonly T[])[] {
  const batches: T[][] = [];
  let room = 0;
  for (const item of items) {
    const bytes = Buffer.byteLength(textOf(item)) + 1; // and a comma
    if (bytes > room) {
      batches.push([]);
      room = maxBytes;
    }
    batches.at(-1)?.push(item);
    room -= bytes;
  }
  return batches;
}
