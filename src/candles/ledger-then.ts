import type { Stretch } from '../market/coverage.ts';
import type { CandlePorts, CandlesRequest } from './candles-request.ts';

/** Fills of a stretch that is looked at trade by trade; in a larger one what was fetched until then counts as missing too. */
const MOST_FILLS = 100_000;

const isMissing = ({ status }: Stretch): boolean => status === 'GAP' || status === 'UNFILLABLE';

/**
 * What the ledger said at a time (ms), from what it says now: of a gap that was not found yet it said nothing, and what was
 * fetched since was missing.
 */
export async function ledgerThen(
  ports: Pick<CandlePorts, 'readCandles' | 'listRecordedRuns'>,
  market: Pick<CandlesRequest, 'exchange' | 'symbol'>,
  stretches: readonly Stretch[],
  asOf: number,
): Promise<readonly Stretch[]> {
  const found = stretches.filter(({ gapFoundAt }) => gapFoundAt === null || gapFoundAt <= asOf);
  const filled = found.filter(({ status }) => status === 'BACKFILLED');
  if (filled.length === 0) return found;
  const { exchange, symbol } = market;
  const windows = filled.map(({ from, to }) => ({ openTime: from, closeTime: to + 1 }));
  const newest = await ports.readCandles({ exchange, symbol, windows, endInclusive: false, asOf: null });
  const late = new Set(filled.filter((_, k) => (newest[k]?.values?.recordedAt ?? 0) > asOf));
  const then: Stretch[] = [];
  for (const stretch of found)
    then.push(...(late.has(stretch) ? await asBefore(ports, market, stretch, asOf) : [stretch]));
  return then.map((one, k) => {
    if (one.status !== 'GAP') return one;
    // Where nothing on that side was here either, it reaches further than what is listed.
    const before = then.slice(0, k).findLast((other) => !isMissing(other))?.to ?? then[0]?.from;
    const after = then.slice(k + 1).find((other) => !isMissing(other))?.from ?? then.at(-1)?.to;
    return { ...one, from: Math.min(one.from, before ?? one.from), to: Math.max(one.to, after ?? one.to) };
  });
}

async function asBefore(
  ports: Pick<CandlePorts, 'listRecordedRuns'>,
  { exchange, symbol }: Pick<CandlesRequest, 'exchange' | 'symbol'>,
  stretch: Stretch,
  asOf: number,
): Promise<readonly Stretch[]> {
  if (stretch.actual > MOST_FILLS) return [{ ...stretch, status: 'GAP', actual: 0 }];
  const runs = await ports.listRecordedRuns({ ...stretch, exchange, symbol, asOf });
  return runs.map(({ isLate, ...run }) => ({ ...stretch, ...run, ...(isLate && { status: 'GAP', actual: 0 }) }));
}
