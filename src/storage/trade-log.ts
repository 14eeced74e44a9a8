import type { Decimal } from '../market/decimal.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import type { Connection } from './connections.ts';
import { fillRange } from './packed-trades.ts';
import type { Entry } from './record-trades.ts';
import { rowId, sequenceOf, tradeKey } from './trade-columns.ts';

interface LogRow {
  readonly id: string;
  readonly instrument_id: number;
  readonly trade_id: string;
  readonly fill_count: number;
  readonly size: string;
  readonly recorded_at: Date;
}

/** Which of these trades stand in a writer's log right after `position`, in sequence order: what an unknown commit did. */
export async function storedSince(
  connection: Connection,
  writer: number,
  position: bigint,
  entries: readonly Entry[],
): Promise<readonly RecordedTrade[]> {
  const rows = await connection.query<LogRow>({
    text: `select id, instrument_id, trade_id, fill_count, size::text as size, recorded_at from tcp_dashboard.trade
      where id > $1 and id <= $2 order by id`,
    values: [String(rowId(writer, position)), String(rowId(writer, position + BigInt(entries.length)))],
  });
  const byKey = new Map(entries.map((entry) => [tradeKey(entry.instrumentId, entry.trade), entry]));
  return rows.flatMap((row): RecordedTrade[] => {
    const entry = byKey.get(tradeKey(row.instrument_id, { tradeId: row.trade_id })) ?? packedOver(row, entries);
    if (entry === undefined) return [];
    const trade = { ...entry.trade, tradeId: row.trade_id, fillCount: row.fill_count, size: row.size as Decimal };
    const { provenance } = entry;
    return [{ trade, provenance, writer, sequence: sequenceOf(BigInt(row.id)), recordedAt: row.recorded_at.getTime() }];
  });
}

/** The packed trade whose rest the row is. */
function packedOver(row: LogRow, entries: readonly Entry[]): Entry | undefined {
  const last = fillRange({ tradeId: row.trade_id, fillCount: row.fill_count, size: row.size as Decimal })?.last;
  return entries.find(({ instrumentId, trade }) => {
    const range = fillRange(trade);
    return (
      instrumentId === row.instrument_id &&
      last !== undefined &&
      range !== null &&
      range.first <= last &&
      range.last >= last
    );
  });
}
