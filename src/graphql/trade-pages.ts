import type { TradePageQuery, TradeQuery } from '../storage/trade-pages.ts';
import type { GraphQLContext, TradePage } from './context.ts';

interface Asked {
  readonly query: TradeQuery;
  readonly resolve: (page: TradePage | Promise<TradePage>) => void;
}

/** What operations ask for in this turn, by their contexts. */
const asked = new WeakMap<object, Asked[]>();

/**
 * A page of trades. Pages that one operation asks for in one turn, which differ in nothing but their market, are read together: a hundred
 * statements cost five times as much.
 */
export function readTrades(context: Pick<GraphQLContext, 'history'>, query: TradeQuery): Promise<TradePage> {
  return new Promise((resolve) => {
    const open = asked.get(context);
    if (open) return open.push({ query, resolve });
    const all: Asked[] = [{ query, resolve }];
    asked.set(context, all);
    // After all that can go on without waiting for anything has gone on.
    process.nextTick(() => {
      asked.delete(context);
      for (const alike of Map.groupBy(all, likeness).values()) void readAlike(context, alike);
    });
  });
}

const conditionsOf = ({ query: { exchange: _exchange, symbol: _symbol, ...conditions } }: Asked): TradePageQuery =>
  conditions;
const likeness = (one: Asked): string => JSON.stringify(conditionsOf(one));

async function readAlike({ history }: Pick<GraphQLContext, 'history'>, alike: readonly Asked[]): Promise<void> {
  const [first] = alike;
  const markets = alike.map(({ query: { exchange, symbol } }) => ({ exchange, symbol }));
  // What fails together is asked for alone, so that none has the error of another.
  const pages =
    first && alike.length > 1 ? await history.listTradesOf(markets, conditionsOf(first)).catch(() => null) : null;
  for (const [k, { query, resolve }] of alike.entries()) resolve(pages?.[k] ?? history.listTrades(query));
}
