import { setTimeout } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { Contender, Row, Turn } from '../frame/bench.ts';
import { Subject } from '../frame/subject.ts';
import { PAGE } from './asked.ts';
import { Client, quantile, timed } from './client.ts';
import { type Content, databaseOf, withClient } from './database.ts';
import { MARKETS } from './fill-trades.ts';
import { pageIn } from './questions.ts';

const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'DOGE-USDT'];
const RATE = 2_000;
/** For connections to be made and everything to be compiled. */
const WARM_UP_MS = 3_000;
const SUBSCRIPTION = `subscription { trades(exchange: "okx", symbols: ${JSON.stringify(SYMBOLS)}) { edges { node { exchangeTime } } } }`;
const [P50, P99, TRADE, ALONE] = ['p50', 'p99', 'p99 of a live trade', 'p99 of a live trade without pages'];

/** One page after the other while trades come in, and what that means for a subscriber of theirs. */
export function besideIngest(content: Content, pages: number): Row {
  return {
    what: `beside ${RATE.toLocaleString('en-US')} trades/s`,
    work: `${pages} pages of ${PAGE.toLocaleString('en-US')} trades, one after the other, while as many trades of other markets are stored`,
    metrics: [P50, P99, TRADE, ALONE].map((name) => ({ name, unit: 'ms', better: 'less' as const })),
    ...{ rounds: 2, boundSeconds: 40 },
    contenders: [{ name: 'the server', role: 'ours', run: (turn) => run(turn, content, pages) } satisfies Contender],
    goals: [{ metric: P99, atMost: 100 }],
  };
}

async function run(turn: Turn, content: Content, pages: number) {
  const database = await databaseOf(content);
  await using cleaning = new AsyncDisposableStack();
  cleaning.defer(() => forget(database));
  await using exchange = new Subject(new URL('./exchange.ts', import.meta.url));
  await using subject = new Subject(new URL('./ours.ts', import.meta.url));
  const connection = await exchange.ask<object>('open', { symbols: SYMBOLS, rate: RATE });
  const url = await subject.ask<string>('open', { database, collected: { connection, symbols: SYMBOLS } });
  using client = new Client(url);
  using trades = await follow(url);
  const ask = (k: number) => client.ask(pageIn('ours', { market: k % MARKETS, first: PAGE }));
  await setTimeout(WARM_UP_MS);
  for (let k = 0; k < pages / 4; k += 1) await ask(k);
  trades.take();
  await setTimeout(WARM_UP_MS);
  const alone = trades.take();
  const took: number[] = [];
  await subject.profiled(turn, async () => {
    for (let k = 0; k < pages; k += 1) took.push(await timed(() => ask(k)));
  });
  const beside = trades.take();
  if (beside.length === 0) throw new Error('No trade came meanwhile');
  return {
    [P50]: quantile(took, 0.5),
    [P99]: quantile(took, 0.99),
    [TRADE]: quantile(beside, 0.99),
    [ALONE]: quantile(alone, 0.99),
  };
}

/** From the time an exchange gives a trade to its arrival here, ms. */
async function follow(url: string): Promise<Disposable & { take(): number[] }> {
  const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws');
  let late: number[] = [];
  await new Promise<void>((resolve, reject) => {
    socket.on('error', reject);
    socket.on('open', () => socket.send('{"type":"connection_init"}'));
    socket.on('message', (data) => {
      const text = String(data);
      if (text.includes('connection_ack')) {
        socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: SUBSCRIPTION } }));
        resolve();
      }
      const now = Date.now();
      for (const [, time = ''] of text.matchAll(/"exchangeTime":"([^"]+)"/g)) late.push(now - Date.parse(time));
    });
  });
  return {
    take() {
      const taken = late;
      late = [];
      return taken;
    },
    [Symbol.dispose]: () => socket.terminate(),
  };
}

/** Leaves the database as it was. */
const forget = (database: string) =>
  withClient(database, async (client) => {
    const collected = `(select id from tcp_dashboard.instrument where symbol = any($1))`;
    for (const table of ['trade', 'candle', 'coverage', 'market_point'])
      await client.query(`delete from tcp_dashboard.${table} where instrument_id in ${collected}`, [SYMBOLS]);
    await client.query('delete from tcp_dashboard.instrument where symbol = any($1)', [SYMBOLS]);
    await client.query('delete from tcp_dashboard.collector');
  });
