/** Lengths of stored candles, in seconds: a second, a minute, an hour. */
export const STORED_SECONDS = [1, 60, 3_600] as const;

/** Trades as columns that make up a candle, in the order of the table but for its key. `of`: where they are read. */
export const candleColumns = `max(recorded_at) as recorded_at, sum(fill_count) as trade_count,
    (array_agg(price order by ts, length(trade_id), trade_id))[1] as open, max(price) as high, min(price) as low,
    (array_agg(price order by ts desc, length(trade_id) desc, trade_id desc))[1] as close,
    sum(size) as volume, sum(price * size) as quote_volume, coalesce(sum(size) filter (where side = 'b'), 0) as buy_volume,
    min(ts) as first_ts, max(ts) as last_ts, (array_agg(trade_id order by ts, length(trade_id), trade_id))[1] as first_id,
    (array_agg(trade_id order by ts desc, length(trade_id) desc, trade_id desc))[1] as last_id`;

/** Candles of the first length from trades, of each further one from the candles of the one before. */
const folded = (seconds: number, from: string, time: string, sums: string): string => `
      select instrument_id, ${seconds} as seconds, date_bin('${seconds} seconds', ${time}, 'epoch') as opens,
        max(recorded_at) as recorded_at, ${sums} from ${from} group by 1, 3`;

const OF_TRADES = `sum(fill_count) as trade_count, max(price) as high, min(price) as low, sum(size) as volume,
        sum(price * size) as quote_volume, coalesce(sum(size) filter (where side = 'b'), 0) as buy_volume, min(n) as first, max(n) as last`;
const OF_CANDLES = `sum(trade_count)::int8 as trade_count, max(high) as high, min(low) as low, sum(volume) as volume,
        sum(quote_volume) as quote_volume, sum(buy_volume) as buy_volume, min(first) as first, max(last) as last`;

const tableOf = (seconds: number) => `of_${seconds}`;

const isEarlier =
  '(excluded.first_ts, length(excluded.first_id), excluded.first_id) < (c.first_ts, length(c.first_id), c.first_id)';
const isLater =
  '(excluded.last_ts, length(excluded.last_id), excluded.last_id) > (c.last_ts, length(c.last_id), c.last_id)';
const either = (condition: string, column: string) =>
  `${column} = case when ${condition} then excluded.${column} else c.${column} end`;

/**
 * A statement that takes new trades into the candles they belong to, whatever the order they come in: what it adds up does not
 * depend on it. In an order all writers share, so that two of them never wait for one another in a circle. The first and last trade of a
 * candle are those of the least and greatest place, which costs a tenth of sorting for each.
 * `numbered`: a part of the statement by that name, trades with their place in the order they were made, `n`. `candles`: the partition that takes them all, where one does.
 */
export const rollUp = (numbered: string, candles = 'candle'): string => `
    with ${numbered}, ${STORED_SECONDS.map((seconds, k) => {
      const shorter = STORED_SECONDS[k - 1];
      const [from, time, sums] =
        shorter === undefined ? ['numbered', 'ts', OF_TRADES] : [tableOf(shorter), 'opens', OF_CANDLES];
      return `${tableOf(seconds)} as materialized (${folded(seconds, from, time, sums)}
    )`;
    }).join(', ')}
    insert into tcp_dashboard.${candles} as c (instrument_id, seconds, ts, recorded_at, trade_count, open, high, low, close,
      volume, quote_volume, buy_volume, first_ts, last_ts, first_id, last_id)
    select o.instrument_id, o.seconds, o.opens, o.recorded_at, o.trade_count, f.price, o.high, o.low, l.price,
      o.volume, o.quote_volume, o.buy_volume, f.ts, l.ts, f.trade_id, l.trade_id
    from (${STORED_SECONDS.map((seconds) => `select * from ${tableOf(seconds)}`).join(' union all ')}) o
      join numbered f on f.n = o.first join numbered l on l.n = o.last
    order by o.instrument_id, o.seconds, o.opens
    on conflict (instrument_id, seconds, ts) do update set
      recorded_at = greatest(c.recorded_at, excluded.recorded_at), trade_count = c.trade_count + excluded.trade_count,
      high = greatest(c.high, excluded.high), low = least(c.low, excluded.low), volume = c.volume + excluded.volume,
      quote_volume = c.quote_volume + excluded.quote_volume, buy_volume = c.buy_volume + excluded.buy_volume,
      ${['open', 'first_ts', 'first_id'].map((column) => either(isEarlier, column)).join(', ')},
      ${['close', 'last_ts', 'last_id'].map((column) => either(isLater, column)).join(', ')}`;
