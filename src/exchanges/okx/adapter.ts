import { DATA_TYPES } from '../../market/data-type.ts';
import { AppError } from '../../runtime/errors.ts';
import type { ExchangeAdapter } from '../adapter.ts';
import { CHANNEL_NAMES, channels, loginFrame, requestFrames } from './channels.ts';
import { readFrame } from './frames.ts';
import { bookChecksum, readPayload } from './records.ts';
import { rest } from './rest.ts';

/** OKX, API v5: public, business and private sockets, each with its own channels. */
export const okx: ExchangeAdapter = {
  id: 'okx',
  name: 'OKX',
  docs: 'https://www.okx.com/docs-v5/en/#overview-websocket',
  connection: {
    public_ws_url: 'wss://ws.okx.com:8443/ws/v5/public',
    business_ws_url: 'wss://ws.okx.com:8443/ws/v5/business',
    private_ws_url: 'wss://ws.okx.com:8443/ws/v5/private',
    rest_url: 'https://www.okx.com',
    ping_interval: 25,
    pong_timeout: 10,
    max_reconnect_attempts: 5,
    reconnect_delay: 5,
  },
  dataTypes: DATA_TYPES,
  channelNames: CHANNEL_NAMES,
  limits: {
    connectsPerSecond: 3,
    requestsPerHour: 480,
    framesPerSecond: 10, // OKX names no limit; ten are more than batched requests need
    channelsPerSocket: 60, // OKX advises about 30 books on a socket, and each collector has a ticker beside its book
    socketLifeMs: Number.POSITIVE_INFINITY,
  },
  heartbeat: { by: 'client', text: 'ping', idleCutMs: 30_000 },
  bookRecovery: 'resubscribe',
  maxFrameBytes: 1_048_576, // 800 book levels are 32 kB, 400 currencies of an account 400 kB
  needsInstruments: false,
  capabilities: {
    tradeProof: 'TRADE_ID_CONTIGUITY',
    bookProof: 'SEQUENCE_CHAIN',
    tradeBackfill: { by: 'trade id', reach: 'about 3 months', pageSize: 100 },
  },
  rest,
  channels,
  nativeSymbol,
  subscribeFrames: (wanted, nextRequest) => requestFrames('subscribe', wanted, nextRequest),
  unsubscribeFrames: (unwanted, nextRequest) => requestFrames('unsubscribe', unwanted, nextRequest),
  loginFrame,
  readFrame,
  readPayload,
  bookChecksum,
};

/** OKX's own ids are canonical already: BTC-USDT, BTC-USDT-SWAP. */
function nativeSymbol(symbol: string): string {
  if (/^\w{1,20}(-\w{1,20}){1,4}$/.test(symbol)) return symbol;
  throw new AppError('SYMBOL_UNKNOWN', `OKX symbols look like BTC-USDT or BTC-USDT-SWAP, was "${symbol.slice(0, 80)}"`);
}
