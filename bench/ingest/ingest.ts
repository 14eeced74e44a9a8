import type { Bench, Contender, Figures, Metric, Row, Turn } from '../frame/bench.ts';
import { Subject } from '../frame/subject.ts';

const METRICS: readonly Metric[] = [
  { name: 'trades per CPU second', unit: '', better: 'more' },
  { name: 'trades per second', unit: '', better: 'more' },
];

/** What the process under test is told. */
export interface IngestPlan {
  /** Of the exchange, e.g. "ws://127.0.0.1:4000/ws/v5/public". */
  readonly url: string;
  readonly symbols: readonly string[];
}

/** What it says when the trades are in. */
export interface Ingested {
  readonly cpuSeconds: number;
  readonly wallSeconds: number;
}

interface Size {
  readonly symbols: number;
  readonly warmUp: number;
  readonly frames: number;
}

/** Frames that are made beforehand come over a real socket; from `measure` to the last trade taken in. */
const contender = (name: string, role: Contender['role'], file: string, size: Size): Contender => ({
  ...{ name, role },
  async run(turn: Turn): Promise<Figures> {
    await using exchange = new Subject(new URL('./exchange.ts', import.meta.url));
    await using subject = new Subject(new URL(file, import.meta.url));
    const symbols = Array.from({ length: size.symbols }, (_, k) => (k === 0 ? 'BTC-USDT' : `C${k}-USDT`));
    const url = await exchange.ask<string>('open', { symbols, frames: size.warmUp + size.frames });
    await subject.ask('open', { url, symbols } satisfies IngestPlan);
    await exchange.ask('subscribed');
    const take = async (frames: number) => {
      await subject.ask('begin', frames);
      await exchange.ask('send', frames);
      return subject.ask<Ingested>('reached');
    };
    await take(size.warmUp);
    const { cpuSeconds, wallSeconds } = await subject.profiled(turn, () => take(size.frames));
    return {
      'trades per CPU second': size.frames / cpuSeconds,
      'trades per second': size.frames / wallSeconds,
    };
  },
});

const rowOf = (size: Size, rounds: number): Row => ({
  what: `${size.symbols} ${size.symbols === 1 ? 'market' : 'markets'}`,
  work: `${size.frames.toLocaleString('en-US')} frames of OKX's \`trades\`, one trade each, after ${size.warmUp.toLocaleString('en-US')} to warm up`,
  ...{ metrics: METRICS, rounds, boundSeconds: 240 },
  contenders: [
    contender('`ws` and `JSON.parse`', 'limit', './limit.ts', size),
    contender('socket to spool, durable', 'ours', './ours.ts', size),
    contender('ccxt.pro watchTrades', 'peer', './ccxt.ts', size),
    contender('tardis-dev mapper', 'peer', './tardis.ts', size),
  ],
  goals: [
    { metric: 'trades per CPU second', against: 'limit', atLeast: 0.6 },
    { metric: 'trades per CPU second', against: 'ccxt.pro watchTrades', atLeast: 5 },
    { metric: 'trades per CPU second', against: 'tardis-dev mapper', atLeast: 1 },
  ],
});

export const ingest: Bench = {
  name: 'ingest',
  title:
    'Trade frames over a real socket: parsed, validated, normalised, sequenced and durable on disk (with a store that takes all at once, as the next benchmark is about it). The limit receives and parses; the peers map to objects in memory and keep nothing.',
  rows: (size) =>
    size === 'tiny'
      ? [rowOf({ symbols: 3, warmUp: 3_000, frames: 9_000 }, 1)]
      : [1, 10, 50].map((symbols) => rowOf({ symbols, warmUp: 50_000, frames: 200_000 }, 3)),
};
