import { isDeepStrictEqual } from 'node:util';
import { candleAt, listCandles } from '../../src/candles/candle-history.ts';
import type { CandlesRequest } from '../../src/candles/candles-request.ts';
import type { Candle } from '../../src/market/candle.ts';
import { longestOf } from '../../src/market/candle-window.ts';
import type { StretchChange } from '../../src/market/coverage.ts';
import { type Clock, systemClock } from '../../src/runtime/clock.ts';
import { nearestTrade, readCandles } from '../../src/storage/candles.ts';
import { listStretches } from '../../src/storage/coverage.ts';
import type { Database } from '../../src/storage/database.ts';
import { listRecordedRuns } from '../../src/storage/late-trades.ts';
import type { TradeWriter } from '../../src/storage/trade-writer.ts';
import { type Answer, answerByHand, type Question, units30 } from './answer-by-hand.ts';
import { type Chance, chanceOf } from './chance.ts';
import { ledgerOf, unitsAfter } from './ledger-by-hand.ts';
import { type MadeMarket, makeMarket, randomCut } from './made-market.ts';
import { edgesByHand } from './windows-by-hand.ts';

/** Questions of one market; half of them are asked before its last batches come, and again afterwards. */
const QUESTIONS = 40;
const MOST_WINDOWS = 40;

export interface Asked {
  /** Answers compared with those by hand. */
  cases: number;
  /** Answers of a time that were the same before and after later trades came. */
  repeated: number;
  /** What went wrong, with what it takes to see it again. */
  readonly wrong: string[];
  readonly met: Record<string, number>;
}

/** Records the market of this seed through the writer, batch by batch, and asks it everything by the way the server does. */
export async function askMarket(db: Database, writer: TradeWriter, seed: string, asked: Asked): Promise<void> {
  const chance = chanceOf(seed);
  const market = makeMarket(chance, `P${seed.replaceAll(/[^A-Za-z0-9]/g, '-')}-USDT`);
  const early = chance.below(market.batches.length + 1);
  await record(writer, market, 0, early);
  const then = [];
  for (let k = 0; k < QUESTIONS / 2; k += 1) {
    const question = questionOf(chance, market, early);
    then.push({ question, answer: await askAndCompare(db, market, question, seed, asked) });
  }
  await record(writer, market, early, market.batches.length);
  for (const { question, answer } of then) {
    const { at, request } = question;
    const asOf = at ?? request.asOf;
    if (asOf === null || asOf >= (market.batches[early] ?? Infinity)) continue;
    const later = { ...question, batches: market.batches.length };
    const again = await askAndCompare(db, market, later, seed, asked);
    if (answer === null || again === null) continue;
    asked.repeated += 1;
    const difference = differenceOf(market, again, answer);
    if (difference) asked.wrong.push(describe(seed, market, later, `changed by later trades: ${difference}`));
  }
  for (let k = 0; k < QUESTIONS / 2; k += 1)
    await askAndCompare(db, market, questionOf(chance, market, market.batches.length), seed, asked);
}

/** A batch each in one transaction, with what it does to the ledger. */
async function record(writer: TradeWriter, market: MadeMarket, from: number, to: number): Promise<void> {
  for (let batch = from; batch < to; batch += 1) {
    const before = ledgerOf(unitsAfter(market, batch));
    const now = ledgerOf(unitsAfter(market, batch + 1));
    const changes = [
      ...before
        .filter(({ first }) => !now.some((stretch) => stretch.first === first))
        .map(({ first }) => ({ first, stretch: null })),
      ...now
        .filter((stretch) => !before.some((one) => isDeepStrictEqual(one, stretch)))
        .map((stretch) => ({ first: stretch.first, stretch })),
    ].map((change): StretchChange => ({ ...change, exchange: 'okx', symbol: market.symbol }));
    let last = writer.position;
    const trades = market.trades
      .filter((made) => made.batch === batch)
      .map(({ trade }) => {
        last += 1n;
        const recordedAt = market.batches[batch] ?? 0;
        return {
          ...{ trade, recordedAt, writer: writer.writer, sequence: last, provenance: 'LIVE' as const },
          storeRaw: false,
        };
      });
    if (trades.length > 0 || changes.length > 0) await writer.write({ trades, last, changes });
  }
}

/** The answer when it is that by hand, else null. */
async function askAndCompare(db: Database, market: MadeMarket, question: Question, seed: string, asked: Asked) {
  const answer = await ask(db, market, question);
  asked.cases += 1;
  const expected = answerByHand(market, question);
  const difference = differenceOf(market, answer, expected);
  if (difference) asked.wrong.push(describe(seed, market, question, difference));
  count(asked, question, expected);
  return difference ? null : answer;
}

async function ask(db: Database, market: MadeMarket, { request, at, now }: Question): Promise<Answer> {
  const clock: Clock = { ...systemClock, now: () => now };
  const ports = {
    clock,
    listStretches: (query: Parameters<typeof listStretches>[1]) => listStretches(db, query),
    readCandles: (query: Parameters<typeof readCandles>[1]) => readCandles(db, query),
    listRecordedRuns: (query: Parameters<typeof listRecordedRuns>[1]) => listRecordedRuns(db, query),
    nearestTrade: (query: Parameters<typeof nearestTrade>[1]) => nearestTrade(db, query),
  };
  if (at === null) return listCandles(ports, request);
  const { windows, endInclusive, emptyIntervals } = request;
  const candle = await candleAt(ports, {
    ...{ exchange: 'okx', symbol: market.symbol, windows, endInclusive, emptyIntervals, time: at },
  });
  return { candles: [candle], hasMore: false };
}

function questionOf(chance: Chance, market: MadeMarket, batches: number): Question {
  const windows = chance.hits(0.6) ? chance.pick(market.cuts) : randomCut(chance, market.from);
  const length = longestOf(windows.interval);
  const tradeTimes = market.trades.map(({ trade }) => trade.exchangeTime);
  const someTime = () =>
    tradeTimes.length > 0 && chance.hits(0.7) ? chance.pick(tradeTimes) : chance.between(market.from, market.to);
  const edgeNear = (time: number) => chance.pick(edgesByHand(windows, time, time));
  const near = someTime() - chance.below(MOST_WINDOWS / 2) * length;
  const from = chance.hits(0.5) ? edgeNear(near) + chance.between(-1, 1) : near;
  const to =
    from + chance.between(1, MOST_WINDOWS) * length + (chance.hits(0.5) ? chance.between(-1, 1) : chance.below(length));
  const recorded = market.batches.slice(0, batches);
  const aTime = () =>
    recorded.length > 0 && chance.hits(0.6)
      ? chance.pick(recorded) + chance.between(-1, 1)
      : edgeNear(someTime()) + chance.pick([0, 0, 1, -1, 2_000, 2_001]);
  const place = () => (chance.hits(0.3) ? edgeNear(chance.between(from, to)) : null);
  const request: CandlesRequest = {
    ...{ exchange: 'okx', symbol: market.symbol, windows, from, to, order: chance.pick(['ASC', 'DESC']) },
    includeForming: chance.hits(0.3),
    endInclusive: chance.hits(0.4),
    emptyIntervals: chance.pick(['OMIT', 'INCLUDE_NULL', 'CARRY_FORWARD']),
    asOf: chance.hits(0.6) ? aTime() : null,
    limit: chance.hits(0.5) ? 1_000 : chance.between(1, 12),
    ...{ after: place(), before: place(), fromEnd: chance.hits(0.3) },
  };
  return {
    request,
    at: chance.hits(0.15) ? aTime() : null,
    batches,
    now: chance.hits(0.3) ? aTime() : market.to + 10 * length,
  };
}

/** Where two answers differ, in words; null where they do not. */
function differenceOf(market: MadeMarket, found: Answer, expected: Answer): string | null {
  if (found.hasMore !== expected.hasMore) return `hasMore ${found.hasMore} instead of ${expected.hasMore}`;
  const count = Math.max(found.candles.length, expected.candles.length);
  for (let k = 0; k < count; k += 1) {
    const [one, other] = [comparable(market, found.candles[k]), comparable(market, expected.candles[k])];
    if (!isDeepStrictEqual(one, other))
      return `candle ${k} of ${count} is ${JSON.stringify(one)}, should be ${JSON.stringify(other)}`;
  }
  return null;
}

/**
 * Of equal prices that are written differently any may be the highest. Where clocks went back the ledger cannot be told by hand, nor
 * which empty candle is of a quiet market.
 */
function comparable({ isInOrder }: MadeMarket, candle: Candle | undefined): unknown {
  if (candle === undefined) return null;
  const { values, completeness, coverageRatio, state, ...rest } = candle;
  if (!isInOrder && (values === null || values.tradeCount === 0)) return rest;
  const told = isInOrder ? { completeness, coverageRatio, state } : {};
  return {
    ...{ ...rest, ...told },
    values: values && { ...values, high: String(units30(values.high)), low: String(units30(values.low)) },
  };
}

function count({ met }: Asked, { request, at }: Question, { candles }: Answer): void {
  const add = (what: string, more = 1) => {
    met[what] = (met[what] ?? 0) + more;
  };
  add(at === null ? request.emptyIntervals : 'candleAt');
  add(request.asOf === null && at === null ? 'as known now' : 'as of a time');
  add(request.windows.interval);
  add('candles', candles.length);
  for (const { completeness, values } of candles) {
    add(completeness);
    if (values !== null && values.revision > 0) add('revised');
  }
}

const describe = (seed: string, { symbol, trades, batches, isInOrder }: MadeMarket, question: Question, what: string) =>
  JSON.stringify(
    { seed, what, question, market: { symbol, batches, isInOrder, trades: trades.length } },
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
