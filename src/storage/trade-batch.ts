import type { Trade } from '../market/market-event.ts';
import type { RecordedTrade } from '../market/recorded-trade.ts';
import { compareIds, compareTrades, type TradePlace } from '../market/trade-order.ts';
import { int4Array, int8Array, letterArray, textArray, timeArray } from './binary-arrays.ts';
import { jsonText } from './json-text.ts';
import { monthsOf } from './partitions.ts';
import { PROVENANCE_LETTERS, rowId, SIDE_LETTERS } from './trade-columns.ts';

/** A trade under the number it will keep. */
export interface NumberedTrade extends RecordedTrade {
  /** Keep the exchange's own payload beside the columns. */
  readonly storeRaw: boolean;
}

/** The trades of one commit as the statement that records them takes them; says nothing of when it is committed. */
export interface TradeBatch {
  /** Of the rows, in order. */
  readonly ids: readonly bigint[];
  /** First days of the months in which they, or the same with slightly other times, are stored, ascending. */
  readonly months: readonly number[];
  /** Arrays of equal length, in the order of the statement; null for one without a value. */
  readonly columns: readonly (Buffer | null)[];
}

/** An exchange may stamp one trade twice with slightly different times; beyond this they would be two trades. */
const TIME_SLACK_MS = 86_400_000;

/** `instrumentIds`: of each trade. @throws {RangeError} for a time that is none. */
export function makeBatch(
  writer: number,
  trades: readonly NumberedTrade[],
  instrumentIds: readonly number[],
): TradeBatch {
  const rows = inOrder(trades, instrumentIds);
  const ids = rows.map(({ numbered }) => rowId(writer, numbered.sequence));
  const times = rows.map(({ time }) => time);
  return {
    ids,
    months: monthsTouched(times),
    columns: [
      int8Array(ids),
      int4Array(rows.map(({ instrumentId }) => instrumentId)),
      timeArray(times),
      timeArray(rows.map(({ trade }) => trade.receivedAt)),
      timeArray(rows.map(({ numbered }) => numbered.recordedAt)),
      textArray(rows.map(({ tradeId }) => tradeId)),
      int4Array(rows.map(({ trade }) => trade.fillCount)),
      textArray(rows.map(({ trade }) => trade.price)),
      textArray(rows.map(({ trade }) => trade.size)),
      letterArray(rows.map(({ trade }) => SIDE_LETTERS[trade.side])),
      letterArray(rows.map(({ numbered }) => PROVENANCE_LETTERS[numbered.provenance])),
      textArray(rows.map(({ trade, numbered }) => (numbered.storeRaw ? jsonText(trade.raw) : null))),
      int4Array(rows.map(({ place }) => place)),
    ],
  };
}

interface Row extends TradePlace {
  readonly numbered: NumberedTrade;
  readonly trade: Trade;
  readonly instrumentId: number;
  /** Among the trades of the batch, in the order they were made. */
  place: number;
}

/** As they are stored. Sorted here, as trades come nearly sorted: the server would go through all of their text twice. */
function inOrder(trades: readonly NumberedTrade[], instrumentIds: readonly number[]): readonly Row[] {
  const rows = trades.map((numbered, k): Row => {
    const { trade } = numbered;
    const { exchangeTime: time, tradeId } = trade;
    return { numbered, trade, instrumentId: instrumentIds[k] ?? 0, time, tradeId, place: 0 };
  });
  rows.sort(compareTrades).forEach((row, place) => {
    row.place = place;
  });
  return rows.sort((a, b) => a.instrumentId - b.instrumentId || compareIds(a.tradeId, b.tradeId));
}

function monthsTouched(times: readonly number[]): readonly number[] {
  if (times.length === 0) return [];
  const first = times.reduce((a, b) => Math.min(a, b)) - TIME_SLACK_MS;
  const last = times.reduce((a, b) => Math.max(a, b)) + TIME_SLACK_MS;
  const ends = monthsOf([first, last]);
  return ends.length === 1 ? ends : monthsOf(times.flatMap((time) => [time - TIME_SLACK_MS, time + TIME_SLACK_MS]));
}
