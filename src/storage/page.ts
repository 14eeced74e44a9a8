/** What decides which part of an ordered range a page is. */
export interface PageOptions {
  readonly order: 'ASC' | 'DESC';
  readonly limit: number;
  /** The last rows of the range instead of the first, still in the asked order. */
  readonly fromEnd: boolean;
}

/** In which direction its rows are read: the end of a range is its start read backwards. */
export const directionOf = ({ order, fromEnd }: Pick<PageOptions, 'order' | 'fromEnd'>): 'ASC' | 'DESC' =>
  (order === 'ASC') === fromEnd ? 'DESC' : 'ASC';

/** Reads one row more than asked to tell whether there is more. */
export async function readPage<Row>(
  options: PageOptions,
  read: (direction: 'ASC' | 'DESC', limit: number) => Promise<readonly Row[]>,
): Promise<{ readonly rows: readonly Row[]; readonly hasMore: boolean }> {
  const { limit, fromEnd } = options;
  const found = await read(directionOf(options), limit + 1);
  const rows = found.slice(0, limit);
  return { rows: fromEnd ? rows.reverse() : rows, hasMore: found.length > limit };
}
