import type { FactoryOptions } from '../../src/collectors/exchange-factory.ts';
import type { DataType } from '../../src/market/data-type.ts';
import { handExchange } from './hand-exchange.ts';
import type { HandSocket } from './hand-sockets.ts';

const SYMBOL = 'BTC-USDT';

/** OKX's BTC-USDT with a tape that the test writes: shown by REST, and on the sockets unless they are mute. */
export function handMarket(dataTypes: readonly DataType[], own: Partial<FactoryOptions> = {}) {
  const tape: object[] = [];
  const asked: string[] = [];
  /** What the sockets do not send. */
  const muted = { channel: null as string | null, isMute: (_socket: HandSocket) => false };
  const rest = { status: 200, beforeAnswer: () => {} };
  /** Its clock, against ours. */
  const exchange = { aheadMs: 0 };
  const made = handExchange(
    dataTypes,
    {
      fetch: async (url) => {
        asked.push(url.pathname);
        rest.beforeAnswer();
        const body = { code: rest.status === 200 ? '0' : '50001', msg: '', data: tape.slice(-500).toReversed() };
        return new Response(JSON.stringify(body), { status: rest.status });
      },
      ...own,
    },
    {},
  );
  const { clock, open } = made;
  const say = (channel: string, record: unknown) => {
    if (muted.channel === channel) return;
    for (const socket of open())
      if (socket.subscriptions().has(`${channel}:${SYMBOL}`) && !muted.isMute(socket))
        socket.say({ arg: { channel, instId: SYMBOL }, data: [record] });
  };
  let id = 100;
  /** A trade happens; the ticker and the candle follow it. */
  const trade = () => {
    const ts = String(clock.now() + exchange.aheadMs - 5);
    const record = { instId: SYMBOL, tradeId: String(++id), px: '1', sz: '1', side: 'buy', ts };
    tape.push(record);
    say('trades-all', record);
    say('tickers', { instId: SYMBOL, last: '1', ts });
    say('candle1m', [ts, '1', '1', '1', '1', '1', '1', '1', '0']);
    say('books5', { instId: SYMBOL, asks: [['11', '1', '0', '1']], bids: [['10', '1', '0', '1']], ts, seqId: id });
  };
  const stream = (type: DataType) => made.collector.getStreams().find(({ dataType }) => dataType === type);
  /** Requests after the first one of each socket: subscribed again. */
  const renewals = () => made.sockets.reduce((sum, socket) => sum + socket.asked('subscribe').length - 1, 0);
  return { ...made, trade, stream, muted, rest, exchange, asked, renewals };
}
