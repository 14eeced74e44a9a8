import type { Findings } from './findings.ts';
import type { StoredTrade } from './stored.ts';

/** A trade as the API gave it. */
export interface GivenTrade {
  readonly symbol: string;
  readonly tradeId: string;
  readonly fillCount: number;
  readonly price: string;
  readonly size: string;
  readonly side: 'BUY' | 'SELL';
  readonly exchangeTime: string;
}

/** The last sequence read of each writer. */
export type Position = ReadonlyMap<number, bigint>;

/** What one subscriber got, in the order it got it. */
export interface SubscriberLog {
  readonly name: string;
  readonly filter: TradesFilter;
  readonly entries: readonly StreamedTrade[];
  /** Of its first payload: what came with it is in the entries; null when none came. */
  readonly start: Position | null;
  /** Of its last payload: what lies behind it need not have come yet. */
  readonly end: Position | null;
}

export interface TradesFilter {
  readonly symbols?: readonly string[];
  readonly side?: 'BUY' | 'SELL';
  readonly minSize?: string;
}

/** A trade as a stream gave it. */
export interface StreamedTrade extends GivenTrade {
  /** Of its edge. */
  readonly position: Position;
}

export const GIVEN_TRADE = 'symbol tradeId fillCount price size side exchangeTime';

const keyOf = ({ symbol, tradeId }: { readonly symbol: string; readonly tradeId: string }) => `${symbol} ${tradeId}`;

/** Compares what a subscriber got with what is stored: nothing lost, nothing twice, each writer in its order. */
export function judgeLog(log: SubscriberLog, trades: readonly StoredTrade[], findings: Findings): void {
  const rows = new Map(trades.map((trade) => [keyOf(trade), trade]));
  const got = new Set<string>();
  let newest: Position = new Map();
  for (const entry of log.entries) {
    const key = keyOf(entry);
    const row = rows.get(key);
    const back = [...newest].find(([writer, sequence]) => (entry.position.get(writer) ?? 0n) < sequence);
    if (back !== undefined)
      findings.add(
        'OUT_OF_ORDER',
        log.name,
        `${key}: ${entry.position.get(back[0])} of writer ${back[0]} after ${back[1]}`,
      );
    newest = entry.position;
    if (got.has(key)) findings.add('REPEATED', log.name, `${key}, the last time at ${says(entry.position)}`);
    else if (row === undefined) findings.add('PUBLISHED_THEN_LOST', log.name, key);
    else {
      const difference = differenceOf(entry, row);
      if (difference !== null) findings.add('PUBLISHED_DIFFERENT', log.name, `${key}: ${difference}`);
    }
    got.add(key);
  }
  if (log.start === null) return findings.add('NOT_DELIVERED', log.name, 'not one payload came');
  for (const row of trades)
    if (
      row.sequence > (log.start.get(row.writer) ?? 0n) &&
      row.sequence <= (log.end?.get(row.writer) ?? 0n) &&
      matches(log.filter, row) &&
      !got.has(keyOf(row))
    )
      findings.add('NOT_DELIVERED', log.name, `${keyOf(row)}: ${row.sequence} of writer ${row.writer}`);
}

/** Compares all pages of a market's trades, oldest first, with what is stored of it. */
export function judgePages(
  symbol: string,
  given: readonly GivenTrade[],
  trades: readonly StoredTrade[],
  findings: Findings,
): void {
  const rows = new Map(trades.filter((trade) => trade.symbol === symbol).map((trade) => [keyOf(trade), trade]));
  const got = new Set<string>();
  for (const entry of given) {
    const key = keyOf(entry);
    const row = rows.get(key);
    if (got.has(key)) findings.add('API_REPEATED', symbol, key);
    else if (row === undefined) findings.add('API_EXTRA', symbol, key);
    else {
      const difference = differenceOf(entry, row);
      if (difference !== null) findings.add('API_DIFFERENT', symbol, `${key}: ${difference}`);
    }
    got.add(key);
  }
  for (const key of rows.keys()) if (!got.has(key)) findings.add('API_MISSING', symbol, key);
}

function differenceOf(given: GivenTrade, row: StoredTrade): string | null {
  for (const [name, is, was] of [
    ['price', given.price, row.price],
    ['size', given.size, row.size],
    ['side', given.side.toLowerCase(), row.side],
    ['time', Date.parse(given.exchangeTime), row.time],
    ['fillCount', given.fillCount, row.fillCount],
  ] as const)
    if (is !== was) return `${name} is ${is}, stored is ${was}`;
  return null;
}

/** The filter of the field `trades`, once more. Sizes of a test are far from where a float would be wrong. */
const matches = ({ symbols, side, minSize }: TradesFilter, row: StoredTrade): boolean =>
  (symbols === undefined || symbols.includes(row.symbol)) &&
  (side === undefined || side.toLowerCase() === row.side) &&
  (minSize === undefined || Number(row.size) >= Number(minSize));

/** What a cursor says; the text is opaque to clients, and the oracle no client. @throws for text that is no cursor. */
export function positionOf(cursor: string): Position {
  const [, , ...places] = Buffer.from(cursor, 'base64url').toString('latin1').split('~');
  return new Map(
    places.map((place) => {
      const [writer, sequence] = place.split('.');
      return [Number(writer), BigInt(sequence ?? '')];
    }),
  );
}

export const says = (position: Position | null): string =>
  [...(position ?? [])].map(([writer, sequence]) => `${writer}:${sequence}`).join(' ') || 'nothing';
