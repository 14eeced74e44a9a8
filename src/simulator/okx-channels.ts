import type { Source } from './feed.ts';
import { type Interval, OKX_INTERVALS } from './interval.ts';
import type { Market } from './market.ts';
import { candleRow, chainedBook, packedTrade, singleTrade, ticker, topOfBook } from './okx-frames.ts';
import type { OutFrame } from './out-frame.ts';
import { groupOf } from './tape.ts';
import { type Book, bookAt, changeTowards, sequenceAt, stepAt } from './tape-book.ts';
import { emptyCandle, RunningCandle } from './tape-candle.ts';

export type OkxEndpoint = 'public' | 'business' | 'private';

interface OkxChannel {
  readonly endpoint: OkxEndpoint;
  open(market: Market, now: number, channel: string): Source;
}

/** A quiet book is confirmed this often by an empty update. */
const KEEP_ALIVE_MS = 60_000;

/** The channel of this name, with the URL it lives on; null where OKX has none. */
export function okxChannel(name: string): OkxChannel | null {
  if (Object.hasOwn(CHANNELS, name)) return CHANNELS[name] ?? null;
  const interval = name.startsWith('candle') ? OKX_INTERVALS.get(name.slice('candle'.length)) : undefined;
  return interval === undefined
    ? null
    : { endpoint: 'business', open: (market, now, channel) => candles(market, now, channel, interval) };
}

const CHANNELS: Readonly<Record<string, OkxChannel>> = {
  trades: { endpoint: 'public', open: (market, _now, channel) => trades(market, channel, packed) },
  'trades-all': { endpoint: 'business', open: (market, _now, channel) => trades(market, channel, single) },
  tickers: { endpoint: 'public', open: (market, now, channel) => tickers(market, now, channel) },
  books5: {
    endpoint: 'public',
    open: (market, now, channel) => tops(market, now, channel, { depth: 5, everyMs: 100 }),
  },
  'bbo-tbt': {
    endpoint: 'public',
    open: (market, now, channel) => tops(market, now, channel, { depth: 1, everyMs: 10 }),
  },
  books: { endpoint: 'public', open: (market, now, channel) => books(market, now, channel) },
};

const data = (market: Market, channel: string, record: string, trades: OutFrame['trades'] = null): OutFrame => ({
  text: `{"arg":{"channel":"${channel}","instId":"${market.tape.instrument.nativeSymbol}"},"data":[${record}]}`,
  channel,
  nativeSymbol: market.tape.instrument.nativeSymbol,
  trades,
});

type Pack = (
  market: Market,
  channel: string,
  k: number,
) => OutFrame & { readonly trades: NonNullable<OutFrame['trades']> };

const single: Pack = (market, channel, k) => {
  const trades = { first: k, last: k };
  return { ...data(market, channel, singleTrade(market.tape, k)), trades };
};

const packed: Pack = (market, channel, k) => {
  const { first, last } = groupOf(market.tape, k);
  return { ...data(market, channel, packedTrade(market.tape, { number: 0, first, last })), trades: { first, last } };
};

/** Starts with the newest trade that has happened, however old, as OKX does. */
function trades(market: Market, channel: string, pack: Pack): Source {
  let next = market.count;
  return {
    greeting: () => (next === 0 ? [] : [pack(market, channel, next - 1)]),
    due() {
      const frames: OutFrame[] = [];
      for (next = market.from(next); next < market.count; ) {
        const frame = pack(market, channel, next);
        frames.push(frame);
        next = frame.trades.last + 1;
      }
      return frames;
    },
  };
}

function tickers(market: Market, now: number, channel: string): Source {
  let sentAt = now;
  const version = (time: number) => `${market.count} ${stepAt(market.tape, time)}`;
  let sent = version(now);
  const frame = (time: number) => data(market, channel, ticker(market.tape, market.count, time));
  return {
    greeting: () => [frame(sentAt)],
    due(time) {
      if (time - sentAt < 100 || version(time) === sent) return [];
      [sentAt, sent] = [time, version(time)];
      return [frame(time)];
    },
  };
}

function tops(market: Market, now: number, channel: string, shape: { depth: number; everyMs: number }): Source {
  let sentAt = now;
  let step = stepAt(market.tape, now);
  const frame = () => data(market, channel, topOfBook(market.tape, bookAt(market.tape, step, shape.depth), sentAt));
  return {
    greeting: () => [frame()],
    due(time) {
      if (time - sentAt < shape.everyMs || stepAt(market.tape, time) === step) return [];
      sentAt = time;
      step = stepAt(market.tape, time);
      return [frame()];
    },
  };
}

function books(market: Market, now: number, channel: string): Source {
  const { tape } = market;
  let sentAt = now;
  let book: Book = bookAt(tape, stepAt(tape, now));
  const frame = (action: 'snapshot' | 'update', record: string): OutFrame => {
    const plain = data(market, channel, record);
    return { ...plain, text: plain.text.replace('"data":', `"action":"${action}","data":`) };
  };
  return {
    greeting: () => [frame('snapshot', chainedBook(tape, book, { step: book.step, previous: -1, time: sentAt }))],
    due(time) {
      const step = stepAt(tape, time);
      if (time - sentAt < 100 || (step === book.step && time - sentAt < KEEP_ALIVE_MS)) return [];
      const change = changeTowards(tape, book, step);
      book = change.to;
      sentAt = book.step === step ? time : 0; // still behind: the rest with the next tick
      const at = { step: book.step, previous: sequenceAt(tape, change.from), time };
      return [frame('update', chainedBook(tape, change, at))];
    },
  };
}

/** The running candle at most once a second when it changed; the final one when its time is over, also without trades. */
function candles(market: Market, now: number, channel: string, interval: Interval): Source {
  const { tape } = market;
  let running = new RunningCandle(tape, emptyCandle(tape, interval, interval.openOf(now)));
  let [sentAt, sentNext] = [0, -1];
  const frame = (confirm: '0' | '1') => data(market, channel, candleRow(tape, running.candle, confirm));
  return {
    greeting: () => (running.catchUp(market.count) ? [frame('0')] : []),
    due(time) {
      const frames: OutFrame[] = [];
      while (running.catchUp(market.count)) {
        if (time < running.candle.closeTime) {
          if (time - sentAt < 1000 || running.candle.next === sentNext) break;
          [sentAt, sentNext] = [time, running.candle.next];
          frames.push(frame('0'));
          break;
        }
        frames.push(frame('1'));
        running = new RunningCandle(tape, emptyCandle(tape, interval, running.candle.closeTime));
        [sentAt, sentNext] = [0, -1];
      }
      return frames;
    },
  };
}
