/** The same trade asked of ours and of the peers; documents of different numbers differ. */
const FIELDS = ['exchange', 'symbol', 'tradeId', 'price', 'size', 'side', 'exchangeTime'];

const fieldsOf = (document: number): string => `${FIELDS.join(' ')} as${document}: size`;

export const ourDocument = (document: number): string =>
  `subscription D${document} { trades(exchange: "okx", symbols: ["BTC-USDT"]) { edges { node { ${fieldsOf(document)} } } } }`;

export const peerDocument = (document: number): string =>
  `subscription D${document} { trades(symbol: "BTC-USDT") { ${fieldsOf(document)} } }`;

export const TYPE_DEFS = `
  type Query { ok: Boolean }
  type Trade { exchange: String! symbol: String! tradeId: String! price: String! size: String! side: String! exchangeTime: String! }
  type Subscription { trades(symbol: String!): Trade! }
`;

/** Trade k, with all the fields above. */
export const tradeOf = (k: number) => ({
  ...{ exchange: 'okx', symbol: 'BTC-USDT', tradeId: String(9_007_199_254_740_993n + BigInt(k)) },
  ...{ price: `50000.${String(k).padStart(10, '0')}`, size: '0.00012000', side: k % 2 === 0 ? 'BUY' : 'SELL' },
  exchangeTime: new Date(Date.UTC(2026, 0, 1) + k * 100).toISOString(),
});
