import { sql } from 'drizzle-orm';
import { AppError } from '../runtime/errors.ts';
import type { Handle } from './connections.ts';
import type { TableNames } from './database.ts';

type Relation = keyof TableNames;

/** Where the configuration names each relation, for messages. */
const SETTINGS = {
  rawTrades: 'tables.raw_trades',
  marketData: 'tables.market_data',
  collectorStatus: 'tables.collector_status',
} as const satisfies Record<Relation, string>;
const RELATIONS = Object.keys(SETTINGS) as readonly Relation[];

/** The public relations: exactly the columns users were promised, over the compact layout. */
const DEFINITIONS = {
  rawTrades: sql`
    select t.id, i.exchange, i.symbol, t.trade_id, t.price, t.size,
      case t.side when 'b' then 'buy' else 'sell' end as side,
      t.ts as "timestamp", t.raw as raw_data, t.recorded_at as created_at
    from tcp_dashboard.trade t join tcp_dashboard.instrument i on i.id = t.instrument_id`,
  marketData: sql`
    select p.id, i.exchange, i.symbol, p.data_type, p.ts as "timestamp", p.data, p.created_at
    from tcp_dashboard.market_point p join tcp_dashboard.instrument i on i.id = p.instrument_id`,
  collectorStatus: sql`
    select c.name as collector, c.exchange, c.symbol, c.status, c.should_be_running, c.health, c.statistics, c.updated_at
    from tcp_dashboard.collector c`,
} as const satisfies Record<Relation, unknown>;

/** Marks a view as ours, so that nobody else's is replaced. */
const MARK = 'Made by TCP Dashboard; remade at every start.';

/** @throws {AppError} CONFIG_INVALID naming the setting. */
export function checkNames(tables: TableNames): void {
  for (const relation of RELATIONS) {
    const name = tables[relation];
    if (!/^[a-z_][a-z0-9_]{0,62}$/.test(name) || name.startsWith('pg_'))
      throw invalid(
        relation,
        name,
        'should be at most 63 lower-case letters, digits and _, not starting with a digit or pg_',
      );
    if (RELATIONS.some((other) => other !== relation && tables[other] === name))
      throw invalid(relation, name, 'is the name of another relation too: the three should differ');
  }
}

/**
 * Makes or remakes the views in the connection's current schema. Repeating changes nothing; call it under `exclusively`.
 * @throws {AppError} CONFIG_INVALID for a reserved word, or a name something else already has.
 */
export async function makeViews(handle: Handle, tables: TableNames): Promise<void> {
  await handle.transaction(async (tx) => {
    for (const relation of RELATIONS) await makeView(tx, relation, tables[relation]);
  });
}

async function makeView(tx: Handle, relation: Relation, name: string): Promise<void> {
  const reserved = await tx.execute(
    sql`select 1 from pg_get_keywords() where word = ${name} and catcode in ('R', 'T')`,
    'objects',
  );
  if (reserved.length > 0) throw invalid(relation, name, 'is a reserved word of SQL: choose another');
  const found = await tx.execute<{ readonly ours: boolean }>(
    sql`
    select relkind = 'v' and coalesce(obj_description(oid, 'pg_class'), '') = ${MARK} as ours
    from pg_class where relname = ${name} and relnamespace = current_schema()::regnamespace`,
    'objects',
  );
  if (found.some(({ ours }) => !ours))
    throw invalid(
      relation,
      name,
      'is already something else in this database: choose another name, or another database',
    );
  const view = sql.identifier(name);
  if (found.length === 0) await tx.execute(sql`create view ${view} as ${DEFINITIONS[relation]}`);
  else await tx.execute(sql`create or replace view ${view} as ${DEFINITIONS[relation]}`);
  await tx.execute(sql`comment on view ${view} is ${sql.param(MARK)}`.inlineParams());
}

const invalid = (relation: Relation, name: string, rule: string) =>
  new AppError('CONFIG_INVALID', `${SETTINGS[relation]} "${name.slice(0, 80)}" ${rule}.`);
