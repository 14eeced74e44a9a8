/** Gives stored trades the place that `rollUp` asks for. `trades`: where they are read. */
export const numberedBy = (trades: string): string => `numbered as materialized (
  select *, row_number() over (order by ts, length(trade_id), trade_id) as n from ${trades})`;
