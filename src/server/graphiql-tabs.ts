/** What GraphiQL opens with: each works as it is against a server with default settings. */
export const TABS: readonly { readonly query: string; readonly variables: string }[] = [
  {
    query: `# Is everything collected and stored?
query Status {
  health {
    status
    reasons
    subscribers
    uptime
    version
    storage { state lagMs spooled stored }
  }
  collectors {
    name
    state
    health { isHealthy issues }
    streams {
      dataType
      health
      reason
      messagesPerSecond
      lagMs
    }
  }
}
`,
    variables: '{}',
  },
  {
    query: `# A page of stored trades, newest first.
# For the next page give endCursor as $after.
query History(
  $exchange: String!
  $symbol: String!
  $first: Int
  $after: Cursor
) {
  trades(
    exchange: $exchange
    symbol: $symbol
    first: $first
    after: $after
  ) {
    edges {
      node {
        tradeId
        price
        size
        side
        exchangeTime
        recordedAt
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
`,
    variables: '{ "exchange": "okx", "symbol": "BTC-USDT", "first": 20 }',
  },
  {
    query: `# Trades as they happen, four payloads a second.
# To resume, give the last cursor as $after.
subscription LiveTrades(
  $exchange: String
  $symbols: [String!]
  $after: Cursor
) {
  trades(
    exchange: $exchange
    symbols: $symbols
    after: $after
    delivery: { maxBatchMs: 250 }
  ) {
    phase
    cursor
    edges {
      node {
        exchange
        symbol
        price
        size
        side
        exchangeTime
      }
    }
    notices { type message }
  }
}
`,
    variables: '{ "exchange": "okx", "symbols": ["BTC-USDT"] }',
  },
  {
    query: `# Candles as trades come, labelled by their end.
# CLOSED: it is over. REVISED: trades came late.
subscription LiveCandles(
  $exchange: String!
  $symbols: [String!]!
  $interval: CandleInterval!
  $after: Cursor
) {
  candles(
    exchange: $exchange
    symbols: $symbols
    interval: $interval
    after: $after
    delivery: { mode: CONFLATE, maxPerSecond: 4 }
  ) {
    cursor
    changes {
      type
      candle {
        symbol
        closeTime
        open
        high
        low
        close
        volume
        tradeCount
        state
        completeness
        revision
      }
      previous { close volume }
    }
    notices { type message }
  }
}
`,
    variables: '{ "exchange": "okx", "symbols": ["BTC-USDT"],\n  "interval": "S5" }',
  },
  {
    query: `# What is proven, and what is missing.
query Coverage(
  $exchange: String!
  $symbol: String!
  $from: DateTime!
) {
  coverage(
    exchange: $exchange
    symbol: $symbol
    from: $from
  ) {
    status
    evidence
    from
    to
    firstId
    lastId
    cause
  }
  instrument(exchange: $exchange, symbol: $symbol) {
    coverage { ratio expected stored openGaps }
  }
  gaps(
    exchange: $exchange
    symbol: $symbol
    first: 10
  ) {
    edges {
      node {
        dataType
        firstId
        lastId
        foundAt
        cause
        status
        remaining
      }
    }
  }
}
`,
    variables: '{ "exchange": "okx", "symbol": "BTC-USDT",\n  "from": "2026-01-01T00:00:00Z" }',
  },
  {
    query: `# Restart one collector; others lose nothing.
mutation Restart($name: String!) {
  restartCollector(input: { name: $name }) {
    collector {
      name
      state
      health { isHealthy issues }
    }
    userErrors { code message }
  }
}
`,
    variables: '{ "name": "okx:BTC-USDT" }',
  },
];
