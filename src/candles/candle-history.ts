import { type Candle, type Completeness, candleOf, completenessOf, type TradedWindow } from '../market/candle.ts';
import { type CandleWindow, startOf, type Windows, windowAt } from '../market/candle-window.ts';
import type { Stretch } from '../market/coverage.ts';
import { type CoverageInterval, coverageIntervals } from '../market/coverage-intervals.ts';
import type { Decimal } from '../market/decimal.ts';
import type { CandlePorts, CandlesRequest } from './candles-request.ts';
import { ledgerThen } from './ledger-then.ts';

/** Windows read at a time while empty ones are left out. */
const STEP = 1_000;

/** One page of candles of one market, computed from what is stored; what the ledger says of them comes from the same ranges. */
export async function listCandles(
  ports: CandlePorts,
  request: CandlesRequest,
): Promise<{ readonly candles: readonly Candle[]; readonly hasMore: boolean }> {
  const walk = new Walk(request);
  const found: Candle[] = [];
  const wanted = request.limit + 1;
  for (let windows = walk.take(wanted); windows.length > 0; windows = walk.take(STEP)) {
    const ascending = walk.ascending ? windows : windows.toReversed();
    const candles = await readAll(ports, request, ascending);
    const kept = request.emptyIntervals === 'OMIT' ? candles.filter(({ values }) => values !== null) : candles;
    found.push(...(walk.ascending ? kept : kept.toReversed()));
    if (found.length >= wanted) break;
    if (request.emptyIntervals !== 'OMIT') continue;
    const trade = await ports.nearestTrade({
      ...request,
      time: walk.place,
      direction: walk.ascending ? 'from' : 'before',
    });
    if (trade === null) break;
    walk.skipTo(trade.time - (request.endInclusive ? 1 : 0));
  }
  const page = found.slice(0, request.limit);
  return { candles: request.fromEnd ? page.reverse() : page, hasMore: found.length > request.limit };
}

/** The last candle of a market that was over at a time, as it was known then. */
export async function candleAt(
  ports: CandlePorts,
  request: Omit<
    CandlesRequest,
    'from' | 'to' | 'asOf' | 'order' | 'limit' | 'after' | 'before' | 'fromEnd' | 'includeForming'
  > & {
    readonly time: number;
  },
): Promise<Candle> {
  const { time } = request;
  const closeTime = windowAt(request.windows, time).openTime;
  const [candle] = await readAll(ports, { ...request, asOf: time }, [windowAt(request.windows, closeTime - 1)]);
  return candle as Candle;
}

/** Goes from window to window through a request's range, from the side its page begins at. */
class Walk {
  readonly ascending: boolean;
  readonly #windows: Windows;
  readonly #isIn: (window: CandleWindow) => boolean;
  #next: CandleWindow;

  constructor({ windows, from, to, includeForming, order, after, before, fromEnd }: CandlesRequest) {
    this.ascending = (order === 'ASC') !== fromEnd;
    this.#windows = windows;
    const [above, below] = order === 'ASC' ? [after, before] : [before, after];
    this.#isIn = ({ openTime, closeTime }) =>
      closeTime > from &&
      (closeTime <= to || (includeForming && openTime < to)) &&
      (above === null || closeTime > above) &&
      (below === null || closeTime < below);
    const first = windowAt(windows, Math.max(from, above ?? from));
    const last = windowAt(windows, below === null ? to : Math.min(to, below - 1));
    this.#next = this.ascending ? first : this.#isIn(last) ? last : windowAt(windows, last.openTime - 1);
  }

  /** Where the next window begins, or ends when going back, ms. */
  get place(): number {
    return this.ascending ? this.#next.openTime : this.#next.closeTime;
  }

  take(most: number): readonly CandleWindow[] {
    const taken: CandleWindow[] = [];
    for (; taken.length < most && this.#isIn(this.#next); this.#next = this.#after(this.#next)) taken.push(this.#next);
    return taken;
  }

  /** On to the window of a time. */
  skipTo(time: number): void {
    const window = windowAt(this.#windows, time);
    if (this.ascending ? window.openTime > this.#next.openTime : window.openTime < this.#next.openTime)
      this.#next = window;
  }

  #after({ openTime, closeTime }: CandleWindow): CandleWindow {
    return windowAt(this.#windows, this.ascending ? closeTime : openTime - 1);
  }
}

type Reading = Pick<CandlesRequest, 'exchange' | 'symbol' | 'windows' | 'endInclusive' | 'emptyIntervals' | 'asOf'>;

/** Candles of ascending, contiguous windows. */
async function readAll(
  ports: CandlePorts,
  request: Reading,
  windows: readonly CandleWindow[],
): Promise<readonly Candle[]> {
  const { exchange, symbol, asOf, endInclusive } = request;
  const { interval } = request.windows;
  const [first, last] = [windows[0], windows.at(-1)];
  if (first === undefined || last === undefined) return [];
  const range = { from: startOf(first.openTime, endInclusive), to: startOf(last.closeTime, endInclusive) };
  const query = { exchange, symbol, windows, endInclusive };
  // What is proven first: trades and ledger change in one transaction, so candles read after it hold all that it speaks of.
  const stretches = await ports.listStretches({
    ...{ exchange, symbol, dataType: 'trade' },
    ...{ from: new Date(range.from), to: new Date(range.to) },
  });
  const [traded, isNow, { intervals, beginsAt }] = await Promise.all([
    ports.readCandles({ ...query, asOf }),
    asOf === null ? null : ports.readCandles({ ...query, asOf: null }),
    asOf === null
      ? { intervals: coverageIntervals(stretches, range), beginsAt: null }
      : intervalsThen(ports, request, { stretches, range, asOf }),
  ]);
  const shifted = endInclusive ? traded.map(shiftedBy1) : traded;
  const now = asOf ?? ports.clock.now();
  const candles = completenessOf(shifted, intervals).map((known, k): Candle => {
    const window = traded[k] as TradedWindow;
    // Exchanges' clocks go back at times: of a window that got trades since, not all were here. Where all that was known began with
    // it, they are what was traded before, in the same millisecond.
    const cameLater =
      (isNow?.[k]?.values?.tradeCount ?? 0) > (window.values?.tradeCount ?? 0) && shifted[k]?.openTime !== beginsAt;
    const said = cameLater ? lessened(window, known) : known;
    return candleOf({ exchange, symbol, interval }, window, said, window.closeTime <= now);
  });
  return request.emptyIntervals === 'CARRY_FORWARD' ? carriedForward(ports, request, candles) : candles;
}

/** The times that belong to it when its end does and its beginning does not. */
const shiftedBy1 = ({ openTime, closeTime, values }: TradedWindow): TradedWindow => ({
  openTime: startOf(openTime, true),
  closeTime: startOf(closeTime, true),
  values,
});

const lessened = ({ values }: TradedWindow, said: Completeness): Completeness =>
  said.completeness === 'COMPLETE' ? { ...said, completeness: values === null ? 'MISSING' : 'PARTIAL' } : said;

/** No exchange's clock is so far ahead of ours; of one that is less is claimed. */
const CLOCK_AHEAD_MS = 3_600_000;

/** Up to where the stream was known at a time: the newest trade that was recorded by then. Looked for from that time, not from today. */
async function headTime(ports: CandlePorts, request: Reading, asOf: number): Promise<number> {
  const head = await ports.nearestTrade({ ...request, time: asOf + CLOCK_AHEAD_MS, direction: 'before', asOf });
  return head?.time ?? Number.NEGATIVE_INFINITY;
}

/**
 * What was known at a time: nothing is said of what came after the newest trade there was. `beginsAt`: the exchange time of the
 * first trade of the ledger's first stretch, ms, where the range reaches so far back.
 */
async function intervalsThen(
  ports: CandlePorts,
  request: Reading,
  { stretches, range, asOf }: { stretches: readonly Stretch[]; range: { from: number; to: number }; asOf: number },
): Promise<{ readonly intervals: readonly CoverageInterval[]; readonly beginsAt: number | null }> {
  const [then, head] = await Promise.all([ledgerThen(ports, request, stretches, asOf), headTime(ports, request, asOf)]);
  return { intervals: upTo(coverageIntervals(then, range), head), beginsAt: then[0]?.from ?? null };
}

const upTo = (intervals: readonly CoverageInterval[], head: number): readonly CoverageInterval[] =>
  intervals.flatMap((interval) => {
    // A missing trade may share the last millisecond.
    const end = interval.status === 'GAP' || interval.status === 'UNFILLABLE' ? head + 1 : head;
    if (interval.to <= end) return [interval];
    const rest: CoverageInterval = { ...interval, status: 'UNPROVEN', from: Math.max(interval.from, end) };
    return interval.from < end ? [{ ...interval, to: end }, rest] : [rest];
  });

/** An empty window gets the last price before it; one that is empty because trades are missing stays empty. */
async function carriedForward(
  ports: CandlePorts,
  request: Reading,
  candles: readonly Candle[],
): Promise<readonly Candle[]> {
  const [first] = candles;
  if (first === undefined || candles.every(({ values }) => values !== null)) return candles;
  const before = await ports.nearestTrade({ ...request, time: first.openTime, direction: 'before' });
  let last = before?.price ?? null;
  return candles.map((candle) => {
    if (candle.values !== null) last = candle.values.close;
    else if (candle.completeness === 'MISSING') last = null;
    else if (last !== null) return { ...candle, values: quietAt(last) };
    return candle;
  });
}

const ZERO = '0' as Decimal;
const quietAt = (price: Decimal) => ({
  ...{ open: price, high: price, low: price, close: price, volume: ZERO, quoteVolume: ZERO, buyVolume: ZERO },
  ...{ tradeCount: 0, recordedAt: 0, revision: 0 },
});
