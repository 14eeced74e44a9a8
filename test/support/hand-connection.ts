import type { ChannelListener } from '../../src/collectors/connection/carried-channels.ts';
import { Connection, type ConnectionOptions } from '../../src/collectors/connection/connection.ts';
import { RateLimit } from '../../src/collectors/pacing/rate-limit.ts';
import type { Endpoint, ExchangeAdapter, Route } from '../../src/exchanges/adapter.ts';
import { okx } from '../../src/exchanges/okx/adapter.ts';
import type { DataType } from '../../src/market/data-type.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { untraced } from '../../src/runtime/tracing.ts';
import { type HandSocket, handSockets } from './hand-sockets.ts';
import { ManualClock } from './manual-clock.ts';

/** A connection whose sockets and time the test moves. It goes on trying for ever unless told otherwise. */
export function connect(
  adapter: ExchangeAdapter = okx,
  endpoint: Endpoint = 'public',
  own: Partial<ConnectionOptions> = {},
) {
  const clock = new ManualClock();
  const gate = new Gate();
  const { sockets, openSocket } = handSockets();
  const connection = new Connection({
    adapter,
    connection: { ...adapter.connection, max_reconnect_attempts: 1_000 },
    endpoint,
    credentials: { key: 'key', secret: 'secret', passphrase: 'passphrase' },
    openSocket,
    clock,
    random: () => 0.5,
    log: silentLog,
    gate,
    tracer: untraced,
    connects: new RateLimit(clock, { amount: 1, perMs: 1_000 / adapter.limits.connectsPerSecond }),
    ...own,
  });
  const newest = () => sockets.at(-1) as HandSocket;
  return { connection, clock, gate, sockets, newest };
}

export const route = (symbol: string, type: DataType, name?: string, adapter: ExchangeAdapter = okx): Route => {
  const [channel] = adapter.channels(symbol, type, name);
  if (!channel) throw new Error('no channel');
  return { channel, symbol };
};
export const tickers = route('BTC-USDT', 'ticker');
export const books = route('BTC-USDT', 'orderbook', 'books');
export const trades = route('BTC-USDT', 'trade', 'trades');

/** Keeps what it heard, in order, as words. */
export function listen() {
  const heard: string[] = [];
  const listener: ChannelListener = {
    keepsPayload: () => true,
    data: (frame) => heard.push(`${frame.kind} ${frame.channel}`),
    subscribed: (key) => heard.push(`subscribed ${key}`),
    refused: (key, code) => heard.push(`refused ${key} ${code}`),
    interrupted: (key) => heard.push(`interrupted ${key}`),
    connection: (_keys, state) => heard.push(state),
    trouble: (reason) => heard.push(`trouble ${reason}`),
  };
  return { heard, listener, count: (word: string) => heard.filter((one) => one === word).length };
}

const data = ({ channel: { name, nativeSymbol } }: Route, record: object, action?: string) => ({
  arg: { channel: name, instId: nativeSymbol },
  ...(action ? { action } : {}),
  data: [record],
});
export const book = (sequence: number, previous = -1) =>
  data(
    books,
    {
      asks: [['11', '1', '0', '1']],
      bids: [['10', '1', '0', '1']],
      ts: '1767225600000',
      seqId: sequence,
      prevSeqId: previous,
    },
    previous < 0 ? 'snapshot' : 'update',
  );
export const trade = (tradeId: string) =>
  data(trades, { instId: 'BTC-USDT', tradeId, px: '1', sz: '1', side: 'buy', ts: '1767225600000', count: '1' });
export const upgrade = { event: 'notice', code: '64008', msg: 'upgrade' };

/** On a socket that is open, with every channel subscribed. */
export async function live(...wanted: readonly Route[]) {
  const made = connect();
  const ear = listen();
  for (const one of wanted) made.connection.want(one, ear.listener);
  await made.clock.advance(1);
  made.newest().open();
  made.newest().acknowledge();
  return { ...made, ...ear, first: made.newest() };
}
