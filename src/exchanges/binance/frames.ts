import { DataType } from '../../market/data-type.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Frame, Reaction, Route } from '../adapter.ts';
import { readEach } from '../fields.ts';
import { isObject, parseObject } from '../json.ts';
import { readDepth, readDiff, readKline, readTicker, readTrade } from './records.ts';
import { KLINES, streamOf } from './streams.ts';
import { readTradeText } from './trade-text.ts';

type Parsed = Readonly<Record<string, unknown>>;
type Routes = ReadonlyMap<string, Route>;

/**
 * Codes of a refused request. Binance answers the right name of no instrument with silence, not with an error.
 * Source: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams#error-messages
 */
const REACTIONS: ReadonlyMap<string, Reaction> = new Map([
  ['0', 'drop-channel'], // unknown property
  ['1', 'drop-channel'], // invalid value type
  ['2', 'drop-channel'], // invalid request
  ['3', 'drop-channel'], // invalid JSON
]);

/** @throws {AppError} FRAME_MALFORMED when the frame is neither control nor data. */
export const readFrame = (text: string, receivedAt: number, routes: Routes): Frame =>
  readTradeText(text, receivedAt, routes) ?? readAnyFrame(text, receivedAt, routes);

/** Whatever its shape. */
export function readAnyFrame(text: string, receivedAt: number, routes: Routes): Frame {
  const frame = parseObject(text);
  if (frame.stream !== undefined) return readStream(frame, receivedAt, routes);
  if (frame.code !== undefined || frame.error !== undefined) return readError(frame);
  if (frame.result !== undefined) return readResult(frame);
  return readNamed(streamWithoutName(frame, routes), frame, receivedAt, routes);
}

/** On `/stream` every event is wrapped with the name of its stream. */
function readStream({ stream, data }: Parsed, receivedAt: number, routes: Routes): Frame {
  if (typeof stream !== 'string') throw malformed('has a stream that is not a name');
  if (Array.isArray(data)) return ignored('unwanted-channel'); // streams of all markets at once
  if (!isObject(data)) throw malformed(`of ${stream.slice(0, 80)} holds no data`);
  return readNamed(stream, data, receivedAt, routes);
}

function readNamed(channel: string | null, data: Parsed, receivedAt: number, routes: Routes): Frame {
  if (data.e === 'serverShutdown') return { kind: 'closing-soon', reason: 'server shutdown' };
  if (channel === null) return ignored('unknown-event');
  const route = routes.get(channel);
  if (!route) return ignored('unwanted-channel');
  if (route.channel.dataType === DataType.ORDERBOOK) {
    const { accepted, rejected } = readEach([data], () =>
      data.lastUpdateId === undefined ? readDiff(data, route, receivedAt) : readDepth(data, receivedAt),
    );
    return { kind: 'book', channel, changes: accepted, rejected };
  }
  const { accepted, rejected } = readEach([data], () => readEvent(data, route, receivedAt));
  return { kind: 'events', channel, events: accepted, rejected };
}

function readEvent(data: Parsed, route: Route, receivedAt: number) {
  const { dataType, name } = route.channel;
  if (dataType === DataType.TRADE) return readTrade(data, route, receivedAt);
  if (dataType === DataType.TICKER) return readTicker(data, route, receivedAt);
  return readKline(data, KLINES.get(name) ?? '', route, receivedAt);
}

/** Streams by the `e` of an event, for sockets on `/ws` that wrap nothing. */
const NAMES: ReadonlyMap<unknown, string> = new Map([
  ['trade', 'trade'],
  ['aggTrade', 'aggTrade'],
  ['24hrTicker', 'ticker'],
  ['bookTicker', 'bookTicker'],
]);

/** Null when the event does not tell its stream; a partial depth without its wrapper does not even name its instrument. */
function streamWithoutName(event: Parsed, routes: Routes): string | null {
  if (event.e === undefined && (event.u === undefined || event.lastUpdateId !== undefined)) {
    if (event.lastUpdateId === undefined) throw malformed('is neither an event nor an answer');
    return null;
  }
  if (typeof event.s !== 'string') return null;
  if (event.e === 'kline' && isObject(event.k)) return streamOf(event.s, `kline_${event.k.i}`);
  if (event.e === 'depthUpdate')
    return ['depth@100ms', 'depth'].map((name) => streamOf(`${event.s}`, name)).find((key) => routes.has(key)) ?? null;
  const name = event.e === undefined ? 'bookTicker' : NAMES.get(event.e); // spot's bookTicker has no `e`
  return name === undefined ? null : streamOf(event.s, name);
}

/** Subscribing and unsubscribing are answered alike and name no stream; who asked knows by the request. */
function readResult({ result, id }: Parsed): Frame {
  if (result !== null) return ignored('list');
  return { kind: 'subscribed', request: requestOf(id), channels: [] };
}

function readError(frame: Parsed): Frame {
  const { code, msg } = isObject(frame.error) ? frame.error : frame;
  const word = String(code ?? '').slice(0, 16);
  return {
    kind: 'error',
    reaction: REACTIONS.get(word) ?? 'retry',
    code: word,
    message: typeof msg === 'string' ? msg.slice(0, 300) : '',
    request: requestOf(frame.id),
    channels: [],
  };
}

const requestOf = (id: unknown): string | null =>
  typeof id === 'number' || typeof id === 'string' ? String(id) : null;

const ignored = (reason: string): Frame => ({ kind: 'ignored', reason });
const malformed = (what: string) => new AppError('FRAME_MALFORMED', `A Binance frame ${what}`);
