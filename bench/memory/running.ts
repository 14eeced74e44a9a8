import { setTimeout as sleep } from 'node:timers/promises';
import { openCluster } from '../frame/postgres.ts';
import { Subject } from '../frame/subject.ts';
import type { Collecting, ExchangePlan } from './exchange.ts';
import type { Held } from './held.ts';

/** Trades, ticker and order book. */
const STREAMS = 3;
/** ccxt sends a subscription every 110 ms. */
const READY_TRIES = 240;
const LOOK_MS = 250;

/** An exchange, and whoever collects from it in a process of its own; a Postgres for it. */
export interface Running extends AsyncDisposable {
  readonly exchange: Subject;
  readonly subject: Subject;
  /** Where it serves; undefined for who does not. */
  readonly port: number | undefined;
  held(): Promise<Held>;
}

/** Resolves when every stream is subscribed to. */
export async function run(file: string, plan: ExchangePlan): Promise<Running> {
  await using opening = new AsyncDisposableStack();
  const cluster = opening.adopt(await openCluster(), (own) => own.stop());
  const exchange = opening.use(new Subject(new URL('./exchange.ts', import.meta.url)));
  const subject = opening.use(new Subject(new URL(file, import.meta.url), ['--expose-gc']));
  const { symbols } = plan;
  const connection = await exchange.ask<Collecting['connection']>('open', plan);
  const port = await subject.ask<number | undefined>('open', { databaseUrl: cluster.url, connection, symbols });
  await until('Every stream is subscribed to', async () => {
    return (await exchange.ask<number>('subscriptions')) === STREAMS * symbols.length;
  });
  const opened = opening.move();
  return {
    ...{ exchange, subject, port, held: () => subject.ask<Held>('held') },
    [Symbol.asyncDispose]: () => opened.disposeAsync(),
  };
}

export async function until(what: string, isSo: () => Promise<boolean>): Promise<void> {
  for (let k = 0; !(await isSo()); k += 1) {
    if (k === READY_TRIES) throw new Error(`In vain waited for: ${what}`);
    await sleep(LOOK_MS);
  }
}

export const marketsOf = (count: number): readonly string[] =>
  Array.from({ length: count }, (_, k) => (k === 0 ? 'BTC-USDT' : `C${k}-USDT`));

/** How much the values change from the first to the last of them by the straight line nearest to all, and where it begins. */
export function trendOf(points: readonly { readonly at: number; readonly value: number }[]) {
  const count = points.length;
  const sum = (of: (point: (typeof points)[number]) => number) => points.reduce((all, point) => all + of(point), 0);
  const [at, value] = [sum((point) => point.at) / count, sum((point) => point.value) / count];
  const slope = sum((point) => (point.at - at) * (point.value - value)) / sum((point) => (point.at - at) ** 2);
  const [first = 0, last = 0] = [points[0]?.at, points.at(-1)?.at];
  return { slope, begin: value + slope * (first - at), change: slope * (last - first) };
}

export const MB = 1e6;
