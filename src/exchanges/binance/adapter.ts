import { PUBLIC_DATA_TYPES } from '../../market/data-type.ts';
import { AppError } from '../../runtime/errors.ts';
import type { ExchangeAdapter } from '../adapter.ts';
import { readFrame } from './frames.ts';
import { readPayload } from './records.ts';
import { rest } from './rest.ts';
import { channels, requestFrames, STREAM_NAMES } from './streams.ts';

/** On `/stream` each event is wrapped with its stream's name, without which a partial depth would belong to nobody. */
const STREAMS_URL = 'wss://stream.binance.com:9443/stream';

const HOUR_MS = 3_600_000;

/** Binance spot, public market data: one kind of socket for everything. */
export const binance: ExchangeAdapter = {
  id: 'binance',
  name: 'Binance',
  docs: 'https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams',
  connection: {
    public_ws_url: STREAMS_URL,
    business_ws_url: STREAMS_URL, // unused: no stream of ours lives elsewhere
    private_ws_url: STREAMS_URL,
    rest_url: 'https://api.binance.com',
    ping_interval: 25, // the server's own ping comes every 20 s
    pong_timeout: 10,
    max_reconnect_attempts: 5,
    reconnect_delay: 5,
  },
  dataTypes: PUBLIC_DATA_TYPES,
  channelNames: STREAM_NAMES,
  limits: {
    connectsPerSecond: 1, // 300 in 5 minutes
    requestsPerHour: Number.POSITIVE_INFINITY,
    framesPerSecond: 4, // 5, and our pongs count too
    channelsPerSocket: 1_024,
    socketLifeMs: 23 * HOUR_MS, // Binance cuts at 24 h; an hour is left to find a good moment
  },
  heartbeat: { by: 'server', everyMs: 20_000 },
  bookRecovery: 'rest-snapshot',
  maxFrameBytes: 1_048_576, // a diff that replaced 5,000 levels on both sides would have 300 kB
  needsInstruments: true,
  capabilities: {
    tradeProof: 'TRADE_ID_CONTIGUITY',
    bookProof: 'SEQUENCE_CHAIN',
    tradeBackfill: { by: 'trade id', reach: 'since listing', pageSize: 1_000 },
  },
  rest,
  channels,
  nativeSymbol: (symbol) => {
    throw new AppError(
      'SYMBOL_UNKNOWN',
      `Binance lists no instrument "${symbol.slice(0, 80)}"; its names come from exchangeInfo`,
    );
  },
  subscribeFrames: (wanted, nextRequest) => requestFrames('SUBSCRIBE', wanted, nextRequest),
  unsubscribeFrames: (unwanted, nextRequest) => requestFrames('UNSUBSCRIBE', unwanted, nextRequest),
  loginFrame: () => null,
  readFrame,
  readPayload,
};
