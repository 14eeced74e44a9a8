import { EXCHANGES } from './exchanges/registry.ts';
import { Exporter } from './export/exporter.ts';
import type { Services } from './graphql/context.ts';
import { requireMarket } from './graphql/range.ts';
import type { Recorder } from './pipeline/recorder.ts';
import type { Clock } from './runtime/clock.ts';
import { nearestTrade, readCandles } from './storage/candles.ts';
import { listStretches } from './storage/coverage.ts';
import type { Database } from './storage/database.ts';
import { decimalBounds, droppedNow, readExportState } from './storage/export-state.ts';
import { tradeRows } from './storage/export-trades.ts';
import { hasInstrument } from './storage/instruments.ts';
import { listRecordedRuns } from './storage/late-trades.ts';

/** Files of what a database holds, of the markets the API knows. */
export function openExporter(
  db: Database,
  collectors: Services['collectors'],
  recorder: Pick<Recorder, 'storedUpTo'>,
  clock: Clock,
): Exporter {
  const history = { hasInstrument: (...name: [string, string]) => hasInstrument(db, ...name) };
  return new Exporter({
    requireMarket: (...market) => requireMarket({ exchanges: EXCHANGES, collectors, history }, ...market),
    storedUpTo: (time) => recorder.storedUpTo(time),
    readState: (range) => readExportState(db, range),
    droppedNow: (range) => droppedNow(db, range),
    decimalBounds: (range) => decimalBounds(db, range),
    tradeRows: (query) => tradeRows(db, query),
    candles: {
      readCandles: (query) => readCandles(db, query),
      nearestTrade: (query) => nearestTrade(db, query),
      listRecordedRuns: (query) => listRecordedRuns(db, query),
      listStretches: (query) => listStretches(db, query),
      clock,
    },
  });
}
