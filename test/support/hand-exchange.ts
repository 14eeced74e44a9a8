import { CollectorManager } from '../../src/collectors/collector-manager.ts';
import { ExchangeFactory, type FactoryOptions } from '../../src/collectors/exchange-factory.ts';
import type { DataType } from '../../src/market/data-type.ts';
import type { MarketEvent } from '../../src/market/market-event.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { type HandSocket, handSockets } from './hand-sockets.ts';
import { ManualClock } from './manual-clock.ts';

/** A managed OKX collector of BTC-USDT whose exchange and time the test moves. */
export function handExchange(
  dataTypes: readonly DataType[],
  own: Partial<FactoryOptions> = {},
  channels: Readonly<Partial<Record<DataType, string>>> = { orderbook: 'books' },
) {
  const clock = new ManualClock();
  const { sockets, openSocket } = handSockets();
  const surroundings = { clock, random: () => 0.5, log: silentLog };
  const factory = new ExchangeFactory({ ...surroundings, openSocket, ...own });
  const manager = new CollectorManager({ ...surroundings, factory });
  const collector = factory.createCollector({
    exchange: 'okx',
    symbol: 'BTC-USDT',
    dataTypes,
    customParams: { channels },
  });
  const events: MarketEvent[] = [];
  collector.onEvent((event) => events.push(event));
  manager.addCollector(collector);
  const refusing = new Set<string>();
  const answered = new WeakMap<HandSocket, number>();
  const answer = (socket: HandSocket) => {
    if (refusing.has(new URL(socket.url).pathname)) return socket.cut();
    if (socket.state === 'connecting') socket.open();
    if (socket.sent.at(-1) === 'ping') socket.say('pong');
    if (socket.sent.length === answered.get(socket)) return;
    answered.set(socket, socket.sent.length);
    socket.acknowledge();
  };
  /** Passes seconds in which the exchange accepts and answers everything, and does what the test says `everyMs`. */
  const run = async (seconds: number, each: () => void = () => {}, everyMs = 1_000) => {
    for (let passed = 0; passed < seconds * 1_000; passed += everyMs) {
      await clock.advance(everyMs);
      for (const socket of sockets) if (socket.state !== 'closed') answer(socket);
      each();
    }
  };
  /** Sockets of this endpoint are cut from the next second on. */
  const refuse = (endpoint: string) => refusing.add(`/ws/v5/${endpoint}`);
  const accept = () => refusing.clear();
  const open = () => sockets.filter(({ state }) => state === 'open');
  return { clock, factory, sockets, open, refuse, accept, manager, collector, events, run };
}
