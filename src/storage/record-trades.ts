import { partitionName } from './partitions.ts';
import { rollUp } from './roll-up.ts';
import type { TradeBatch } from './trade-batch.ts';
import { sequenceOf } from './trade-columns.ts';
import type { WriterSlot } from './writer-slot.ts';

/** What came of one statement. */
export interface Outcome {
  /** False: the slot's epoch or position is not ours any more; nothing was stored. */
  readonly held: boolean;
  /** Sequences whose trade was there already, from another writer: their numbers stay empty. */
  readonly leftOut: ReadonlySet<bigint>;
}

/** The trades of one commit, and what the writer's position is before and after it. */
export interface Step {
  readonly batch: TradeBatch;
  readonly from: bigint;
  readonly to: bigint;
}

/** `bold`: no trade of the batch is expected to be there. Only for trades of one month. */
export type Mode = 'bold' | 'careful';

/**
 * One statement, so one round trip, one transaction and one commit that either happened or not: locks the slot's row (held),
 * stores the trades under their numbers, takes them into their candles, moves the position and extends the newest stretches of
 * the ledger. Rows go in in an order all writers share, so that two of them with the same trades wait for one another but never
 * in a circle; candles come after all trades for the same reason.
 *
 * Where a trade of the batch is there already, another writer's or one of these, the bold statement fails as a whole (23505) and
 * changes nothing. It names the partitions, which saves the server to find them row by row; one that is gone fails it as well, and is made
 * again. The careful one leaves out what is there, also under a slightly different time in the month before or after.
 *
 * The bold one is planned once, which takes longer than storing a few trades: `generate_series`, of which the planner expects a thousand rows,
 * has it plan for many where it expects ten of an array it does not know.
 */
const recordStatement = (months: readonly number[], partitions: readonly string[], mode: Mode): string => {
  const [only] = mode === 'bold' ? months : [];
  const into = (relation: 'trade' | 'candle') => (only === undefined ? relation : partitionName(relation, only));
  return `
  with held as materialized (
    select 1 from tcp_dashboard.writer where id = $1 and epoch = $2 and position = $3 for no key update
  ), batch as materialized (
    select id, instrument_id, ts, received_at, recorded_at, trade_id, fill_count, price::numeric as price, size::numeric as size,
      side, provenance, raw, n
    from rows from (unnest($4::int8[]), unnest($5::int[]), unnest($6::timestamptz[]), unnest($7::timestamptz[]), unnest($8::timestamptz[]),
        unnest($9::text[]), unnest($10::int[]), unnest($11::text[]), unnest($12::text[]), unnest($13::"char"[]), unnest($14::"char"[]),
        unnest($15::text[]), unnest($16::int[]), generate_series(1, cardinality($4::int8[])))
      as b (id, instrument_id, ts, received_at, recorded_at, trade_id, fill_count, price, size, side, provenance, raw, n)
    where exists (select from held)
  ), stored as (
    insert into tcp_dashboard.${into('trade')}
      (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size, raw)
    select id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size, raw::jsonb
    from ${mode === 'bold' ? 'batch' : fresh(partitions)} order by instrument_id, trade_id
    ${mode === 'bold' ? '' : 'on conflict do nothing'} returning id
  ), done as materialized (select count(*) as trades from stored
  ), rolled as (${rollUp(mode === 'bold' ? ALL_STORED : SOME_STORED, into('candle'))}
  ), moved as (
    update tcp_dashboard.writer set position = $17 where id = $1 and exists (select from held)
  ), heads as (
    insert into tcp_dashboard.coverage as c
      (writer, instrument_id, data_type, first, last, status, evidence, from_time, to_time, actual, updated_at)
    select $1, h.instrument_id, 'trade', h.first, h.last, 'PROVEN', 'TRADE_ID_CONTIGUITY', h.from_time, h.to_time, h.actual, $18
    from unnest($19::int[], $20::numeric[], $21::numeric[], $22::timestamptz[], $23::timestamptz[], $24::int8[])
      as h (instrument_id, first, last, from_time, to_time, actual)
    where exists (select from held)
    on conflict (writer, instrument_id, data_type, first) do update
      set last = excluded.last, from_time = excluded.from_time, to_time = excluded.to_time, actual = excluded.actual,
        status = excluded.status, evidence = excluded.evidence, cause = null, gap = null, gap_found_at = null,
        updated_at = excluded.updated_at
  )
  select exists (select from held) as held, case when (select count(*) from stored) = cardinality($4::int8[]) then '{}' else
    (select coalesce(array_agg(id), '{}') from (select unnest($4::int8[]) as id except select id from stored) o) end as left_out`;
};

/** What goes into candles, by the name `rollUp` reads it. Asking for the count has all trades stored before the first candle. */
const ALL_STORED = 'numbered as not materialized (select * from batch where (select trades from done) > 0)';
const SOME_STORED = 'numbered as materialized (select b.* from batch b join stored s on s.id = b.id)';

/**
 * The trades of the batch that no partition has. Partitions are named and looked up one trade at a time (lateral, limit): left to itself the
 * planner reads a month of trades where its statistics are old or missing.
 */
const fresh = (partitions: readonly string[]): string =>
  partitions.length === 0
    ? 'batch'
    : `(select b.* from batch b left join lateral (${partitions.map(lookUp).join(' union all ')} limit 1) k on true
    where k.known is null) f`;

const lookUp = (partition: string): string =>
  `select true as known from tcp_dashboard.${partition} t where t.instrument_id = b.instrument_id and t.trade_id = b.trade_id`;

/** As it was made last: a text of kilobytes for every commit would only be compared with the one before, and collected. */
const made = new Map<string, Statement>();
const MOST_MADE = 8;

interface Statement {
  readonly name: string;
  readonly text: string;
}

function statementOf(months: readonly number[], mode: Mode): Statement | Pick<Statement, 'text'> {
  const partitions = months.map((start) => partitionName('trade', start));
  // Names end at 63 characters; a batch over many months is rare and goes unprepared.
  if (months.length > 3) return { text: recordStatement(months, partitions, mode) };
  const name = `record ${mode === 'bold' ? 'boldly ' : ''}${partitions.join(' ')}`;
  const known = made.get(name);
  if (known) return known;
  const statement = { name, text: recordStatement(months, partitions, mode) };
  if (made.size === MOST_MADE) made.clear();
  made.set(name, statement);
  return statement;
}

/** SQLSTATE of two writers that met in an index, and of a partition dropped meanwhile. */
export const REPEATABLE = /^(23505|23514|42P01)$/;

/** The newest stretch of a market, which a commit only makes longer. */
export interface HeadStretch {
  readonly instrumentId: number;
  readonly first: bigint;
  readonly last: bigint;
  readonly from: number;
  readonly to: number;
  readonly actual: number;
}

export async function recordTrades(
  slot: WriterSlot,
  { batch, from, to }: Step,
  heads: readonly HeadStretch[],
  now: number,
  mode: Mode,
): Promise<Outcome> {
  const { months } = batch;
  const [row] = await slot.connection.query<{ held: boolean; left_out: string[] }>({
    ...statementOf(months, mode),
    values: [
      slot.id,
      String(slot.epoch),
      String(from),
      ...batch.columns,
      String(to),
      iso(now),
      heads.map(({ instrumentId }) => instrumentId),
      heads.map(({ first }) => String(first)),
      heads.map(({ last }) => String(last)),
      heads.map((head) => iso(head.from)),
      heads.map((head) => iso(head.to)),
      heads.map(({ actual }) => actual),
    ],
  });
  if (row === undefined) throw new Error('The statement that records trades returns one row');
  return { held: row.held, leftOut: new Set(row.left_out.map((id) => sequenceOf(BigInt(id)))) };
}

const iso = (time: number): string => new Date(time).toISOString();
