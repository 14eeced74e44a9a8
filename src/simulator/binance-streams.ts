import {
  aggTradeEvent,
  bookTicker,
  dayTicker,
  depthSnapshot,
  depthUpdate,
  klineEvent,
  tradeEvent,
} from './binance-frames.ts';
import type { Source } from './feed.ts';
import { BINANCE_INTERVALS, type Interval } from './interval.ts';
import type { Market } from './market.ts';
import type { OutFrame } from './out-frame.ts';
import { fillAt, groupOf } from './tape.ts';
import { type Book, bookAt, changeTowards, stepAt } from './tape-book.ts';
import { emptyCandle, RunningCandle } from './tape-candle.ts';

type Open = (market: Market, now: number, channel: string) => Source;

const STREAMS: Readonly<Record<string, Open>> = {
  trade: (market, _now, channel) => singles(market, channel),
  aggTrade: (market, _now, channel) => aggregates(market, channel),
  ticker: (market, now, channel) =>
    every(1000, now, (time) => frame(market, channel, dayTicker(market.tape, market.count, time))),
  bookTicker: (market, now, channel) =>
    tops(market, now, channel, { everyMs: 1, text: (step) => bookTicker(market.tape, step) }),
};

/** The source of `<symbol>@<channel>`; null for a channel Binance does not have. */
export function openStream(market: Market, now: number, channel: string): Source | null {
  if (Object.hasOwn(STREAMS, channel)) return STREAMS[channel]?.(market, now, channel) ?? null;
  const [, depth, speed = '@1000ms'] = /^depth(5|10|20)?(@100ms|@1000ms)?$/.exec(channel) ?? ['', 'none'];
  const everyMs = speed === '@100ms' ? 100 : 1000;
  if (depth === undefined) return diffs(market, now, channel, everyMs);
  if (depth !== 'none')
    return tops(market, now, channel, { everyMs, text: (step) => depthSnapshot(market.tape, step, Number(depth)) });
  const interval = channel.startsWith('kline_') ? BINANCE_INTERVALS.get(channel.slice('kline_'.length)) : undefined;
  return interval === undefined ? null : klines(market, now, channel, interval);
}

const frame = (market: Market, channel: string, text: string, trades: OutFrame['trades'] = null): OutFrame => ({
  text,
  channel,
  nativeSymbol: market.tape.instrument.nativeSymbol,
  trades,
});

const nothing = (): readonly OutFrame[] => [];

/** Binance sends nothing on subscribing: a stream begins with the next event. */
function singles(market: Market, channel: string): Source {
  let next = market.count;
  return {
    greeting: nothing,
    due() {
      const frames: OutFrame[] = [];
      for (next = market.from(next); next < market.count; next += 1)
        frames.push(frame(market, channel, tradeEvent(market.tape, next), { first: next, last: next }));
      return frames;
    },
  };
}

function aggregates(market: Market, channel: string): Source {
  let next = market.count;
  return {
    greeting: nothing,
    due() {
      const frames: OutFrame[] = [];
      for (next = market.from(next); next < market.count; ) {
        const group = groupOf(market.tape, next);
        frames.push(
          frame(market, channel, aggTradeEvent(market.tape, group), { first: group.first, last: group.last }),
        );
        next = group.last + 1;
      }
      return frames;
    },
  };
}

function every(ms: number, now: number, make: (time: number) => OutFrame): Source {
  let sentAt = now;
  return {
    greeting: nothing,
    due(time) {
      if (time - sentAt < ms) return [];
      sentAt = time;
      return [make(time)];
    },
  };
}

function tops(
  market: Market,
  now: number,
  channel: string,
  shape: { everyMs: number; text: (step: number) => string },
): Source {
  let [sentAt, sent] = [now, stepAt(market.tape, now)];
  return {
    greeting: nothing,
    due(time) {
      const step = stepAt(market.tape, time);
      if (time - sentAt < shape.everyMs || step === sent) return [];
      [sentAt, sent] = [time, step];
      return [frame(market, channel, shape.text(step))];
    },
  };
}

function diffs(market: Market, now: number, channel: string, everyMs: number): Source {
  const { tape } = market;
  let sentAt = now;
  let book: Book = bookAt(tape, stepAt(tape, now));
  return {
    greeting: nothing,
    due(time) {
      const step = stepAt(tape, time);
      if (time - sentAt < everyMs || step === book.step) return [];
      const change = changeTowards(tape, book, step);
      book = change.to;
      sentAt = book.step === step ? time : 0; // still behind: the rest with the next tick
      return [frame(market, channel, depthUpdate(tape, change, { from: change.from, to: book.step, time }))];
    },
  };
}

/** Every two seconds (one for `1s`) while trades happen; the closed one with the first trade after its end, however late. */
function klines(market: Market, now: number, channel: string, interval: Interval): Source {
  const { tape } = market;
  const everyMs = interval.name === '1s' ? 1000 : 2000;
  let running = new RunningCandle(tape, emptyCandle(tape, interval, interval.openOf(now)));
  let [sentAt, sentNext] = [now, market.count];
  const event = (closed: boolean, time: number) =>
    frame(market, channel, klineEvent(tape, running.candle, { interval: interval.name, closed, time }));
  return {
    greeting: nothing,
    due(time) {
      const frames: OutFrame[] = [];
      while (running.catchUp(market.count)) {
        const { next } = running.candle;
        if (next === market.count) {
          if (next === sentNext || time - sentAt < everyMs) break;
          [sentAt, sentNext] = [time, next];
          frames.push(event(false, time));
          break;
        }
        frames.push(event(true, time));
        running = new RunningCandle(tape, emptyCandle(tape, interval, interval.openOf(fillAt(tape, next).time)));
        sentAt = 0;
      }
      return frames;
    },
  };
}
