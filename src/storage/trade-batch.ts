import type { RecordedTrade } from '../market/recorded-trade.ts';
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
  const ids = trades.map(({ sequence }) => rowId(writer, sequence));
  const times = trades.map(({ trade }) => trade.exchangeTime);
  return {
    ids,
    months: monthsTouched(times),
    columns: [
      int8Array(ids),
      int4Array(instrumentIds),
      timeArray(times),
      timeArray(trades.map(({ trade }) => trade.receivedAt)),
      timeArray(trades.map(({ recordedAt }) => recordedAt)),
      textArray(trades.map(({ trade }) => trade.tradeId)),
      int4Array(trades.map(({ trade }) => trade.fillCount)),
      textArray(trades.map(({ trade }) => trade.price)),
      textArray(trades.map(({ trade }) => trade.size)),
      letterArray(trades.map(({ trade }) => SIDE_LETTERS[trade.side])),
      letterArray(trades.map(({ provenance }) => PROVENANCE_LETTERS[provenance])),
      textArray(trades.map(({ trade, storeRaw }) => (storeRaw ? jsonText(trade.raw) : null))),
    ],
  };
}

function monthsTouched(times: readonly number[]): readonly number[] {
  if (times.length === 0) return [];
  const first = times.reduce((a, b) => Math.min(a, b)) - TIME_SLACK_MS;
  const last = times.reduce((a, b) => Math.max(a, b)) + TIME_SLACK_MS;
  const ends = monthsOf([first, last]);
  return ends.length === 1 ? ends : monthsOf(times.flatMap((time) => [time - TIME_SLACK_MS, time + TIME_SLACK_MS]));
}
