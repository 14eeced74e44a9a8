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
    "\n  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor) {\n    trades(exchange: $exchange, symbols: $symbols, after: $after) {\n      cursor\n      edges {\n        node {\n          exchange\n          symbol\n          tradeId\n          price\n          size\n          side\n          exchangeTime\n        }\n      }\n    }\n  }\n": typeof types.LiveTradesDocument,
    "\n  query History($exchange: String!, $symbol: String!, $from: DateTime, $to: DateTime, $first: Int, $after: Cursor) {\n    trades(exchange: $exchange, symbol: $symbol, from: $from, to: $to, order: ASC, first: $first, after: $after) {\n      edges {\n        node {\n          exchangeTime\n          tradeId\n          price\n          size\n          side\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": typeof types.HistoryDocument,
    "\n  query Collectors {\n    collectors {\n      name\n      health {\n        isHealthy\n        issues\n      }\n    }\n  }\n": typeof types.CollectorsDocument,
    "\n  mutation Restart($name: String!) {\n    restartCollector(input: { name: $name }) {\n      collector {\n        state\n      }\n      userErrors {\n        code\n        message\n      }\n    }\n  }\n": typeof types.RestartDocument,
};
const documents: Documents = {
    "\n  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor) {\n    trades(exchange: $exchange, symbols: $symbols, after: $after) {\n      cursor\n      edges {\n        node {\n          exchange\n          symbol\n          tradeId\n          price\n          size\n          side\n          exchangeTime\n        }\n      }\n    }\n  }\n": types.LiveTradesDocument,
    "\n  query History($exchange: String!, $symbol: String!, $from: DateTime, $to: DateTime, $first: Int, $after: Cursor) {\n    trades(exchange: $exchange, symbol: $symbol, from: $from, to: $to, order: ASC, first: $first, after: $after) {\n      edges {\n        node {\n          exchangeTime\n          tradeId\n          price\n          size\n          side\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n": types.HistoryDocument,
    "\n  query Collectors {\n    collectors {\n      name\n      health {\n        isHealthy\n        issues\n      }\n    }\n  }\n": types.CollectorsDocument,
    "\n  mutation Restart($name: String!) {\n    restartCollector(input: { name: $name }) {\n      collector {\n        state\n      }\n      userErrors {\n        code\n        message\n      }\n    }\n  }\n": types.RestartDocument,
};

/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  subscription LiveTrades($exchange: String, $symbols: [String!], $after: Cursor) {\n    trades(exchange: $exchange, symbols: $symbols, after: $after) {\n      cursor\n      edges {\n        node {\n          exchange\n          symbol\n          tradeId\n          price\n          size\n          side\n          exchangeTime\n        }\n      }\n    }\n  }\n"): typeof import('./graphql.ts').LiveTradesDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query History($exchange: String!, $symbol: String!, $from: DateTime, $to: DateTime, $first: Int, $after: Cursor) {\n    trades(exchange: $exchange, symbol: $symbol, from: $from, to: $to, order: ASC, first: $first, after: $after) {\n      edges {\n        node {\n          exchangeTime\n          tradeId\n          price\n          size\n          side\n        }\n      }\n      pageInfo {\n        hasNextPage\n        endCursor\n      }\n    }\n  }\n"): typeof import('./graphql.ts').HistoryDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  query Collectors {\n    collectors {\n      name\n      health {\n        isHealthy\n        issues\n      }\n    }\n  }\n"): typeof import('./graphql.ts').CollectorsDocument;
/**
 * The graphql function is used to parse GraphQL queries into a document that can be used by GraphQL clients.
 */
export function graphql(source: "\n  mutation Restart($name: String!) {\n    restartCollector(input: { name: $name }) {\n      collector {\n        state\n      }\n      userErrors {\n        code\n        message\n      }\n    }\n  }\n"): typeof import('./graphql.ts').RestartDocument;


export function graphql(source: string) {
  return (documents as any)[source] ?? {};
}
