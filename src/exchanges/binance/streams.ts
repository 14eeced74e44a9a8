import { DataType } from '../../market/data-type.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Channel, OutFrame } from '../adapter.ts';
import { batchesBelow } from '../batches.ts';

const INTERVALS = ['1m', '1s', '3m', '5m', '15m', '30m', '1h', '2h', '4h', '6h', '8h', '12h', '1d', '3d', '1w', '1M'];

/** The interval a kline stream carries, by the stream's name; Binance's words for intervals are ours. */
export const KLINES: ReadonlyMap<string, string> = new Map(
  INTERVALS.map((interval) => [`kline_${interval}`, interval]),
);

/** Best bid and ask come at once on one stream, the rest of a ticker once a second on another; a whole ticker needs both. */
const WHOLE_TICKER = 'bookTicker+ticker';

const DEPTHS = ['depth5', 'depth10', 'depth20'];

/** Per data type the names a configuration may use, the default first. */
export const STREAM_NAMES: Readonly<Partial<Record<DataType, readonly string[]>>> = {
  [DataType.TRADE]: ['trade', 'aggTrade'],
  [DataType.TICKER]: [WHOLE_TICKER, 'bookTicker', 'ticker'],
  [DataType.ORDERBOOK]: ['depth@100ms', 'depth', ...DEPTHS, ...DEPTHS.map((depth) => `${depth}@100ms`)],
  [DataType.CANDLE]: [...KLINES.keys()],
};

/** A stream's name on the wire, which is its key too. Binance wants lower case and answers anything else with silence. */
export const streamOf = (nativeSymbol: string, name: string): string => `${nativeSymbol.toLowerCase()}@${name}`;

/** @throws {AppError} COLLECTOR_CONFIG_INVALID for a stream that does not carry this data type. */
export function channels(nativeSymbol: string, dataType: DataType, channelName?: string): readonly Channel[] {
  const names = STREAM_NAMES[dataType] ?? [];
  const chosen = channelName ?? names[0];
  if (chosen === undefined || !names.includes(chosen))
    throw new AppError(
      'COLLECTOR_CONFIG_INVALID',
      `Binance has no ${dataType} stream "${channelName ?? ''}"; choose ${names.join(', ') || 'another data type'}`,
    );
  const streams = chosen === WHOLE_TICKER ? ['ticker', 'bookTicker'] : [chosen]; // the later one's bid and ask win
  return streams.map((name) => ({
    key: streamOf(nativeSymbol, name),
    endpoint: 'public',
    dataType,
    name,
    nativeSymbol,
  }));
}

/** Binance leaves SUBSCRIBE frames of about 4 KB unanswered; the names stay far enough below. */
const MAX_PARAMS_BYTES = 3_800;

export function requestFrames(
  method: 'SUBSCRIBE' | 'UNSUBSCRIBE',
  wanted: readonly Channel[],
  nextRequest: () => string,
): readonly OutFrame[] {
  return batchesBelow(MAX_PARAMS_BYTES, wanted, ({ key }) => JSON.stringify(key)).map((batch) => {
    const request = nextRequest();
    const params = batch.map(({ key }) => key);
    const id = /^\d{1,15}$/.test(request) ? Number(request) : request;
    return { text: JSON.stringify({ method, params, id }), request, channels: params };
  });
}
