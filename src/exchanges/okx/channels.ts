import { createHmac } from 'node:crypto';
import { DataType } from '../../market/data-type.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Channel, Credentials, Endpoint, OutFrame } from '../adapter.ts';
import { batchesBelow } from '../batches.ts';

/**
 * Our interval to OKX's word. From six hours on OKX cuts days at UTC+8 unless asked for `utc`, so only those are offered.
 * `1M` is a month, `1m` a minute: the names are case-sensitive.
 */
export const BARS: ReadonlyMap<string, string> = new Map([
  ...['1m', '1s', '3m', '5m', '15m', '30m'].map((same): [string, string] => [same, same]),
  ...[1, 2, 4].map((hours): [string, string] => [`${hours}h`, `${hours}H`]),
  ...[6, 12].map((hours): [string, string] => [`${hours}h`, `${hours}Hutc`]),
  ['1d', '1Dutc'],
  ['1w', '1Wutc'],
  ['1M', '1Mutc'],
]);

/** The interval a candle channel carries, by the channel's name. */
export const INTERVALS: ReadonlyMap<string, string> = new Map(
  [...BARS].map(([interval, bar]) => [`candle${bar}`, interval]),
);

/** Per data type the channels that carry it, the default first. */
export const CHANNEL_NAMES: Readonly<Record<DataType, readonly string[]>> = {
  [DataType.TRADE]: ['trades-all', 'trades'],
  [DataType.TICKER]: ['tickers'],
  [DataType.ORDERBOOK]: ['books5', 'books', 'bbo-tbt'],
  [DataType.CANDLE]: [...INTERVALS.keys()],
  [DataType.BALANCE]: ['account'],
};

/** What every frame says about the channel it belongs to. */
export interface ChannelArg {
  readonly channel: string;
  readonly instId?: string;
}

const keys = new Map<string, Map<string, string>>();
let room = 10_000; // far more than one server collects; a stranger's names cannot grow it further

/** Remembered, because joining and hashing a new string for every frame costs a tenth of reading it. */
export function keyOf({ channel, instId }: ChannelArg): string {
  if (instId === undefined) return channel;
  const found = keys.get(channel)?.get(instId);
  if (found !== undefined) return found;
  const key = `${channel}:${instId}`;
  if (room > 0) keys.set(channel, (keys.get(channel) ?? new Map<string, string>()).set(instId, key));
  room -= 1;
  return key;
}

/** @throws {AppError} COLLECTOR_CONFIG_INVALID for a channel that does not carry this data type. */
export function channels(nativeSymbol: string, dataType: DataType, channelName?: string): readonly Channel[] {
  const names = CHANNEL_NAMES[dataType];
  const name = channelName ?? names[0];
  if (name === undefined || !names.includes(name))
    throw new AppError(
      'COLLECTOR_CONFIG_INVALID',
      `OKX has no ${dataType} channel "${channelName}"; choose ${names.join(', ')}`,
    );
  const owner = dataType === DataType.BALANCE ? null : nativeSymbol;
  const key = keyOf(owner === null ? { channel: name } : { channel: name, instId: owner });
  return [{ key, endpoint: endpointOf(name), dataType, name, nativeSymbol: owner }];
}

/** Asked for on the wrong URL a channel answers 64001, 64002 or 60018 and stays silent. */
function endpointOf(name: string): Endpoint {
  if (name === 'account') return 'private';
  return name === 'trades-all' || INTERVALS.has(name) ? 'business' : 'public';
}

/** OKX allows 64 KB of arguments in one request; the rest of the frame has room in the difference. */
const MAX_ARGS_BYTES = 60_000;

/** One request with many arguments counts once against the 480 an hour, so as many as fit go together. */
export function requestFrames(
  op: 'subscribe' | 'unsubscribe',
  wanted: readonly Channel[],
  nextRequest: () => string,
): readonly OutFrame[] {
  const batches = batchesBelow(MAX_ARGS_BYTES, wanted, (channel) => JSON.stringify(argOf(channel)));
  return batches.map((batch) => {
    const request = nextRequest();
    const text = JSON.stringify({ id: request, op, args: batch.map(argOf) });
    return { text, request, channels: batch.map((channel) => channel.key) };
  });
}

const argOf = ({ name, nativeSymbol }: Channel): ChannelArg =>
  nativeSymbol === null ? { channel: name } : { channel: name, instId: nativeSymbol };

/** Valid for about 30 s; `now` in ms. Over WebSocket OKX wants Unix seconds, over REST it would be ISO-8601. */
export function loginFrame({ key, secret, passphrase }: Credentials, now: number): string {
  const timestamp = String(Math.floor(now / 1000));
  const sign = createHmac('sha256', secret).update(`${timestamp}GET/users/self/verify`).digest('base64');
  return JSON.stringify({ op: 'login', args: [{ apiKey: key, passphrase, timestamp, sign }] });
}
