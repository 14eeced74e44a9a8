import { DataType } from '../../market/data-type.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Frame, Route } from '../adapter.ts';
import { readEach } from '../fields.ts';
import { isObject, parseObject } from '../json.ts';
import { INTERVALS } from './channels.ts';
import { keyOfArg, readError, requestOf } from './errors.ts';
import { readBalance, readBook, readCandle, readTicker, readTrade } from './records.ts';
import { readTradeText } from './trade-text.ts';

type Parsed = Readonly<Record<string, unknown>>;
type Routes = ReadonlyMap<string, Route>;

/**
 * Control frames by their `event`. One that is missing here is new, and ignored.
 * Source: https://www.okx.com/docs-v5/en/#overview-websocket
 */
const CONTROL: ReadonlyMap<unknown, (frame: Parsed) => Frame> = new Map([
  [
    'subscribe',
    (frame: Parsed): Frame => ({ kind: 'subscribed', request: requestOf(frame), channels: [ackedKey(frame)] }),
  ],
  ['unsubscribe', (frame) => ({ kind: 'unsubscribed', request: requestOf(frame), channels: [ackedKey(frame)] })],
  ['login', (frame) => (frame.code === '0' || frame.code === undefined ? { kind: 'logged-in' } : readError(frame))],
  ['error', readError],
  ['notice', (frame) => (frame.code === '64008' ? readError(frame) : ignored('notice'))],
  ['channel-conn-count', () => ignored('connection-count')],
  // The 31st connection that wants the same private channel: others may leave, so ask again later.
  ['channel-conn-count-error', (frame) => ({ ...tooManyConnections, channels: namedChannel(frame) })],
]);

const tooManyConnections = {
  kind: 'error',
  reaction: 'retry',
  code: 'channel-conn-count-error',
  message: 'Too many connections hold this private channel.',
  request: null,
} as const;

/** @throws {AppError} FRAME_MALFORMED when the frame is neither control nor data. */
export const readFrame = (text: string, receivedAt: number, routes: Routes): Frame =>
  readTradeText(text, receivedAt, routes) ?? readAnyFrame(text, receivedAt, routes);

/** Whatever its shape. */
export function readAnyFrame(text: string, receivedAt: number, routes: Routes): Frame {
  if (text === 'pong') return { kind: 'pong' };
  if (text === 'ping') return ignored('ping');
  const frame = parseObject(text);
  if (frame.event === undefined) return readData(frame, receivedAt, routes);
  return CONTROL.get(frame.event)?.(frame) ?? ignored('unknown-event');
}

function readData(frame: Parsed, receivedAt: number, routes: Routes): Frame {
  const channel = keyOfArg(frame.arg);
  if (channel === null) throw malformed('names no channel');
  if (!Array.isArray(frame.data)) throw malformed(`of ${channel.slice(0, 80)} holds no data array`);
  const route = routes.get(channel);
  if (!route) return ignored('unwanted-channel');
  const { name, dataType } = route.channel;
  if (dataType === DataType.ORDERBOOK) {
    const action = actionOf(name, frame.action);
    const { accepted, rejected } = readEach(frame.data, (record) => readBook(record, action, route, receivedAt));
    return { kind: 'book', channel, changes: accepted, rejected };
  }
  const { accepted, rejected } = readEvents(frame.data, route, receivedAt);
  return { kind: 'events', channel, events: accepted, rejected };
}

function readEvents(records: readonly unknown[], route: Route, receivedAt: number) {
  const { dataType, name } = route.channel;
  if (dataType === DataType.TRADE) return readEach(records, (record) => readTrade(record, route, receivedAt));
  if (dataType === DataType.TICKER) return readEach(records, (record) => readTicker(record, route, receivedAt));
  if (dataType === DataType.CANDLE)
    return readEach(records, (record) => readCandle(record, INTERVALS.get(name) ?? '', route, receivedAt));
  return readEach(records.flatMap(currenciesOf), (record) => readBalance(record, receivedAt));
}

/** An account push nests the currencies one level deeper; `details` may be empty. */
const currenciesOf = (account: unknown): readonly unknown[] =>
  isObject(account) && Array.isArray(account.details) ? account.details : [account];

/** `books` says which it is; the others send the whole book each time and say nothing. */
function actionOf(name: string, action: unknown): 'snapshot' | 'update' {
  if (action === 'snapshot' || action === 'update') return action;
  if (name !== 'books' && action === undefined) return 'snapshot';
  throw malformed(`of ${name} has no known action`);
}

function ackedKey(frame: Parsed): string {
  const key = keyOfArg(frame.arg);
  if (key === null) throw malformed('acknowledges no channel');
  return key;
}

const namedChannel = ({ channel }: Parsed): readonly string[] => (typeof channel === 'string' ? [channel] : []);

const ignored = (reason: string): Frame => ({ kind: 'ignored', reason });
const malformed = (what: string) => new AppError('FRAME_MALFORMED', `An OKX frame ${what}`);
