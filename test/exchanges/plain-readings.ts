/**
 * What a recorded frame says, read a second time by JSON.parse alone and without the code under test.
 * Every reading lacks `raw`, and gives null for a frame that is not market data.
 */
type Texts = Readonly<Record<string, string>>;
type Side = readonly (readonly string[])[];

export interface Reading {
  readonly channel: string;
  readonly values: readonly object[];
}

const dash = (text: string | undefined) => (text === undefined || text === '' ? null : text);
const pairs = (side: Side) => side.map(([price, size]) => [price, size]);

export function plainOkx(text: string, receivedAt: number): Reading | null {
  if (text === 'pong') return null;
  const { arg, action, data } = JSON.parse(text) as {
    arg?: { channel: string; instId?: string };
    action?: string;
    data?: unknown[];
  };
  if (!arg || !data) return null;
  const shared = { exchange: 'okx', symbol: arg.instId, receivedAt };
  const channel = arg.instId ? `${arg.channel}:${arg.instId}` : arg.channel;
  const readers: Readonly<Record<string, (record: never) => object>> = {
    trades: (r: Texts) => ({
      ...{ kind: 'trade', ...shared, exchangeTime: Number(r.ts), tradeId: r.tradeId },
      ...{ fillCount: Number(r.count ?? 1), price: r.px, size: r.sz, side: r.side },
    }),
    tickers: (r: Texts) => ({
      ...{ kind: 'ticker', ...shared, exchangeTime: Number(r.ts), last: dash(r.last), lastSize: dash(r.lastSz) },
      ...{ bid: dash(r.bidPx), bidSize: dash(r.bidSz), ask: dash(r.askPx), askSize: dash(r.askSz) },
      ...{ open24h: dash(r.open24h), high24h: dash(r.high24h), low24h: dash(r.low24h), volume24h: dash(r.vol24h) },
      quoteVolume24h: dash(r.volCcy24h),
    }),
    candle1m: ([open = '', o, h, l, c, volume, , quoteVolume, confirm]: readonly string[]) => ({
      ...{ kind: 'candle', ...shared, exchangeTime: Number(open) + 60_000, interval: '1m', openTime: Number(open) },
      ...{ closeTime: Number(open) + 60_000, open: o, high: h, low: l, close: c, volume, quoteVolume },
      ...{ tradeCount: null, closed: confirm === '1' },
    }),
    books: (r: { asks: Side; bids: Side; ts: string; checksum: number }) => ({
      ...{ type: action === 'snapshot' ? 'snapshot' : 'delta', exchangeTime: Number(r.ts), receivedAt, sequence: null },
      ...{
        bids: pairs(r.bids),
        asks: pairs(r.asks),
        checksum: r.checksum,
        ...(action === 'update' && { previous: null }),
      },
    }),
    books5: (r: { asks: Side; bids: Side; ts: string; seqId: number }) => ({
      ...{ type: 'snapshot', exchangeTime: Number(r.ts), receivedAt, sequence: r.seqId },
      ...{ bids: pairs(r.bids), asks: pairs(r.asks), checksum: null },
    }),
    currency: (r: Texts) => ({
      ...{ kind: 'balance', ...shared, symbol: r.ccy, currency: r.ccy, exchangeTime: Number(r.uTime) },
      ...{ total: r.cashBal, available: dash(r.availBal), frozen: dash(r.frozenBal) },
    }),
  };
  const records =
    arg.channel === 'account' ? (data as { details: unknown[] }[]).flatMap(({ details }) => details) : data;
  const read = readers[arg.channel === 'account' ? 'currency' : arg.channel];
  return read ? { channel, values: records.map((record) => read(record as never)) } : null;
}

interface BinanceData {
  readonly [key: string]: unknown;
  readonly e?: string;
  readonly s: string;
}

export function plainBinance(text: string, receivedAt: number, symbols: ReadonlyMap<string, string>): Reading | null {
  const { stream, data } = JSON.parse(text) as { stream?: string; data?: BinanceData };
  if (!stream || !data || stream.startsWith('!')) return null;
  const shared = { exchange: 'binance', symbol: symbols.get(data.s), receivedAt };
  const taken = { price: data.p, size: data.q, side: data.m ? 'sell' : 'buy', exchangeTime: data.T };
  const no24h = {
    last: null,
    lastSize: null,
    open24h: null,
    high24h: null,
    low24h: null,
    volume24h: null,
    quoteVolume24h: null,
  };
  const readers: Readonly<Record<string, () => object>> = {
    trade: () => ({ kind: 'trade', ...shared, ...taken, tradeId: String(data.t), fillCount: 1 }),
    aggTrade: () => ({
      kind: 'trade',
      ...shared,
      ...taken,
      tradeId: String(data.l),
      fillCount: Number(data.l) - Number(data.f) + 1,
    }),
    bookTicker: () => ({
      ...{ kind: 'ticker', ...shared, ...no24h, exchangeTime: data.E ?? receivedAt },
      ...{ bid: data.b, bidSize: data.B, ask: data.a, askSize: data.A },
    }),
    depthUpdate: () => ({
      ...{ type: 'delta', exchangeTime: data.E, receivedAt, sequence: data.u, previous: data.pu ?? Number(data.U) - 1 },
      ...{ bids: data.b, asks: data.a, checksum: null },
    }),
    kline: () => {
      const k = data.k as Record<string, unknown>;
      const closeTime = Number(k.T) + 1;
      return {
        ...{ kind: 'candle', ...shared, exchangeTime: closeTime, interval: k.i, openTime: k.t, closeTime },
        ...{ open: k.o, high: k.h, low: k.l, close: k.c, volume: k.v, quoteVolume: k.q, tradeCount: k.n, closed: k.x },
      };
    },
  };
  const value = readers[data.e ?? 'bookTicker']?.();
  return value ? { channel: stream, values: [value] } : null;
}
