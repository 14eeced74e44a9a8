import type { ExchangeAdapter, Route } from '../../src/exchanges/adapter.ts';
import type { ExchangeId } from '../../src/exchanges/registry.ts';
import { DataType } from '../../src/market/data-type.ts';
import type { MarketEvent } from '../../src/market/market-event.ts';

/** The fields every exchange's trade has, as JSON text, so that a test can put anything there. */
export interface TradeText {
  readonly id: string;
  readonly price: string;
  readonly size: string;
  readonly time: string;
}

export const GOOD_TRADE: TradeText = {
  id: '"1040968613"',
  price: '"64040.20"',
  size: '"0.00240857"',
  time: '"1786538760218"',
};

/** One frame of one channel, and the events it stands for without their `raw`. */
export interface Sample {
  readonly dataType: DataType;
  readonly channelName: string;
  readonly frame: string;
  readonly events: readonly object[];
}

/** What the contract suite needs of an exchange; hand-made after its documentation. */
export interface Samples {
  readonly symbol: string;
  readonly nativeSymbol: string;
  /** The most a request frame may have, in bytes, by the exchange's own limit. */
  readonly maxRequestBytes: number;
  trade(fields: TradeText): string;
  readonly frames: readonly Sample[];
}

/** When every sample was received. */
export const RECEIVED_AT = 1_786_538_760_300;

export function routesOf(
  adapter: ExchangeAdapter,
  instruments: ReadonlyMap<string, string>,
): ReadonlyMap<string, Route> {
  const routes = new Map<string, Route>();
  for (const [nativeSymbol, symbol] of instruments)
    for (const dataType of adapter.dataTypes)
      for (const name of adapter.channelNames[dataType] ?? [])
        for (const channel of adapter.channels(nativeSymbol, dataType, name))
          routes.set(channel.key, { channel, symbol });
  return routes;
}

/** Without what the exchange sent, which is compared by itself. */
export const withoutRaw = ({ raw: _raw, ...event }: MarketEvent) => event;

const okxData = (channel: string, record: string, action = '') =>
  `{"arg":{"channel":"${channel}","instId":"BTC-USDT"}${action},"data":[${record}]}`;
const onOkx = { exchange: 'okx', symbol: 'BTC-USDT', receivedAt: RECEIVED_AT };
const onBinance = { exchange: 'binance', symbol: 'BTC-USDT', receivedAt: RECEIVED_AT };
const inStream = (name: string, data: string) => `{"stream":"btcusdt@${name}","data":${data}}`;
/** The 5 minutes from 12:45:00 to 12:50:00 UTC on 2026-08-12. */
const candle = { openTime: 1_786_538_700_000, closeTime: 1_786_539_000_000 };
const nothing24h = { open24h: null, high24h: null, low24h: null, volume24h: null, quoteVolume24h: null };

export const SAMPLES: Readonly<Record<ExchangeId, Samples>> = {
  okx: {
    symbol: 'BTC-USDT',
    nativeSymbol: 'BTC-USDT',
    maxRequestBytes: 65_536,
    trade: ({ id, price, size, time }) =>
      okxData(
        'trades-all',
        `{"instId":"BTC-USDT","tradeId":${id},"px":${price},"sz":${size},"side":"buy","ts":${time},"source":"0","seqId":79706765242}`,
      ),
    frames: [
      {
        dataType: DataType.TRADE,
        channelName: 'trades',
        frame: okxData(
          'trades',
          '{"instId":"BTC-USDT","tradeId":"2832749645","px":"64040.2","sz":"0.5","side":"sell","ts":"1786538760218","count":"10","source":"0","seqId":7}',
        ),
        events: [
          {
            kind: 'trade',
            ...onOkx,
            exchangeTime: 1_786_538_760_218,
            tradeId: '2832749645',
            fillCount: 10,
            price: '64040.2',
            size: '0.5',
            side: 'sell',
          },
        ],
      },
      {
        dataType: DataType.TICKER,
        channelName: 'tickers',
        frame: okxData(
          'tickers',
          '{"instType":"SPOT","instId":"BTC-USDT","last":"64028.6","lastSz":"0.0011553","askPx":"64028.7","askSz":"2.31126955","bidPx":"","bidSz":"","open24h":"64324","high24h":"64496.9","low24h":"63237.6","sodUtc0":"63589.4","sodUtc8":"63606.7","volCcy24h":"374703695.177360964","vol24h":"5874.19398956","ts":"1786538760218"}',
        ),
        events: [
          {
            ...{ kind: 'ticker', ...onOkx, exchangeTime: 1_786_538_760_218, last: '64028.6', lastSize: '0.0011553' },
            ...{
              bid: null,
              bidSize: null,
              ask: '64028.7',
              askSize: '2.31126955',
              open24h: '64324',
              high24h: '64496.9',
            },
            ...{ low24h: '63237.6', volume24h: '5874.19398956', quoteVolume24h: '374703695.177360964' },
          },
        ],
      },
      {
        dataType: DataType.CANDLE,
        channelName: 'candle5m',
        frame: okxData(
          'candle5m',
          '["1786538700000","64040.2","64041","64025.7","64033.5","2.16787395","138825.265446816","138825.265446816","1"]',
        ),
        events: [
          {
            ...{
              kind: 'candle',
              ...onOkx,
              exchangeTime: candle.closeTime,
              interval: '5m',
              ...candle,
              open: '64040.2',
              high: '64041',
            },
            ...{
              low: '64025.7',
              close: '64033.5',
              volume: '2.16787395',
              quoteVolume: '138825.265446816',
              tradeCount: null,
              closed: true,
            },
          },
        ],
      },
      {
        dataType: DataType.BALANCE,
        channelName: 'account',
        frame:
          '{"arg":{"channel":"account","uid":"44"},"data":[{"uTime":"1751531646836","totalEq":"100.56","details":[{"ccy":"USDT","cashBal":"-100.5","availBal":"","frozenBal":"0","uTime":"1751526647084"},{"ccy":"BTC","cashBal":"0.0000000051","availBal":"0.0000000051","frozenBal":"","uTime":"1746947295126"}]}]}',
        events: [
          {
            kind: 'balance',
            ...onOkx,
            symbol: 'USDT',
            currency: 'USDT',
            exchangeTime: 1_751_526_647_084,
            total: '-100.5',
            available: null,
            frozen: '0',
          },
          {
            kind: 'balance',
            ...onOkx,
            symbol: 'BTC',
            currency: 'BTC',
            exchangeTime: 1_746_947_295_126,
            total: '0.0000000051',
            available: '0.0000000051',
            frozen: null,
          },
        ],
      },
    ],
  },
  binance: {
    symbol: 'BTC-USDT',
    nativeSymbol: 'BTCUSDT',
    maxRequestBytes: 4_000,
    trade: ({ id, price, size, time }) =>
      inStream(
        'trade',
        `{"e":"trade","E":1786538760219,"s":"BTCUSDT","t":${unquoted(id)},"p":${price},"q":${size},"T":${unquoted(time)},"m":false,"M":true}`,
      ),
    frames: [
      {
        dataType: DataType.TRADE,
        channelName: 'aggTrade',
        frame: inStream(
          'aggTrade',
          '{"e":"aggTrade","E":1786538760219,"s":"BTCUSDT","a":87353230,"p":"7.6120","q":"297","f":126902924,"l":126902927,"T":1786538760218,"m":true,"M":true}',
        ),
        events: [
          {
            kind: 'trade',
            ...onBinance,
            exchangeTime: 1_786_538_760_218,
            tradeId: '126902927',
            fillCount: 4,
            price: '7.6120',
            size: '297',
            side: 'sell',
          },
        ],
      },
      {
        dataType: DataType.TICKER,
        channelName: 'bookTicker',
        frame: inStream(
          'bookTicker',
          '{"u":400900217,"s":"BTCUSDT","b":"25.35190000","B":"31.21000000","a":"25.36520000","A":"40.66000000"}',
        ),
        events: [
          {
            ...{ kind: 'ticker', ...onBinance, exchangeTime: RECEIVED_AT, last: null, lastSize: null, ...nothing24h },
            ...{ bid: '25.35190000', bidSize: '31.21000000', ask: '25.36520000', askSize: '40.66000000' },
          },
        ],
      },
      {
        dataType: DataType.TICKER,
        channelName: 'ticker',
        frame: inStream(
          'ticker',
          '{"e":"24hrTicker","E":1786538760219,"s":"BTCUSDT","p":"-0.0015","P":"-2.50","w":"0.0018","x":"0.0009","c":"0.0025","Q":"10","b":"0.0024","B":"10","a":"0.0026","A":"100","o":"0.0010","h":"0.0027","l":"0.0009","v":"10000","q":"18","O":1786452360000,"C":1786538760000,"F":0,"L":18150,"n":18151}',
        ),
        events: [
          {
            ...{
              kind: 'ticker',
              ...onBinance,
              exchangeTime: 1_786_538_760_219,
              last: '0.0025',
              lastSize: '10',
              bid: '0.0024',
              bidSize: '10',
            },
            ...{
              ask: '0.0026',
              askSize: '100',
              open24h: '0.0010',
              high24h: '0.0027',
              low24h: '0.0009',
              volume24h: '10000',
              quoteVolume24h: '18',
            },
          },
        ],
      },
      {
        dataType: DataType.CANDLE,
        channelName: 'kline_5m',
        frame: inStream(
          'kline_5m',
          '{"e":"kline","E":1786538760219,"s":"BTCUSDT","k":{"t":1786538700000,"T":1786538999999,"s":"BTCUSDT","i":"5m","f":100,"L":200,"o":"0.0010","c":"0.0020","h":"0.0025","l":"0.0009","v":"1000","n":100,"x":false,"q":"1.5000","V":"500","Q":"0.500","B":"0"}}',
        ),
        events: [
          {
            ...{
              kind: 'candle',
              ...onBinance,
              exchangeTime: candle.closeTime,
              interval: '5m',
              ...candle,
              open: '0.0010',
              high: '0.0025',
            },
            ...{
              low: '0.0009',
              close: '0.0020',
              volume: '1000',
              quoteVolume: '1.5000',
              tradeCount: 100,
              closed: false,
            },
          },
        ],
      },
    ],
  },
};

/** Binance prints ids and times as JSON numbers. */
function unquoted(text: string): string {
  return text.replace(/^"(\d+)"$/, '$1');
}
