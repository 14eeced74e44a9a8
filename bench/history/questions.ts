/** The same questions in the words of each contender. */

import { LATEST, PAGE, type Page } from './asked.ts';
import { CANDLE_SYMBOL } from './fill-candles.ts';
import { EXCHANGE, MARKETS, symbolOf } from './fill-trades.ts';

export type ContenderId = 'limit' | 'ours' | 'postgraphile' | 'mercurius';
export type Words = Readonly<Record<ContenderId, object>>;

const FIELDS = 'tradeId fillCount price size side exchangeTime receivedAt recordedAt';
const INFO = 'pageInfo { hasNextPage endCursor }';
const OURS = `edges { node { ${FIELDS} } } ${INFO}`;
const THEIRS = `edges { node { tradeId fillCount price size side ts receivedAt recordedAt } } ${INFO}`;
const ORDER = 'orderBy: [TS_DESC, PRIMARY_KEY_DESC]';

const DOCUMENTS: Readonly<Record<Exclude<ContenderId, 'limit'>, string>> = {
  ours: `query ($symbol: String!, $first: Int!, $after: Cursor, $side: Side, $from: DateTime, $to: DateTime) {
    trades(exchange: "${EXCHANGE}", symbol: $symbol, first: $first, after: $after, side: $side, from: $from, to: $to) { ${OURS} } }`,
  postgraphile: `query ($condition: TradeCondition!, $first: Int!, $after: Cursor) {
    allTrades(condition: $condition, first: $first, after: $after, ${ORDER}) { ${THEIRS} } }`,
  mercurius: `query ($market: Int!, $first: Int!, $after: String, $side: Side, $from: DateTime, $to: DateTime) {
    trades(market: $market, first: $first, after: $after, side: $side, from: $from, to: $to) { ${OURS} } }`,
};

/** The markets are numbered from 1 in the database. */
const conditionOf = ({ market, side, from, to }: Page) => ({
  instrumentId: market + 1,
  ...(side && { side: 's' }),
  ...(from !== undefined && { since: from }),
  ...(to !== undefined && { until: to }),
});

/** One page of trades. Each contender's `after` is a cursor of its own. */
export function pageIn(id: ContenderId, page: Page): object {
  const { market, first, after, ...rest } = page;
  const paging = { first, ...(after !== undefined && { after }) };
  switch (id) {
    case 'limit':
      return { page };
    case 'ours':
      return { query: DOCUMENTS.ours, variables: { symbol: symbolOf(market), ...paging, ...rest } };
    case 'postgraphile':
      return { query: DOCUMENTS.postgraphile, variables: { condition: conditionOf(page), ...paging } };
    case 'mercurius':
      return { query: DOCUMENTS.mercurius, variables: page };
  }
}

const markets = Array.from({ length: MARKETS }, (_, market) => market);
const LATEST_DOCUMENTS: Words = {
  limit: { latest: LATEST, markets: MARKETS },
  ours: documentOf((k) => `trades(exchange: "${EXCHANGE}", symbol: "${symbolOf(k)}", first: ${LATEST}) { ${OURS} }`),
  postgraphile: documentOf(
    (k) => `allTrades(condition: { instrumentId: ${k + 1} }, first: ${LATEST}, ${ORDER}) { ${THEIRS} }`,
  ),
  mercurius: documentOf((k) => `trades(market: ${k}, first: ${LATEST}) { ${OURS} }`),
};

function documentOf(field: (market: number) => string): object {
  return { query: `{ ${markets.map((k) => `m${k}: ${field(k)}`).join(' ')} }` };
}

/** The newest trades of all markets in one document. */
export const latestIn = (id: ContenderId): object => LATEST_DOCUMENTS[id];

/** How many trades or candles an answer holds. */
export const countOf = (text: string): number => text.split(/"price":|"close":/).length - 1;

const CANDLE_FIELDS = 'closeTime open high low close volume vwap tradeCount state completeness';
const candles = (args: string) =>
  `candles(exchange: "${EXCHANGE}", symbol: "${CANDLE_SYMBOL}", ${args}) { edges { node { ${CANDLE_FIELDS} } } ${INFO} }`;
const CANDLE_DOCUMENT = `query ($interval: CandleInterval!, $from: DateTime!, $to: DateTime) {
  ${candles(`interval: $interval, from: $from, to: $to, first: ${PAGE}`)} }`;
const [MINUTE, HOUR] = [60_000, 3_600_000];
const iso = (time: number) => new Date(time).toISOString();

/** A page of candles of a minute. */
export const candlesIn = (id: ContenderId, from: number): object => {
  const [begin, end] = [iso(from), iso(from + PAGE * MINUTE)];
  if (id === 'limit') return { candlesOf: 60, from: begin, to: end };
  return { query: CANDLE_DOCUMENT, variables: { interval: 'M1', from: begin, to: end } };
};

/** All candles of an hour, in one document as large as pages are. */
export const hoursIn = (id: ContenderId, begin: number, end: number): object => {
  if (id === 'limit') return { candlesOf: 3_600, from: iso(begin), to: iso(end) };
  const parts: string[] = [];
  for (let from = begin; from < end; from += PAGE * HOUR) {
    const to = iso(Math.min(end, from + PAGE * HOUR));
    parts.push(`part${parts.length}: ${candles(`interval: H1, from: "${iso(from)}", to: "${to}", first: ${PAGE}`)}`);
  }
  return { query: `{ ${parts.join(' ')} }` };
};
