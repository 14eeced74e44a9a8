import { fillPlaceholders, type Placeholder, type SQL, sql } from 'drizzle-orm';
import { PgDialect } from 'drizzle-orm/pg-core';
import type { QueryConfig } from 'pg';

/** A statement that is put together once, and planned once by every connection. */
export interface Prepared {
  /** `values`: of its places, by name. */
  with(values: Readonly<Record<string, unknown>>): QueryConfig;
}

/** `name`: one statement's alone. `statement`: with places where values go. */
export function prepared(name: string, statement: SQL): Prepared {
  const { sql: text, params } = new PgDialect().sqlToQuery(statement);
  return { with: (values) => ({ name, text, values: fillPlaceholders(params, values) }) };
}

/** A place for each value of a statement. */
export function placesFor<Name extends string>(...names: readonly Name[]): Readonly<Record<Name, Placeholder>> {
  const places: Partial<Record<Name, Placeholder>> = {};
  for (const name of names) places[name] = sql.placeholder(name);
  return places as Record<Name, Placeholder>;
}
