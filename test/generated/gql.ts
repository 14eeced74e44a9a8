/* eslint-disable */
import * as types from './graphql.ts';



/**
 * Map of all GraphQL operations in the project.
 *
 * This map has several performance disadvantages:
 * 1. It is not tree-shakeable, so it will include all operations in the project.
 * 2. It is not minifiable, so the string of a GraphQL query will be multiple times inside the bundle.
 * 3. It does not support dead code elimination, so it will add unused operations.
 *
 * Therefore it is highly recommended to use the babel or swc plugin for production.
 * Learn more about it here: https://the-guild.dev/graphql/codegen/plugins/presets/preset-client#reducing-bundle-size
 */
type Documents = {
    "\n  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor, $delivery: Delivery) {\n    trades(exchange: $exchange, symbols: $symbols, after: $after, delivery: $delivery) {\n      phase\n      cursor\n      edges {\n        cursor\n        node {\n          tradeId\n          price\n          sequence\n        }\n      }\n      notices {\n        type\n        missed\n      }\n    }\n  }\n": typeof types.LiveTradesDocument,
    "\n  subscription CollectorEvents($name: String) {\n    collectorEvents(name: $name) {\n      collector\n      type\n      state\n      message\n    }\n  }\n": typeof types.CollectorEventsDocument,
    "\n  query Health {\n    health {\n      status\n      reasons\n      subscribers\n      openGaps\n      version\n      storage {\n        state\n        lagMs\n        spooled\n      }\n      collectors {\n        state\n        count\n      }\n    }\n  }\n": typeof types.HealthDocument,
    "\n  query TradesPage(\n    $exchange: String!\n    $symbol: String!\n    $from: DateTime\n    $to: DateTime\n    $side: Side\n    $order: Order\n    $first: Int\n    $after: Cursor\n    $last: Int\n    $before: Cursor\n  ) {\n    trades(\n      exchange: $exchange\n      symbol: $symbol\n      from: $from\n      to: $to\n      side: $side\n      order: $order\n      first: $first\n      after: $after\n      last: $last\n      before: $before\n    ) {\n      edges {\n        cursor\n        node {\n          id\n          tradeId\n          price\n          size\n          side\n          exchangeTime\n          receivedAt\n          sequence\n          provenance\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n": typeof types.TradesPageDocument,
};
const documents: Documents = {
    "\n  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor, $delivery: Delivery) {\n    trades(exchange: $exchange, symbols: $symbols, after: $after, delivery: $delivery) {\n      phase\n      cursor\n      edges {\n        cursor\n        node {\n          tradeId\n          price\n          sequence\n        }\n      }\n      notices {\n        type\n        missed\n      }\n    }\n  }\n": types.LiveTradesDocument,
    "\n  subscription CollectorEvents($name: String) {\n    collectorEvents(name: $name) {\n      collector\n      type\n      state\n      message\n    }\n  }\n": types.CollectorEventsDocument,
    "\n  query Health {\n    health {\n      status\n      reasons\n      subscribers\n      openGaps\n      version\n      storage {\n        state\n        lagMs\n        spooled\n      }\n      collectors {\n        state\n        count\n      }\n    }\n  }\n": types.HealthDocument,
    "\n  query TradesPage(\n    $exchange: String!\n    $symbol: String!\n    $from: DateTime\n    $to: DateTime\n    $side: Side\n    $order: Order\n    $first: Int\n    $after: Cursor\n    $last: Int\n    $before: Cursor\n  ) {\n    trades(\n      exchange: $exchange\n      symbol: $symbol\n      from: $from\n      to: $to\n      side: $side\n      order: $order\n      first: $first\n      after: $after\n      last: $last\n      before: $before\n    ) {\n      edges {\n        cursor\n        node {\n          id\n          tradeId\n          price\n          size\n          side\n          exchangeTime\n          receivedAt\n          sequence\n          provenance\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n": types.TradesPageDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor, $delivery: Delivery) {\n    trades(exchange: $exchange, symbols: $symbols, after: $after, delivery: $delivery) {\n      phase\n      cursor\n      edges {\n        cursor\n        node {\n          tradeId\n          price\n          sequence\n        }\n      }\n      notices {\n        type\n        missed\n      }\n    }\n  }\n"): typeof import('./graphql.ts').LiveTradesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription CollectorEvents($name: String) {\n    collectorEvents(name: $name) {\n      collector\n      type\n      state\n      message\n    }\n  }\n"): typeof import('./graphql.ts').CollectorEventsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Health {\n    health {\n      status\n      reasons\n      subscribers\n      openGaps\n      version\n      storage {\n        state\n        lagMs\n        spooled\n      }\n      collectors {\n        state\n        count\n      }\n    }\n  }\n"): typeof import('./graphql.ts').HealthDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query TradesPage(\n    $exchange: String!\n    $symbol: String!\n    $from: DateTime\n    $to: DateTime\n    $side: Side\n    $order: Order\n    $first: Int\n    $after: Cursor\n    $last: Int\n    $before: Cursor\n  ) {\n    trades(\n      exchange: $exchange\n      symbol: $symbol\n      from: $from\n      to: $to\n      side: $side\n      order: $order\n      first: $first\n      after: $after\n      last: $last\n      before: $before\n    ) {\n      edges {\n        cursor\n        node {\n          id\n          tradeId\n          price\n          size\n          side\n          exchangeTime\n          receivedAt\n          sequence\n          provenance\n        }\n      }\n      pageInfo {\n        hasNextPage\n        hasPreviousPage\n        startCursor\n        endCursor\n      }\n    }\n  }\n"): typeof import('./graphql.ts').TradesPageDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
