import type { DataType } from '../market/data-type.ts';
import type { MarketEvent } from '../market/market-event.ts';
import { AppError } from '../runtime/errors.ts';
import type { MarketDataRow } from '../storage/market-data.ts';
import type { GraphQLContext } from './context.ts';

type EventOf<K extends MarketEvent['kind']> = Extract<MarketEvent, { readonly kind: K }>;

/**
 * A row of `market_data` as the event it was stored from. When it was received is not stored; `receivedAt` is the time it was written.
 * @throws {AppError} EXCHANGE_UNKNOWN when the exchange is no longer supported.
 */
export function readRow<K extends Exclude<DataType, 'trade'>>(
  { exchanges }: GraphQLContext,
  row: MarketDataRow,
  kind: K,
): EventOf<K> {
  const adapter = exchanges[row.exchange];
  if (!adapter)
    throw new AppError('EXCHANGE_UNKNOWN', `The exchange "${row.exchange}" of stored data is no longer supported`);
  const channel = {
    ...{ key: '', endpoint: 'public' as const, dataType: kind, name: adapter.channelNames[kind]?.[0] ?? kind },
    nativeSymbol: nativeSymbolOf(row.data),
  };
  const event = adapter.readPayload(row.data, { channel, symbol: row.symbol }, row.createdAt.getTime());
  return { ...event, exchangeTime: row.timestamp.getTime() } as EventOf<K>;
}

/** Adapters refuse a payload of another instrument than its channel's; a stored one was checked when it came, so its own word is taken. */
function nativeSymbolOf(payload: unknown): string | null {
  const { s, instId } = (payload ?? {}) as { s?: unknown; instId?: unknown };
  const found = s ?? instId;
  return typeof found === 'string' ? found : null;
}
