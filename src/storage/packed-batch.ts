import type { Decimal } from '../market/decimal.ts';
import type { Log } from '../runtime/log.ts';
import { type FillRange, fillRange, remainderOf } from './packed-trades.ts';
import { type Entry, recordTrades } from './record-trades.ts';
import type { WriterSlot } from './writer-slot.ts';

/** What was recorded, in sequence order; `held` is false when the slot was lost and nothing was. */
export interface PackedOutcome {
  readonly recorded: readonly Entry[];
  readonly held: boolean;
}

/**
 * Records a batch in which a record may stand for several fills. Its instruments' rows stay locked from the comparison to
 * the commit, so no other writer can store the same fills under other ids meanwhile; from the first such batch on the
 * instruments count as packed, which sends the plain way of every writer here.
 */
export async function recordPacked(
  slot: WriterSlot,
  position: bigint,
  entries: readonly Entry[],
  recordedAt: number,
  instruments: readonly number[],
  log: Log,
): Promise<PackedOutcome> {
  const { connection } = slot;
  await connection.query({ text: 'begin' });
  try {
    await connection.query({
      text: 'select id from tcp_dashboard.instrument where id = any($1::int[]) order by id for update',
      values: [instruments],
    });
    const holdPacked = entries.filter(({ trade }) => trade.fillCount > 1).map(({ instrumentId }) => instrumentId);
    await connection.query({
      text: 'update tcp_dashboard.instrument set packed = true where id = any($1::int[]) and not packed',
      values: [[...new Set(holdPacked)]],
    });
    const missing = await remainders(slot, entries, log);
    const outcome =
      missing.length === 0 ? { held: true, fresh: [] } : await recordTrades(slot, position, missing, recordedAt, []);
    await connection.query({ text: outcome.held ? 'commit' : 'rollback' });
    return { held: outcome.held, recorded: outcome.fresh.flatMap((at) => missing[at] ?? []) };
  } catch (error) {
    if (!connection.lost) await connection.query({ text: 'rollback' }).catch(() => {});
    throw error;
  }
}

async function remainders(slot: WriterSlot, entries: readonly Entry[], log: Log): Promise<readonly Entry[]> {
  const known = await touchedRecords(slot, entries);
  const missing: Entry[] = [];
  for (const entry of entries) {
    const { trade, instrumentId } = entry;
    const stored = known.get(instrumentId) ?? [];
    const rest = remainderOf(trade, stored);
    if (rest.kind === 'unknown')
      log.warn('A packed trade overlaps a stored one and was left out', {
        symbol: trade.symbol,
        tradeId: trade.tradeId,
      });
    if (rest.kind === 'none' || rest.kind === 'unknown') continue;
    const kept = rest.kind === 'rest' ? { ...entry, trade: rest.trade } : entry;
    missing.push(kept);
    const range = fillRange(kept.trade);
    if (range !== null) known.set(instrumentId, [...stored, range]);
  }
  return missing;
}

/** A packed record carries the time of its match, as its single fills do; the slack is for exchanges that round. */
const TIME_SLACK_MS = 5_000;

/** A stretch of time of one instrument, and the ids asked for in it. */
interface Window {
  readonly instrumentId: number;
  readonly from: number;
  readonly to: number;
  readonly first: bigint;
  readonly last: bigint;
}

/** Per instrument, the stored records that may share a fill with the batch. */
async function touchedRecords(
  { connection }: WriterSlot,
  entries: readonly Entry[],
): Promise<Map<number, FillRange[]>> {
  const windows = windowsOf(entries);
  const rows = await connection.query<{ instrument_id: number; trade_id: string; fill_count: number; size: string }>({
    name: 'touched-records',
    text: `
      select t.instrument_id, t.trade_id, t.fill_count, t.size::text as size
      from unnest($1::int[], $2::timestamptz[], $3::timestamptz[], $4::numeric[], $5::numeric[])
        as w (instrument_id, since, until, first, last)
      cross join lateral (
        select * from tcp_dashboard.trade t where t.instrument_id = w.instrument_id and t.ts between w.since and w.until offset 0
      ) t
      where case when t.trade_id ~ '^[0-9]{1,41}$'
        then t.trade_id::numeric >= w.first and t.trade_id::numeric - t.fill_count < w.last end`,
    values: [
      windows.map(({ instrumentId }) => instrumentId),
      windows.map(({ from }) => new Date(from - TIME_SLACK_MS).toISOString()),
      windows.map(({ to }) => new Date(to + TIME_SLACK_MS).toISOString()),
      windows.map(({ first }) => String(first)),
      windows.map(({ last }) => String(last)),
    ],
  });
  const known = new Map<number, FillRange[]>();
  for (const row of rows) {
    const range = fillRange({ tradeId: row.trade_id, fillCount: row.fill_count, size: row.size as Decimal });
    if (range !== null) known.set(row.instrument_id, [...(known.get(row.instrument_id) ?? []), range]);
  }
  return known;
}

/** Few and disjoint stretches, so that a live trade and one of an hour ago do not make the whole hour be read. */
function windowsOf(entries: readonly Entry[]): readonly Window[] {
  const points = entries.flatMap(({ instrumentId, trade: { exchangeTime: time, ...trade } }): Window[] => {
    const range = fillRange(trade);
    return range === null ? [] : [{ instrumentId, from: time, to: time, first: range.first, last: range.last }];
  });
  points.sort((a, b) => a.instrumentId - b.instrumentId || a.from - b.from);
  const windows: Window[] = [];
  for (const point of points) {
    const last = windows.at(-1);
    if (last?.instrumentId === point.instrumentId && point.from - last.to <= 2 * TIME_SLACK_MS)
      windows[windows.length - 1] = {
        ...last,
        to: point.to,
        first: point.first < last.first ? point.first : last.first,
        last: point.last > last.last ? point.last : last.last,
      };
    else windows.push(point);
  }
  return windows;
}
