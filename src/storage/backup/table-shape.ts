import { AppError } from '../../runtime/errors.ts';
import type { Connection } from '../connections.ts';

/** A table as a backup names it: enough to read its rows in one order and to put them back, whatever the present code calls them. */
export interface TableShape {
  readonly name: string;
  readonly columns: readonly string[];
  /** Columns whose values order the rows, no two of which have the same. */
  readonly key: readonly KeyColumn[];
}

export interface KeyColumn {
  readonly column: string;
  /** Text is ordered by its bytes: other databases may know another alphabet. */
  readonly bytewise: boolean;
}

/** Rows of the migrations table are made by migrating. */
const NOT_OURS = ['__drizzle_migrations'];
/** Without a primary key; each follows an index, so that no page has to sort the table. */
const OWN_KEYS: Readonly<Record<string, readonly string[]>> = {
  trade: ['id', 'instrument_id', 'trade_id'],
  market_point: ['instrument_id', 'data_type', 'ts', 'id'],
};
/** Whose index has the alphabet of its database: lower-case words, which are in one order in all of them. */
const WORDS = ['data_type'];

/** The tables there are, partitions as part of their table. Those whose rows others need come first. */
export async function listTables(connection: Connection): Promise<readonly TableShape[]> {
  const columns = await connection.query<{ table: string; column: string; isText: boolean; keyPlace: number | null }>({
    text: `select c.relname as "table", a.attname as "column", a.atttypid = 'text'::regtype as "isText",
        array_position(i.indkey::int[], a.attnum::int) as "keyPlace"
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_index i on i.indrelid = c.oid and i.indisprimary
      where c.relnamespace = to_regnamespace('tcp_dashboard') and c.relkind in ('r', 'p') and not c.relispartition
        and c.relname <> all($1::text[])
      order by c.relname <> 'partition', c.relname, a.attnum`,
    values: [NOT_OURS],
  });
  return [...Map.groupBy(columns, ({ table }) => table)].map(([name, own]) => {
    const primary = own
      .filter(({ keyPlace }) => keyPlace !== null)
      .sort((a, b) => Number(a.keyPlace) - Number(b.keyPlace));
    const names = OWN_KEYS[name] ?? primary.map(({ column }) => column);
    if (names.length === 0) throw new Error(`${name} has no key to order its rows by`);
    const isText = new Set(own.filter((one) => one.isText).map(({ column }) => column));
    const key = names.map((column) => ({ column, bytewise: isText.has(column) && !WORDS.includes(column) }));
    return { name, columns: own.map(({ column }) => column), key };
  });
}

/** What may stand in a statement as it is: a manifest names tables and columns, and came from outside. */
export function checkShape({ name, columns, key }: TableShape): void {
  const strange = [name, ...columns, ...key.map(({ column }) => column)].find(
    (one) => !/^[a-z_][a-z0-9_]{0,62}$/.test(one),
  );
  if (strange !== undefined)
    throw new AppError('BACKUP_DAMAGED', `The backup names a table or column that cannot be one of ours (${name})`);
}
