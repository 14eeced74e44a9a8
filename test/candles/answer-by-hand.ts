import type { CandlesRequest } from '../../src/candles/candles-request.ts';
import type { Candle, CandleValues } from '../../src/market/candle.ts';
import { type CandleWindow, longestOf } from '../../src/market/candle-window.ts';
import type { Decimal } from '../../src/market/decimal.ts';
import { saidOf, type Unit, unitsAfter } from './ledger-by-hand.ts';
import type { MadeMarket, MadeTrade } from './made-market.ts';
import { windowsByHand } from './windows-by-hand.ts';

const GRACE = 2_000;

/** What is asked, and of which moment: so many batches are there, and it is so late. */
export interface Question {
  readonly request: CandlesRequest;
  /** Instead of a page: the last candle that was over at this time. */
  readonly at: number | null;
  readonly batches: number;
  readonly now: number;
}

export interface Answer {
  readonly candles: readonly Candle[];
  readonly hasMore: boolean;
}

/** The answer as the documents define it, one trade at a time, without anything of the product. */
export function answerByHand(market: MadeMarket, question: Question): Answer {
  const { request, at } = question;
  const asOf = at ?? request.asOf;
  const count = asOf === null ? question.batches : market.batches.filter((recordedAt) => recordedAt <= asOf).length;
  const known = market.trades.filter(({ batch }) => batch < Math.min(count, question.batches));
  const units = unitsAfter(market, Math.min(count, question.batches));
  const candleOf = (window: CandleWindow) => candleByHand(market, question, { window, known, units, asOf });
  if (at !== null) {
    const before = at - 2 * longestOf(request.windows.interval);
    const window = windowsByHand(request.windows, before, at + 1).findLast(({ closeTime }) => closeTime <= at);
    return { candles: window ? [candleOf(window)] : [], hasMore: false };
  }
  const { from, to, order, after, before, limit, fromEnd, includeForming, emptyIntervals } = request;
  const forward = order === 'ASC' ? 1 : -1;
  const windows = windowsByHand(request.windows, from, to + 1)
    .filter(({ openTime, closeTime }) => closeTime <= to || (includeForming && openTime < to))
    .filter(({ closeTime }) => after === null || (closeTime - after) * forward > 0)
    .filter(({ closeTime }) => before === null || (before - closeTime) * forward > 0);
  const all = windows.map(candleOf).filter(({ values }) => emptyIntervals !== 'OMIT' || values !== null);
  if (order === 'DESC') all.reverse();
  return { candles: fromEnd ? all.slice(-limit) : all.slice(0, limit), hasMore: all.length > limit };
}

interface Known {
  readonly window: CandleWindow;
  readonly known: readonly MadeTrade[];
  readonly units: readonly Unit[];
  readonly asOf: number | null;
}

function candleByHand(
  { batches, symbol }: MadeMarket,
  { request, now }: Question,
  { window, known, units, asOf }: Known,
): Candle {
  const { openTime, closeTime } = window;
  const [first, end] = request.endInclusive ? [openTime + 1, closeTime + 1] : [openTime, closeTime];
  const ordered = known.toSorted((a, b) => a.trade.exchangeTime - b.trade.exchangeTime || (a.id < b.id ? -1 : 1));
  const inside = ordered.filter(({ trade }) => trade.exchangeTime >= first && trade.exchangeTime < end);
  const values = valuesOf(inside, batches, closeTime);
  const said = completenessByHand(units, first, end, values !== null);
  const isOver = closeTime <= (asOf ?? now);
  const last = ordered.findLast(({ trade }) => trade.exchangeTime < first)?.trade.price;
  const isCarried =
    request.emptyIntervals === 'CARRY_FORWARD' && values === null && said.completeness !== 'MISSING' && last;
  return {
    ...{ openTime, closeTime, exchange: 'okx', symbol, interval: request.windows.interval },
    ...{ state: !isOver ? 'FORMING' : said.completeness === 'COMPLETE' ? 'FINAL' : 'PROVISIONAL', ...said },
    values: isCarried ? quietAt(last) : values,
    availableAt: isOver ? Math.max(closeTime, values?.recordedAt ?? 0) : null,
  };
}

/** Every millisecond of [first, end): asked only where something changes. */
export function completenessByHand(units: readonly Unit[], first: number, end: number, hasTrades: boolean) {
  const times = units.flatMap(({ made }) => (made ? [made.trade.exchangeTime, made.trade.exchangeTime + 1] : []));
  const turns = [...new Set([first, ...times.filter((time) => time > first && time < end), end])].sort((a, b) => a - b);
  let [covered, isMissing] = [0, false];
  for (const [k, time] of turns.slice(0, -1).entries()) {
    const said = saidOf(units, time);
    if (said === 'COVERED') covered += (turns[k + 1] ?? end) - time;
    if (said === 'MISSING') isMissing = true;
  }
  const whole = covered === end - first ? ('COMPLETE' as const) : ('UNPROVEN' as const);
  const lacking = hasTrades ? ('PARTIAL' as const) : ('MISSING' as const);
  return { completeness: isMissing ? lacking : whole, coverageRatio: covered / (end - first) };
}

function valuesOf(inside: readonly MadeTrade[], batches: readonly number[], closeTime: number): CandleValues | null {
  const [first, last] = [inside[0], inside.at(-1)];
  if (first === undefined || last === undefined) return null;
  const prices = inside.map(({ trade }) => trade.price).sort((a, b) => (units30(a) < units30(b) ? -1 : 1));
  const recorded = inside.map(({ batch }) => batches[batch] ?? 0);
  return {
    ...{ open: first.trade.price, close: last.trade.price, high: prices.at(-1) as Decimal, low: prices[0] as Decimal },
    volume: sum(inside.map(({ trade }) => [trade.size])),
    quoteVolume: sum(inside.map(({ trade }) => [trade.price, trade.size])),
    buyVolume: sum(inside.filter(({ trade }) => trade.side === 'buy').map(({ trade }) => [trade.size])),
    tradeCount: inside.reduce((total, { trade }) => total + trade.fillCount, 0),
    recordedAt: Math.max(...recorded),
    revision: new Set(recorded.filter((time) => time > closeTime + GRACE)).size,
  };
}

const ZERO = '0' as Decimal;
const quietAt = (price: Decimal): CandleValues => ({
  ...{ open: price, high: price, low: price, close: price, volume: ZERO, quoteVolume: ZERO, buyVolume: ZERO },
  ...{ tradeCount: 0, recordedAt: 0, revision: 0 },
});

const placesOf = (text: string): number => text.split('.')[1]?.length ?? 0;
const digitsOf = (text: string): bigint => BigInt(text.replace('.', ''));
/** In units of 10^-30. */
export const units30 = (text: string): bigint => digitsOf(text) * 10n ** BigInt(30 - placesOf(text));

/** Of products, with as many digits after the point as the longest has. */
function sum(products: readonly (readonly string[])[]): Decimal {
  const placesIn = (factors: readonly string[]) => factors.reduce((total, factor) => total + placesOf(factor), 0);
  const places = Math.max(0, ...products.map(placesIn));
  const total = products.reduce(
    (so, factors) =>
      so + factors.reduce((made, factor) => made * digitsOf(factor), 10n ** BigInt(places - placesIn(factors))),
    0n,
  );
  const digits = String(total).padStart(places + 1, '0');
  return (places === 0 ? digits : `${digits.slice(0, -places)}.${digits.slice(-places)}`) as Decimal;
}
