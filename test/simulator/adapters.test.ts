import { describe, expect, it, vi } from 'vitest';
import type { Channel, ExchangeAdapter, Frame, Route } from '../../src/exchanges/adapter.ts';
import { EXCHANGES } from '../../src/exchanges/registry.ts';
import { PUBLIC_DATA_TYPES } from '../../src/market/data-type.ts';
import type { MarketEvent, Trade } from '../../src/market/market-event.ts';
import type { SimulatedExchange } from '../../src/simulator/instrument.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { countAt, tradeAt, tradeById, tradeIdAt } from '../../src/simulator/tape.ts';
import { Probe } from './probe.ts';

// The simulator and the adapters were written from the same fact sheet by different hands; here they check one another.

const SYMBOL = 'PEPE-USDT';
const start = (exchange: SimulatedExchange) =>
  startSimulator({ exchange, seed: 'adapters', rate: 100, symbols: [SYMBOL], firstId: 9_007_199_254_740_993n });

/** Every channel of every data type, once. */
const channelsOf = (adapter: ExchangeAdapter, nativeSymbol: string): readonly Channel[] => {
  const names = PUBLIC_DATA_TYPES.flatMap((type) =>
    (adapter.channelNames[type] ?? []).map((name) => [type, name] as const),
  );
  const channels = names.flatMap(([type, name]) => adapter.channels(nativeSymbol, type, name));
  return [...new Map(channels.map((channel) => [channel.key, channel])).values()];
};

/** Subscribes as the adapter says and reads what comes as the adapter does. */
async function hear(
  simulator: Simulator,
  adapter: ExchangeAdapter,
  channel: Channel,
  frames: number,
): Promise<readonly Frame[]> {
  await using probe = await Probe.open(simulator.connection[`${channel.endpoint}_ws_url`]);
  for (const { text } of adapter.subscribeFrames([channel], () => '1')) probe.send(text);
  const routes = new Map<string, Route>([[channel.key, { channel, symbol: SYMBOL }]]);
  const read = () => probe.texts.map((text) => adapter.readFrame(text, 1, routes));
  return await probe.heard(() => read().filter(({ kind }) => kind !== 'subscribed'), frames);
}

const expectTape = (simulator: Simulator, trades: readonly MarketEvent[]) => {
  for (const trade of trades as readonly Trade[]) {
    if (trade.fillCount > 1) continue;
    const { tradeId, price, size, side, time } =
      tradeById(simulator.tape(SYMBOL), trade.tradeId) ?? tradeAt(simulator.tape(SYMBOL), 0);
    expect(trade).toMatchObject({ tradeId, price, size, side, exchangeTime: time, symbol: SYMBOL });
  }
};

describe.each(['okx', 'binance'] as const)('the %s adapter', (exchange) => {
  const adapter: ExchangeAdapter = EXCHANGES[exchange];
  const native = exchange === 'okx' ? SYMBOL : 'PEPEUSDT';
  // Long candles cost the sum of all their trades when they are opened, and are words for the same code.
  const channels = channelsOf(adapter, native).filter(
    ({ name }) => !/^(candle|kline_)/.test(name) || /(1s|1m)$/.test(name),
  );

  it.each(channels.map((channel) => [channel.name, channel] as const))(
    'understands every frame of %s',
    async (_name, channel) => {
      await using simulator = await start(exchange);
      const frames = await hear(simulator, adapter, channel, 3);
      for (const frame of frames) {
        expect(['events', 'book']).toContain(frame.kind);
        if (frame.kind !== 'events' && frame.kind !== 'book') continue;
        expect(frame.rejected).toEqual([]);
        expect(frame.channel).toBe(channel.key);
        if (channel.dataType === 'trade' && frame.kind === 'events') expectTape(simulator, frame.events);
      }
    },
  );

  it('understands REST: instruments, trades by id, candles and the order book', async () => {
    await using simulator = await start(exchange);
    const ask = async ({ path, query }: { path: string; query: Readonly<Record<string, string>> }) => {
      const answer = await fetch(`${simulator.connection.rest_url}${path}?${new URLSearchParams(query)}`);
      expect(answer.status).toBe(200);
      return answer.text();
    };
    const { rest } = adapter;
    const listed = await Promise.all(
      rest.instruments().map(async (request) => rest.readInstruments(await ask(request))),
    );
    expect(listed.flat()).toMatchObject([{ symbol: SYMBOL, nativeSymbol: native, kind: 'spot', trading: true }]);
    const [channel] = channels;
    if (channel === undefined) throw new Error('an adapter has channels');
    const route = { channel, symbol: SYMBOL };
    const tape = simulator.tape(SYMBOL);
    const k = countAt(tape, Date.now()) - 500;
    const page = rest.tradesPage(native, { afterId: tradeIdAt(tape, k), beforeId: tradeIdAt(tape, k + 21) });
    const { events, rejected } = rest.readTrades(await ask(page), route, 1);
    expect(rejected).toEqual([]);
    expectTape(simulator, events);
    const ids = new Set((events as readonly Trade[]).map(({ tradeId }) => tradeId));
    for (let place = k + 1; place <= k + 20; place += 1) expect(ids).toContain(tradeIdAt(tape, place));
    const candles = rest.readCandles(await ask(rest.candles(native, '1m')), route, '1m', 1);
    expect(candles.rejected).toEqual([]);
    expect(candles.events.length).toBeGreaterThan(50);
    expect(rest.readOrderBook(await ask(rest.orderBook(native)), 1).bids.length).toBeGreaterThan(100);
  });

  it('knows the announcement of the end', async () => {
    await using simulator = await start(exchange);
    await using probe = await Probe.open(simulator.connection.public_ws_url);
    await vi.waitFor(() => expect(simulator.state().sockets.length).toBe(1));
    simulator.faults.add({ kind: 'notice' });
    await probe.heard(() => probe.texts, 1);
    expect(adapter.readFrame(probe.texts[0] ?? '', 1, new Map()).kind).toBe('closing-soon');
  });
});
