import { and, eq, inArray, ne } from 'drizzle-orm';
import type { Stretch } from '../market/coverage.ts';
import type { DataType } from '../market/data-type.ts';
import { mergeStretches } from '../market/merge-stretches.ts';
import { type CoverageRow, replaceStretches, toStretch } from './coverage-writer.ts';
import { coverage as table } from './tables.ts';
import type { WriterSlot } from './writer-slot.ts';

/**
 * Writes into our books what all other writers have said of trades, which is true whoever says it: so gaps of a writer that is gone are
 * filled, also when its spool is lost, and the next trade tells what was missed since. Theirs stay as they are, as they may come
 * back. Returns of how many markets something was new.
 */
export function adoptCoverage({ connection, id }: WriterSlot, now: number): Promise<number> {
  return connection.transaction(async () => {
    const isTrade = eq(table.dataType, 'trade' satisfies DataType);
    const { handle } = connection;
    const others = handle
      .selectDistinct({ instrumentId: table.instrumentId })
      .from(table)
      .where(and(ne(table.writer, id), isTrade));
    const rows = await handle
      .select()
      .from(table)
      .where(and(isTrade, inArray(table.instrumentId, others)))
      .orderBy(table.instrumentId, table.writer, table.first);
    const changed = [...Map.groupBy(rows, ({ instrumentId }) => instrumentId)].flatMap(([instrumentId, market]) => {
      const books = Map.groupBy(market, ({ writer }) => writer);
      const own = (books.get(id) ?? []).map(toStretch);
      const merged = mergeStretches([
        own,
        ...[...books].flatMap(([w, theirs]) => (w === id ? [] : [theirs.map(toStretch)])),
      ]);
      return isSame(own, merged) ? [] : [{ instrumentId, own, merged }];
    });
    const rowsOf = (stretches: 'own' | 'merged', toRow: (stretch: Stretch) => Stretch | null): readonly CoverageRow[] =>
      changed.flatMap(({ instrumentId, ...market }) =>
        market[stretches].map((one) => ({ instrumentId, dataType: 'trade', first: one.first, stretch: toRow(one) })),
      );
    await replaceStretches(
      connection,
      id,
      rowsOf('own', () => null),
      now,
    );
    await replaceStretches(
      connection,
      id,
      rowsOf('merged', (stretch) => stretch),
      now,
    );
    return changed.length;
  });
}

const isSame = (own: readonly Stretch[], merged: readonly Stretch[]): boolean =>
  own.length === merged.length &&
  own.every((one, k) => {
    const other = merged[k];
    return other?.first === one.first && other.last === one.last && other.status === one.status;
  });
