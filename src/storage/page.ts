/** What decides which part of an ordered range a page is. */
export interface PageOptions {
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** The last rows of the range instead of the first, still in the asked order. */
  readonly fromEnd: boolean;
}

/** Reads one row more than asked to tell whether there is more; the end of a range is its start read backwards. */
export async function readPage<Row>(
  { order, limit, fromEnd }: PageOptions,
  read: (direction: 'ASC' | 'DESC', limit: number) => Promise<readonly Row[]>,
): Promise<{ readonly rows: readonly Row[]; readonly hasMore: boolean }> {
  const direction = (order === 'ASC') === fromEnd ? 'DESC' : 'ASC';
  const found = await read(direction, limit + 1);
  const rows = found.slice(0, limit);
  return { rows: fromEnd ? rows.reverse() : rows, hasMore: found.length > limit };
}
