import { jsonText } from './json-text.ts';
import { monthsOf, partitionName } from './partitions.ts';
import { PROVENANCE_LETTERS, rowId, SIDE_LETTERS } from './trade-columns.ts';
import type { TradeToRecord } from './trade-writer.ts';
import type { WriterSlot } from './writer-slot.ts';

/** A trade and the instrument it belongs to. */
export interface Entry extends TradeToRecord {
  readonly instrumentId: number;
}

/** What came of one statement. */
export interface Outcome {
  /** False: the slot's epoch or position is not ours any more; nothing was stored. */
  readonly held: boolean;
  /** False: an instrument of the batch holds packed trades, which need a closer look; nothing was stored. */
  readonly plain: boolean;
  /** Places in the batch (from 0) of the trades that were new, in sequence order: position + 1, + 2 and so on. */
  readonly fresh: readonly number[];
}

/** An exchange may stamp one trade twice with slightly different times; beyond this they would be two trades. */
const TIME_SLACK_MS = 86_400_000;

/**
 * One statement, so one round trip, one transaction and one commit that either happened or not:
 * locks the slot's row (held), and the instruments against becoming packed meanwhile (plain), drops what is stored
 * already, numbers the rest without a hole, stores it and moves the position. When another writer stored one of these
 * trades in the same instant the numbers would have a hole: the position becomes null, which its column refuses, and the
 * whole statement is repeated. Partitions are named and looked up one trade at a time (lateral, limit): left to itself the
 * planner reads a month of trades where its statistics are old or missing. Rows go in in an order all writers share, so that
 * two of them with the same trades wait for one another but never in a circle.
 */
const recordStatement = (partitions: readonly string[]): string => `
  with held as materialized (
    select 1 from tcp_dashboard.writer where id = $1 and epoch = $2 and position = $3 for no key update
  ), plain as materialized (
    select 1 from tcp_dashboard.instrument where id = any($4::int[]) and not packed order by id for share
  ), batch as materialized (
    select * from unnest($5::int[], $6::timestamptz[], $7::timestamptz[], $8::text[], $9::int[], $10::numeric[], $11::numeric[],
        $12::"char"[], $13::"char"[], $14::text[])
      with ordinality as b (instrument_id, ts, received_at, trade_id, fill_count, price, size, side, provenance, raw, n)
    where exists (select from held) and (select count(*) from plain) = cardinality($4::int[])
  ), fresh as materialized (
    select b.*, row_number() over (order by n) as place from batch b left join lateral (
      ${partitions.map(lookUp).join(' union all ')} limit 1) k on true
    where k.known is null
  ), stored as (
    insert into tcp_dashboard.trade
      (id, ts, received_at, recorded_at, instrument_id, fill_count, side, provenance, trade_id, price, size, raw)
    select $15::int8 + place, ts, received_at, $16::timestamptz, instrument_id, fill_count, side, provenance, trade_id, price, size,
      raw::jsonb
    from fresh order by instrument_id, trade_id
    on conflict do nothing returning 1
  ), moved as (
    update tcp_dashboard.writer set position = case
      when (select count(*) from stored) = (select count(*) from fresh) then position + (select count(*) from stored) end
    where id = $1 and exists (select from held)
  )
  select exists (select from held) as held, (select count(*) from plain) = cardinality($4::int[]) as plain,
    coalesce((select array_agg(n::int order by place) from fresh), '{}') as fresh`;

const lookUp = (partition: string): string =>
  `select true as known from tcp_dashboard.${partition} t where t.instrument_id = b.instrument_id and t.trade_id = b.trade_id`;

/** SQLSTATE of the null position, of two writers that met in an index, and of a partition dropped meanwhile. */
export const REPEATABLE = /^(23502|23505|23514|42P01)$/;

/** The months in which these trades, or the same with slightly other times, are stored; all must be there. */
export function monthsTouched(entries: readonly Entry[]): readonly number[] {
  const times = entries.map(({ trade }) => trade.exchangeTime);
  const first = times.reduce((a, b) => Math.min(a, b)) - TIME_SLACK_MS;
  const last = times.reduce((a, b) => Math.max(a, b)) + TIME_SLACK_MS;
  const ends = monthsOf([first, last]);
  return ends.length === 1 ? ends : monthsOf(times.flatMap((time) => [time - TIME_SLACK_MS, time + TIME_SLACK_MS]));
}

/** `check`: the instruments that must not be packed; empty when the caller holds their rows. */
export async function recordTrades(
  slot: WriterSlot,
  position: bigint,
  entries: readonly Entry[],
  recordedAt: number,
  check: readonly number[],
): Promise<Outcome> {
  const times = entries.map(({ trade }) => trade.exchangeTime);
  const partitions = monthsTouched(entries).map((start) => partitionName('trade', start));
  const [row] = await slot.connection.query<{ held: boolean; plain: boolean; fresh: number[] }>({
    // Names end at 63 characters; a batch over many months is rare and goes unprepared.
    ...(partitions.length <= 3 && { name: `record ${partitions.join(' ')}` }),
    text: recordStatement(partitions),
    values: [
      slot.id,
      String(slot.epoch),
      String(position),
      check,
      entries.map(({ instrumentId }) => instrumentId),
      times.map(iso),
      entries.map(({ trade }) => iso(trade.receivedAt)),
      entries.map(({ trade }) => trade.tradeId),
      entries.map(({ trade }) => trade.fillCount),
      entries.map(({ trade }) => trade.price),
      entries.map(({ trade }) => trade.size),
      entries.map(({ trade }) => SIDE_LETTERS[trade.side]),
      entries.map(({ provenance }) => PROVENANCE_LETTERS[provenance]),
      entries.map(({ trade, storeRaw }) => (storeRaw ? jsonText(trade.raw) : null)),
      String(rowId(slot.id, position)),
      iso(recordedAt),
    ],
  });
  if (row === undefined) throw new Error('The statement that records trades returns one row');
  return { held: row.held, plain: row.plain, fresh: row.fresh.map((n) => n - 1) };
}

const iso = (time: number): string => new Date(time).toISOString();
