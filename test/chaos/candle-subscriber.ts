import { type Subscriber, startResuming } from './subscriber.ts';

/** Of each candle, what a client compares. */
export const CANDLE_FIELDS =
  'symbol openTime closeTime open high low close volume quoteVolume buyVolume vwap tradeCount revision availableAt state completeness';

export interface ShownCandle {
  readonly symbol: string;
  readonly closeTime: string;
  readonly state: 'FORMING' | 'PROVISIONAL' | 'FINAL';
  readonly completeness: string;
  readonly revision: number;
  readonly tradeCount: string;
}

interface Change {
  readonly type: 'UPDATED' | 'CLOSED' | 'REVISED';
  readonly candle: ShownCandle;
  readonly previous: ShownCandle | null;
}

const STREAM = `
  subscription ($symbols: [String!]!, $interval: CandleInterval!, $forming: Boolean, $after: Cursor) {
    candles(exchange: "okx", symbols: $symbols, interval: $interval, includeForming: $forming, after: $after) {
      cursor conflated changes { type candle { ${CANDLE_FIELDS} } previous { tradeCount closeTime } }
    }
  }`;

/** A client that keeps the last state of each candle and comes back after its cursor for ever. */
export interface CandleSubscriber<Interval extends string = string>
  extends AsyncDisposable,
    Pick<Subscriber, 'cut' | 'errors'> {
  readonly interval: Interval;
  /** By symbol and close time. */
  readonly candles: ReadonlyMap<string, ShownCandle>;
  /** How often each was told to be closed. */
  readonly closed: ReadonlyMap<string, number>;
  readonly sessions: number;
  readonly changes: Readonly<Record<Change['type'], number>>;
  /** Revisions whose `previous` was not what had been told. */
  readonly strangePrevious: readonly string[];
}

export const keyOf = ({ symbol, closeTime }: Pick<ShownCandle, 'symbol' | 'closeTime'>): string =>
  `${symbol} ${closeTime}`;

export function startCandleSubscriber<Interval extends string>(
  url: () => string,
  {
    symbols,
    interval,
    forming,
  }: { readonly symbols: readonly string[]; readonly interval: Interval; readonly forming: boolean },
): CandleSubscriber<Interval> {
  const candles = new Map<string, ShownCandle>();
  const closed = new Map<string, number>();
  const changes = { UPDATED: 0, CLOSED: 0, REVISED: 0 };
  const errors: string[] = [];
  const strangePrevious: string[] = [];
  let [sessions, cursor] = [0, null as string | null];
  const stream = startResuming<{ candles?: { cursor: string; changes: readonly Change[] } }>({
    ...{ url, query: STREAM },
    variables: () => ({ symbols, interval, forming, after: cursor }),
    refused: (code) => errors.push(code),
    take: (data, first) => {
      if (!data.candles) return;
      if (first) sessions += 1;
      for (const { type, candle, previous } of data.candles.changes) {
        const key = keyOf(candle);
        const known = candles.get(key);
        if (type === 'CLOSED') closed.set(key, (closed.get(key) ?? 0) + 1);
        if (type === 'REVISED' && known && known.tradeCount !== previous?.tradeCount)
          strangePrevious.push(`${interval} ${key}: ${previous?.tradeCount} instead of ${known.tradeCount}`);
        candles.set(key, candle);
        changes[type] += 1;
      }
      cursor = data.candles.cursor;
    },
  });
  return {
    ...{ interval, candles, closed, changes, errors, strangePrevious },
    get sessions() {
      return sessions;
    },
    ...stream,
    [Symbol.asyncDispose]: () => stream[Symbol.asyncDispose](),
  };
}
