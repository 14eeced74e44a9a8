import { graphql } from '../generated/gql.ts';

/** The documents the transport tests send, typed by codegen. */
export const LiveTrades = graphql(`
  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor, $delivery: Delivery) {
    trades(exchange: $exchange, symbols: $symbols, after: $after, delivery: $delivery) {
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
`);

export const CollectorEvents = graphql(`
  subscription CollectorEvents($name: String) {
    collectorEvents(name: $name) {
      collector
      type
      state
      message
    }
  }
`);

export const Health = graphql(`
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
`);

export const TradesPage = graphql(`
  query TradesPage(
    $exchange: String!
    $symbol: String!
    $from: DateTime
    $to: DateTime
    $side: Side
    $order: Order
    $first: Int
    $after: Cursor
    $last: Int
    $before: Cursor
  ) {
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
`);
