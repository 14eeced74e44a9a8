import type { DataType } from '../market/data-type.ts';
import type { BookLevel, MarketEvent } from '../market/market-event.ts';

/** The addresses of one exchange, and how its sockets are kept. Times are in seconds, as in the configuration file. */
export interface ConnectionConfig {
  readonly public_ws_url: string;
  readonly business_ws_url: string;
  readonly private_ws_url: string;
  readonly rest_url: string;
  /** Silence after which we ping, where the client pings; must stay under the exchange's idle cut. */
  readonly ping_interval: number;
  /** How long an answer to our ping, or the next server ping, may take before the socket counts as dead. */
  readonly pong_timeout: number;
  readonly max_reconnect_attempts: number;
  /** Cap of the jittered wait between two attempts. */
  readonly reconnect_delay: number;
}

/** Which of the configured URLs a channel lives on. */
export type Endpoint = 'public' | 'business' | 'private';

/** One thing to subscribe to on one socket. */
export interface Channel {
  /** Unique within the exchange and derivable from a data frame alone, e.g. "trades-all:BTC-USDT"; frames are routed by it. */
  readonly key: string;
  readonly endpoint: Endpoint;
  readonly dataType: DataType;
  /** The exchange's channel name, e.g. "trades-all", "depth@100ms". */
  readonly name: string;
  /** The exchange's own instrument id, e.g. "BTCUSDT"; null for an account channel. */
  readonly nativeSymbol: string | null;
}

/** To whom a channel's frames go: what `readFrame` needs to name the events. */
export interface Route {
  readonly channel: Channel;
  readonly symbol: string;
  /** Whether nobody wants the payloads of its trades just now: then `raw` is null. Absent: somebody may. */
  readonly dropsPayload?: () => boolean;
}

/** A frame to send, and what its answer will be about. */
export interface OutFrame {
  readonly text: string;
  /** The id the exchange echoes, where it does. */
  readonly request: string | null;
  /** Keys of the channels it asks for. */
  readonly channels: readonly string[];
}

/** A record inside a frame that was not what the documentation promises; its neighbours are kept. */
export interface Rejected {
  /** Bounded set of words, used as a counter label: "bad-decimal", "missing-field", "unknown-channel" and the like. */
  readonly reason: string;
  /** Names the path and what was there; never longer than 300 characters. */
  readonly detail: string;
}

/** A change of an order book, in the exchange's own sequence. Sizes of zero remove a level. */
export type BookChange = Readonly<{
  exchangeTime: number;
  receivedAt: number;
  bids: readonly BookLevel[];
  asks: readonly BookLevel[];
  /** The sequence after this change; null where the exchange sends none. */
  sequence: number | null;
  /** Non-zero only where the exchange sends a live checksum of the book after this change. */
  checksum: number | null;
}> &
  (
    | Readonly<{ type: 'snapshot' }>
    /** Applies when `previous` is the sequence of the book; null where the exchange sends none. */
    | Readonly<{ type: 'delta'; previous: number | null }>
  );

/** What to do about an error the exchange reports. */
export type Reaction =
  /** The subscription is wrong and stays wrong: drop that channel, keep the others. Where none is named, ask for each alone. */
  | 'drop-channel'
  /** Credentials are wrong: the private socket stops, public ones go on. */
  | 'stop-login'
  /** Log in again with back-off (clock skew, log in first). */
  | 'retry-login'
  /** Too fast or busy: repeat the request with back-off. */
  | 'retry'
  /** The socket is done: reconnect. */
  | 'reconnect';

/** One inbound frame, understood. */
export type Frame =
  | {
      readonly kind: 'events';
      readonly channel: string;
      readonly events: readonly MarketEvent[];
      readonly rejected: readonly Rejected[];
    }
  | {
      readonly kind: 'book';
      readonly channel: string;
      readonly changes: readonly BookChange[];
      readonly rejected: readonly Rejected[];
    }
  | {
      readonly kind: 'subscribed' | 'unsubscribed';
      readonly request: string | null;
      readonly channels: readonly string[];
    }
  | {
      readonly kind: 'error';
      readonly reaction: Reaction;
      readonly code: string;
      readonly message: string;
      readonly request: string | null;
      /** The channels it names; empty when it names none. */
      readonly channels: readonly string[];
    }
  | { readonly kind: 'logged-in' }
  /** The exchange will close this socket soon: open the next one first (OKX 64008, Binance serverShutdown). */
  | { readonly kind: 'closing-soon'; readonly reason: string }
  | { readonly kind: 'pong' }
  /** Understood and of no use to us, or data of a channel nobody wants any more. */
  | { readonly kind: 'ignored'; readonly reason: string };

export interface RestRequest {
  readonly path: string;
  readonly query: Readonly<Record<string, string>>;
  /** In the exchange's own unit of its rate budget. */
  readonly weight: number;
  /** The longest answer that is taken, in bytes; a thousand rows, as most answers are, need no word. */
  readonly maxBytes?: number;
}

/** A tradable thing as the exchange lists it. */
export interface ListedInstrument {
  readonly symbol: string;
  readonly nativeSymbol: string;
  readonly base: string;
  readonly quote: string;
  readonly kind: 'spot' | 'swap' | 'future' | 'option';
  readonly trading: boolean;
}

/**
 * Reads of the exchange's REST answers. All throw {AppError} FRAME_MALFORMED, or EXCHANGE_REST_FAILED where the exchange
 * wraps an error in a successful answer, SYMBOL_UNKNOWN where that error is about the instrument; `path` of a request already
 * holds what the reader needs.
 */
export interface RestApi {
  /**
   * Requests allowed, one budget for the whole exchange: `weight` per `perMs`, and `burst` that may be saved up. Their sum is the most
   * that any stretch of `perMs` sees and must not be above the exchange's own limit; `burst` is at least the dearest request.
   */
  readonly budget: { readonly weight: number; readonly perMs: number; readonly burst: number };
  instruments(): readonly RestRequest[];
  readInstruments(body: string): readonly ListedInstrument[];
  orderBook(nativeSymbol: string): RestRequest;
  readOrderBook(body: string, receivedAt: number): BookChange & { readonly type: 'snapshot' };
  /** The newest trades, up to `recentLimit` of them. */
  recentTrades(nativeSymbol: string): RestRequest;
  readonly recentLimit: number;
  /** Which way a page of trades goes: `down` from the newest below an id, or `up` from the oldest above one. */
  readonly pages: 'down' | 'up';
  /**
   * One page of the trades between two ids, both exclusive: the newest of them where pages go down, the oldest where they go up.
   * It may go on beyond the other id, and must when nothing lies between the two: what it shows there proves that nothing does.
   */
  tradesPage(nativeSymbol: string, range: { readonly afterId: string; readonly beforeId: string }): RestRequest;
  /** A few trades next to an exchange time in ms: the last before it, or the first from it on; none where it is quiet. */
  tradesAround(nativeSymbol: string, time: number): RestRequest;
  /** In ascending id order, whatever the exchange's. */
  readTrades(
    body: string,
    route: Route,
    receivedAt: number,
  ): { readonly events: readonly MarketEvent[]; readonly rejected: readonly Rejected[] };
  candles(nativeSymbol: string, interval: string): RestRequest;
  readCandles(
    body: string,
    route: Route,
    interval: string,
    receivedAt: number,
  ): { readonly events: readonly MarketEvent[]; readonly rejected: readonly Rejected[] };
  /** The exchange's own clock. */
  time(): RestRequest;
  /** In ms since epoch. */
  readTime(body: string): number;
  /** What a failed answer means, from status and body. */
  readFailure(
    status: number,
    body: string,
  ): { readonly reaction: Reaction; readonly code: string; readonly message: string };
}

export interface Credentials {
  readonly key: string;
  readonly secret: string;
  readonly passphrase: string;
}

/** Everything in which one exchange differs, as data and pure functions: no socket, clock or timer. */
export interface ExchangeAdapter {
  readonly id: string;
  readonly name: string;
  /** The page the frames were checked against. */
  readonly docs: string;
  readonly connection: ConnectionConfig;
  /** In the order they are documented; a collector may ask for any of them. */
  readonly dataTypes: readonly DataType[];
  /** The configuration's channel names per data type, the default first; e.g. trade: ["trades-all", "trades"]. */
  readonly channelNames: Readonly<Partial<Record<DataType, readonly string[]>>>;
  readonly limits: {
    readonly connectsPerSecond: number;
    /** Subscribe, unsubscribe and login requests of one socket per hour; Infinity where there is no such limit. */
    readonly requestsPerHour: number;
    /** Frames we may send on one socket per second. */
    readonly framesPerSecond: number;
    readonly channelsPerSocket: number;
    /** A socket is replaced before it gets this old; Infinity where the exchange says nothing. */
    readonly socketLifeMs: number;
  };
  /** Who keeps the socket alive: we send a text frame after `ping_interval` of silence, before the exchange cuts it at `idleCutMs`; or the server pings. */
  readonly heartbeat:
    | { readonly by: 'client'; readonly text: string; readonly idleCutMs: number }
    | { readonly by: 'server'; readonly everyMs: number };
  /** How a broken order book is mended: subscribe again and await its snapshot, or fetch one by REST and bridge. */
  readonly bookRecovery: 'resubscribe' | 'rest-snapshot';
  /** The largest frame the exchange sends, in bytes; a larger one closes the socket. */
  readonly maxFrameBytes: number;
  /** Whether symbols can be formed without the exchange's list of instruments. Where not, the list is fetched first. */
  readonly needsInstruments: boolean;
  /** What the exchange can prove and refill; shown as `Exchange.capabilities`. */
  readonly capabilities: ExchangeCapabilities;
  readonly rest: RestApi;
  /**
   * The channels that carry one data type of one instrument, usually one. Payloads of several are merged in their order.
   * @throws {AppError} COLLECTOR_CONFIG_INVALID for a channel name that is not in `channelNames`.
   */
  channels(nativeSymbol: string, dataType: DataType, channelName?: string): readonly Channel[];
  /** Canonical to native, where that needs no list of instruments; with `needsInstruments` it is looked up instead. */
  nativeSymbol(symbol: string): string;
  /** As few frames as the limits on frame size and arguments allow; `nextRequest` gives fresh request ids. */
  subscribeFrames(channels: readonly Channel[], nextRequest: () => string): readonly OutFrame[];
  unsubscribeFrames(channels: readonly Channel[], nextRequest: () => string): readonly OutFrame[];
  /** Null where the endpoint needs no login. `now` in ms. */
  loginFrame(credentials: Credentials, now: number): string | null;
  /**
   * Understands one text frame. `routes` maps channel keys to whom they belong.
   * A bad record becomes an entry of `rejected`; its neighbours are kept.
   * @throws {AppError} FRAME_MALFORMED when the frame as a whole is not what `docs` promise.
   */
  readFrame(text: string, receivedAt: number, routes: ReadonlyMap<string, Route>): Frame;
  /** Reads a stored payload of `market_data` back into an event; `route.channel.dataType` says which kind. */
  readPayload(payload: unknown, route: Route, receivedAt: number): MarketEvent;
  /** The exchange's checksum over a book, where one is or was live; absent where there is none. */
  bookChecksum?(bids: readonly BookLevel[], asks: readonly BookLevel[]): number;
}

/** How strong the proof of completeness is, and how far back missing trades can be fetched. */
export interface ExchangeCapabilities {
  readonly tradeProof: 'TRADE_ID_CONTIGUITY' | 'SEQUENCE_CHAIN' | 'CONNECTION_ONLY';
  readonly bookProof: 'SEQUENCE_CHAIN' | 'CHECKSUM' | 'CONNECTION_ONLY';
  readonly tradeBackfill: {
    readonly by: 'trade id' | 'time' | 'none';
    readonly reach: string;
    readonly pageSize: number;
  };
}
