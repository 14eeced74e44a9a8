/* eslint-disable */
/** Internal type. DO NOT USE DIRECTLY. */
type Exact<T extends { [key: string]: unknown }> = { [K in keyof T]: T[K] };
/** Internal type. DO NOT USE DIRECTLY. */
export type Incremental<T> = T | { [P in keyof T]?: P extends ' $fragmentName' | '__typename' ? T[P] : never };
import type { DocumentTypeDecoration } from '@graphql-typed-document-node/core';
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

/** The taker's side of a trade. */
export type Side =
  /** The taker bought: an ask was lifted. */
  | 'BUY'
  /** The taker sold: a bid was hit. */
  | 'SELL';

export type LiveTradesSubscriptionVariables = Exact<{
  exchange?: string | null | undefined;
  symbols?: Array<string> | string | null | undefined;
  after?: string | null | undefined;
}>;


export type LiveTradesSubscription = { trades: { cursor: string, edges: Array<{ node: { exchange: string, symbol: string, tradeId: string, price: string, size: string, side: Side, exchangeTime: string } }> } };

export type HistoryQueryVariables = Exact<{
  exchange: string;
  symbol: string;
  from?: string | null | undefined;
  to?: string | null | undefined;
  first?: number | null | undefined;
  after?: string | null | undefined;
}>;


export type HistoryQuery = { trades: { edges: Array<{ node: { exchangeTime: string, tradeId: string, price: string, size: string, side: Side } }>, pageInfo: { hasNextPage: boolean, endCursor: string | null } } };

export type CollectorsQueryVariables = Exact<{ [key: string]: never; }>;


export type CollectorsQuery = { collectors: Array<{ name: string, health: { isHealthy: boolean, issues: Array<string> } }> };

export type RestartMutationVariables = Exact<{
  name: string;
}>;


export type RestartMutation = { restartCollector: { collector: { state: CollectorState } | null, userErrors: Array<{ code: string, message: string }> } };

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
    subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor) {
  trades(exchange: $exchange, symbols: $symbols, after: $after) {
    cursor
    edges {
      node {
        exchange
        symbol
        tradeId
        price
        size
        side
        exchangeTime
      }
    }
  }
}
    `) as unknown as TypedDocumentString<LiveTradesSubscription, LiveTradesSubscriptionVariables>;
export const HistoryDocument = new TypedDocumentString(`
    query History($exchange: String!, $symbol: String!, $from: DateTime, $to: DateTime, $first: Int, $after: Cursor) {
  trades(
    exchange: $exchange
    symbol: $symbol
    from: $from
    to: $to
    order: ASC
    first: $first
    after: $after
  ) {
    edges {
      node {
        exchangeTime
        tradeId
        price
        size
        side
      }
    }
    pageInfo {
      hasNextPage
      endCursor
    }
  }
}
    `) as unknown as TypedDocumentString<HistoryQuery, HistoryQueryVariables>;
export const CollectorsDocument = new TypedDocumentString(`
    query Collectors {
  collectors {
    name
    health {
      isHealthy
      issues
    }
  }
}
    `) as unknown as TypedDocumentString<CollectorsQuery, CollectorsQueryVariables>;
export const RestartDocument = new TypedDocumentString(`
    mutation Restart($name: String!) {
  restartCollector(input: {name: $name}) {
    collector {
      state
    }
    userErrors {
      code
      message
    }
  }
}
    `) as unknown as TypedDocumentString<RestartMutation, RestartMutationVariables>;