import { DataType } from '../market/data-type.ts';
import { decimal } from '../market/decimal.ts';
import type { BookLevel, BookValidity, MarketEvent, OrderBook } from '../market/market-event.ts';
import { AppError } from '../runtime/errors.ts';
import type { MarketDataRow } from '../storage/market-data.ts';
import type { GraphQLContext } from './context.ts';

type EventOf<K extends MarketEvent['kind']> = Extract<MarketEvent, { readonly kind: K }>;

/**
 * A row of `market_data` as the event it was stored from. When it was received is not stored; `receivedAt` is then the time it was
 * written.
 * @throws {AppError} EXCHANGE_UNKNOWN when the exchange is no longer supported.
 */
export function readRow<K extends Exclude<DataType, 'trade'>>(
  { exchanges }: GraphQLContext,
  row: MarketDataRow,
  kind: K,
): EventOf<K> {
  if (kind === DataType.ORDERBOOK) return readBook(row) as EventOf<K>;
  const adapter = exchanges[row.exchange];
  if (!adapter)
    throw new AppError('EXCHANGE_UNKNOWN', `The exchange "${row.exchange}" of stored data is no longer supported`);
  const nativeSymbol = adapter.needsInstruments ? null : adapter.nativeSymbol(row.symbol);
  const channel = {
    key: '',
    endpoint: 'public',
    dataType: kind,
    name: adapter.channelNames[kind]?.[0] ?? kind,
    nativeSymbol,
  } as const;
  const event = adapter.readPayload(row.data, { channel, symbol: row.symbol }, row.createdAt.getTime());
  return { ...event, exchangeTime: row.timestamp.getTime() } as EventOf<K>;
}

/** Assembled books are stored in our own shape, the same for every exchange. */
function readBook({ exchange, symbol, timestamp, createdAt, data }: MarketDataRow): OrderBook {
  const book = data as {
    bids: [string, string][];
    asks: [string, string][];
    sequence: number | null;
    validity: BookValidity;
  };
  const levels = (side: readonly [string, string][]): BookLevel[] =>
    side.map(([price, size]) => [decimal(price), decimal(size)]);
  return {
    ...{
      kind: 'orderbook',
      exchange,
      symbol,
      exchangeTime: timestamp.getTime(),
      receivedAt: createdAt.getTime(),
      raw: null,
    },
    bids: levels(book.bids),
    asks: levels(book.asks),
    sequence: book.sequence,
    validity: book.validity,
  };
}
