import { describe, expect, it } from 'vitest';
import { ExchangeFactory } from '../../src/collectors/exchange-factory.ts';
import { DataType } from '../../src/market/data-type.ts';
import type { MarketDataPoint } from '../../src/market/market-data-point.ts';
import type { MarketEvent } from '../../src/market/market-event.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { handSockets } from '../support/hand-sockets.ts';
import { ManualClock } from '../support/manual-clock.ts';

const record = (tradeId: string) => ({
  ...{ instId: 'BTC-USDT', tradeId, px: '64040.2', sz: '0.5' },
  ...{ side: 'buy', ts: '1786538760218', count: '1', source: '0', seqId: 1 },
});
const frame = (tradeId: string) => ({ arg: { channel: 'trades', instId: 'BTC-USDT' }, data: [record(tradeId)] });

/** Collectors of one market on one socket, each with what it was told. */
async function collecting(storing: readonly boolean[]) {
  const clock = new ManualClock();
  const { sockets, openSocket } = handSockets();
  const factory = new ExchangeFactory({ clock, random: () => 0.5, log: silentLog, openSocket });
  const collectors = storing.map((storeRawData) => {
    const events: MarketEvent[] = [];
    const collector = factory.createCollector({
      ...{ exchange: 'okx', symbol: 'BTC-USDT', dataTypes: [DataType.TRADE], storeRawData },
      customParams: { channels: { trade: 'trades' } },
    });
    collector.onEvent((event) => events.push(event));
    return { collector, events };
  });
  const started = collectors.map(({ collector }) => collector.start());
  await clock.advance(100);
  const [socket] = sockets;
  if (!socket) throw new Error('No socket was opened');
  socket.open();
  await clock.advance(100);
  socket.acknowledge();
  await Promise.all(started);
  return { collectors, say: (tradeId: string) => socket.say(frame(tradeId)) };
}

describe('the payload of a trade', () => {
  it('is not made where nobody keeps it', async () => {
    const { collectors, say } = await collecting([false]);
    say('7');
    expect(collectors[0]?.events).toMatchObject([{ tradeId: '7', raw: null }]);
  });

  it('is made while there is a callback that gets it', async () => {
    const { collectors, say } = await collecting([false]);
    const points: MarketDataPoint[] = [];
    const callback = (point: MarketDataPoint) => points.push(point);
    say('7');
    collectors[0]?.collector.addDataCallback(DataType.TRADE, callback);
    say('8');
    collectors[0]?.collector.removeDataCallback(DataType.TRADE, callback);
    say('9');
    expect(points.map(({ data }) => data)).toEqual([record('8')]);
    expect(collectors[0]?.events.map(({ raw }) => raw)).toEqual([null, record('8'), null]);
  });

  it('is made for all who share a subscription when one of them keeps it', async () => {
    const { collectors, say } = await collecting([false, true]);
    say('7');
    expect(collectors[1]?.events.map(({ raw }) => raw)).toEqual([record('7')]);
    await collectors[1]?.collector.stop();
    say('8');
    expect(collectors[0]?.events.map(({ raw }) => raw)).toEqual([record('7'), null]);
  });
});
