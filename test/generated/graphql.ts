/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
/** What happened to a collector. */
export type CollectorEventType =
  /** It was added. */
  | 'ADDED'
  /** It gave up; `message` says why. */
  | 'ERROR'
  /** It became healthy or unhealthy. */
  | 'HEALTH_CHANGED'
  /** It was removed; its data stays. */
  | 'REMOVED'
  /** It went into another state. */
  | 'STATE_CHANGED';

/** What a collector is doing. */
export type CollectorState =
  /** Gave up; with `autoRestart` it is started again with back-off. */
  | 'ERROR'
  /** The connection was lost; the next attempt waits or runs. */
  | 'RECONNECTING'
  /** Collecting. */
  | 'RUNNING'
  /** Connecting and subscribing. */
  | 'STARTING'
  /** Not collecting. */
  | 'STOPPED'
  /** Asked to stop, finishing. */
  | 'STOPPING';

/** How payloads are sent. */
export type Delivery = {
  /** Milliseconds a value may wait for others to share its payload, 0 to 10000; 0 sends at once. */
  maxBatchMs?: number | null | undefined;
  /** At most this many payloads a second, 1 to 1000, evenly spaced; without it no limit. */
  maxPerSecond?: number | null | undefined;
  /** What happens when the client is slower than the market. */
  mode?: DeliveryMode | null | undefined;
};

/** What happens when a client is slower than the market. */
export type DeliveryMode =
  /** The newest value of each instrument replaces older ones; `conflated` counts them. */
  | 'CONFLATE'
  /** The oldest values go; a LAGGED notice says how many. */
  | 'DROP_OLDEST'
  /** Nothing is left out; a slow client is caught up from storage. Tickers, books and balances are kept as far as bounds allow. */
  | 'LOSSLESS';

/** The whole in one word. */
export type HealthLevel =
  /** Something does not do what it should; `reasons` says what. */
  | 'DEGRADED'
  /** Nothing is being recorded: the spool is full, or every collector that should run is in error. */
  | 'DOWN'
  /** Everything that should run runs, and is recorded. */
  | 'OK';

/** Direction of time in a list. */
export type Order =
  /** Oldest first. */
  | 'ASC'
  /** Newest first. */
  | 'DESC';

/** How a trade came to us. */
export type Provenance =
  /** Fetched later, to fill a gap. */
  | 'BACKFILL'
  /** From the exchange's live stream. */
  | 'LIVE'
  /** Found missing when compared with the exchange's own record. */
  | 'RECONCILED';

/** The taker's side of a trade. */
export type Side =
  /** The taker bought: an ask was lifted. */
  | 'BUY'
  /** The taker sold: a bid was hit. */
  | 'SELL';

/** How recording is doing. */
export type StorageState =
  /** The spool has no room: sockets are not read, what is made meanwhile becomes a gap. */
  | 'FULL'
  /** The database does not answer; what comes is durable in the spool and is committed later. */
  | 'SPOOLING'
  /** What comes is committed. */
  | 'STORING';

/** What a stream tells its client between the data. */
export type StreamNoticeType =
  /** Everything stored before has been delivered; from here on values come as they happen. */
  | 'CAUGHT_UP'
  /** The server goes away and closes the connection in a moment: come back with the last cursor. */
  | 'DRAINING'
  /** Trades of a market of this stream are missing (`status` GAP), or the gap is closed; when the missing ones come they are in the stream. */
  | 'GAP'
  /** Values were dropped because the client was slower than the market; `missed` counts them. */
  | 'LAGGED';

/** Whether a stream of trades has caught up. */
export type StreamPhase =
  /** With this payload everything up to now has been delivered. */
  | 'LIVE'
  /** Stored trades follow, in the order they were committed. */
  | 'REPLAY';

export type LiveTradesSubscriptionVariables = Exact<{
  exchange?: string | null | undefined;
  symbols?: Array<string> | string | null | undefined;
  after?: string | null | undefined;
  delivery?: Delivery | null | undefined;
}>;


export type LiveTradesSubscription = { trades: { phase: StreamPhase, cursor: string, edges: Array<{ cursor: string, node: { tradeId: string, price: string, sequence: string } }>, notices: Array<{ type: StreamNoticeType, missed: number | null }> } };

export type CollectorEventsSubscriptionVariables = Exact<{
  name?: string | null | undefined;
}>;


export type CollectorEventsSubscription = { collectorEvents: { collector: string, type: CollectorEventType, state: CollectorState, message: string } };

export type HealthQueryVariables = Exact<{ [key: string]: never; }>;


export type HealthQuery = { health: { status: HealthLevel, reasons: Array<string>, subscribers: number, openGaps: number, version: string, storage: { state: StorageState, lagMs: number, spooled: number }, collectors: Array<{ state: CollectorState, count: number }> } };

export type TradesPageQueryVariables = Exact<{
  exchange: string;
  symbol: string;
  from?: string | null | undefined;
  to?: string | null | undefined;
  side?: Side | null | undefined;
  order?: Order | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}>;


export type TradesPageQuery = { trades: { edges: Array<{ cursor: string, node: { id: string, tradeId: string, price: string, size: string, side: Side, exchangeTime: string, receivedAt: string, sequence: string, provenance: Provenance } }>, pageInfo: { hasNextPage: boolean, hasPreviousPage: boolean, startCursor: string | null, endCursor: string | null } } };

export class TypedDocumentString<TResult, TVariables>
  extends String
  implements DocumentTypeDecoration<TResult, TVariables>
{
  __apiType?: NonNullable<DocumentTypeDecoration<TResult, TVariables>['__apiType']>;
  private value: string;
  public __meta__?: Record<string, any> | undefined;

  constructor(value: string, __meta__?: Record<string, any> | undefined) {
    super(value);
    this.value = value;
    this.__meta__ = __meta__;
  }

  override toString(): string & DocumentTypeDecoration<TResult, TVariables> {
    return this.value;
  }
}

export const LiveTradesDocument = new TypedDocumentString(`
    subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor, $delivery: Delivery) {
  trades(
    exchange: $exchange
    symbols: $symbols
    after: $after
    delivery: $delivery
  ) {
    phase
    cursor
    edges {
      cursor
      node {
        tradeId
        price
        sequence
      }
    }
    notices {
      type
      missed
    }
  }
}
    `) as unknown as TypedDocumentString<LiveTradesSubscription, LiveTradesSubscriptionVariables>;
export const CollectorEventsDocument = new TypedDocumentString(`
    subscription CollectorEvents($name: String) {
  collectorEvents(name: $name) {
    collector
    type
    state
    message
  }
}
    `) as unknown as TypedDocumentString<CollectorEventsSubscription, CollectorEventsSubscriptionVariables>;
export const HealthDocument = new TypedDocumentString(`
    query Health {
  health {
    status
    reasons
    subscribers
    openGaps
    version
    storage {
      state
      lagMs
      spooled
    }
    collectors {
      state
      count
    }
  }
}
    `) as unknown as TypedDocumentString<HealthQuery, HealthQueryVariables>;
export const TradesPageDocument = new TypedDocumentString(`
    query TradesPage($exchange: String!, $symbol: String!, $from: DateTime, $to: DateTime, $side: Side, $order: Order, $first: Int, $after: Cursor, $last: Int, $before: Cursor) {
  trades(
    exchange: $exchange
    symbol: $symbol
    from: $from
    to: $to
    side: $side
    order: $order
    first: $first
    after: $after
    last: $last
    before: $before
  ) {
    edges {
      cursor
      node {
        id
        tradeId
        price
        size
        side
        exchangeTime
        receivedAt
        sequence
        provenance
      }
    }
    pageInfo {
      hasNextPage
      hasPreviousPage
      startCursor
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<TradesPageQuery, TradesPageQueryVariables>;