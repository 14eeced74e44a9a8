import { type Candle, type CandleValues, smallVwapOf, VWAP_PLACES, vwapOf } from '../market/candle.ts';
import type { Decimal } from '../market/decimal.ts';
import { intervalName } from './candle-interval.ts';
import { EDGE_END, EdgeSteps } from './edge-steps.ts';
import { output } from './execution/text-output.ts';

type Write = (candle: Candle) => void;

/** A decimal of a candle; what stands for it in one without trades, null or text. */
const decimal =
  (pick: (values: CandleValues) => Decimal | null, empty: string | null): Write =>
  ({ values }) => {
    const text = values === null ? empty : pick(values);
    if (text === null) output.plain('null');
    else output.quoted(text);
  };

const vwapText = decimal(vwapOf, null);

/** Nearly all are small; as a text of its own it takes longer to put together than to work out. */
const vwap: Write = (candle) => {
  const small = candle.values && smallVwapOf(candle.values);
  if (small === null) vwapText(candle);
  else output.decimal(small.whole, small.fraction, VWAP_PLACES);
};

/** The fields of a candle as text; the resolvers of candle.ts say the same. */
const STEPS = new EdgeSteps<Write>({
  exchange: ({ exchange }) => output.value(exchange),
  symbol: ({ symbol }) => output.value(symbol),
  interval: ({ interval }) => output.quoted(intervalName(interval)),
  openTime: ({ openTime }) => output.time(openTime),
  closeTime: ({ closeTime }) => output.time(closeTime),
  open: decimal(({ open }) => open, null),
  high: decimal(({ high }) => high, null),
  low: decimal(({ low }) => low, null),
  close: decimal(({ close }) => close, null),
  volume: decimal(({ volume }) => volume, '0'),
  quoteVolume: decimal(({ quoteVolume }) => quoteVolume, '0'),
  buyVolume: decimal(({ buyVolume }) => buyVolume, '0'),
  vwap,
  tradeCount: ({ values }) => output.quoted(String(values?.tradeCount ?? 0)),
  state: ({ state }) => output.quoted(state),
  completeness: ({ completeness }) => output.quoted(completeness),
  coverageRatio: ({ coverageRatio }) => output.plain(String(coverageRatio)),
  revision: ({ values }) => output.plain(String(values?.revision ?? 0)),
  availableAt: ({ availableAt }) => {
    if (availableAt === null) output.plain('null');
    else output.time(availableAt);
  },
});

/** Writes the edges of a page of candles, with commas between them; false, and nothing, where more is asked than its fields. */
export function writeCandles(candles: readonly Candle[], selection: Parameters<typeof STEPS.of>[0]): boolean {
  const steps = STEPS.of(selection);
  if (steps === null) return false;
  candles.forEach((candle, k) => {
    if (k > 0) output.plain(',');
    for (const { before, write } of steps) {
      output.bytes(before);
      write(candle);
    }
    output.bytes(EDGE_END);
  });
  return true;
}
