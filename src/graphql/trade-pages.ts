import { isAway } from '../storage/database-errors.ts';
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
  const alone = ({ query }: Asked) => history.listTrades(query);
  let pageOf: (one: Asked, k: number) => TradePage | Promise<TradePage> = alone;
  const [first] = alike;
  if (first && alike.length > 1)
    try {
      const markets = alike.map(({ query: { exchange, symbol } }) => ({ exchange, symbol }));
      const pages = await history.listTradesOf(markets, conditionsOf(first));
      pageOf = (one, k) => pages[k] ?? alone(one);
    } catch (error) {
      // Else asked for alone, so that none has the error of another; of a database that is away all have the same, and would wait for it once more.
      if (isAway(error)) pageOf = () => Promise.reject(error);
    }
  for (const [k, one] of alike.entries()) one.resolve(pageOf(one, k));
}
