/** The way of a trade from the socket to the spool as the application wires it, with a store that takes everything at once. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ExchangeFactory } from '../../src/collectors/exchange-factory.ts';
import { DataType } from '../../src/market/data-type.ts';
import { TradeFeed } from '../../src/pipeline/feed/trade-feed.ts';
import { LiveFeed } from '../../src/pipeline/live/live-feed.ts';
import { Recorder } from '../../src/pipeline/recorder.ts';
import { QueueRegistry } from '../../src/runtime/bounded-queue.ts';
import { systemClock as clock } from '../../src/runtime/clock.ts';
import { Gate } from '../../src/runtime/gate.ts';
import { silentLog as log } from '../../src/runtime/log.ts';
import { Spool } from '../../src/storage/spool/spool.ts';
import { takeIn } from './taken.ts';

const SPOOL_BYTES = 2 ** 31;
/** As `data_collection.buffer_size` of ten markets gives. */
const TRADE_CAPACITY = 32_768;

const directory = mkdtempSync(join(tmpdir(), 'tcp-bench-'));
process.on('exit', () => rmSync(directory, { recursive: true, force: true }));

takeIn(async ({ url, symbols }, taken) => {
  const spool = await Spool.open(directory, SPOOL_BYTES, log);
  let durable = 0;
  const [queues, gate, random] = [new QueueRegistry(), new Gate(), Math.random];
  const noTrades = { tradesAfter: () => Promise.reject(new Error('Nothing is read back')) };
  const tradeFeed = new TradeFeed({ history: noTrades, clock, position: new Map() });
  let position = 0n;
  const recorder = await Recorder.open(
    {
      spool: {
        get bytes() {
          return spool.bytes;
        },
        async append(rows) {
          await spool.append(rows);
          const last = rows.at(-1)?.last ?? durable;
          taken.add(last - durable);
          durable = last;
        },
        read: (...range) => spool.read(...range),
        discard: (through) => spool.discard(through),
      },
      foreignSpool: false,
      trades: {
        writer: 1,
        get position() {
          return position;
        },
        async write({ last }) {
          position = last;
          return { leftOut: new Set<bigint>() };
        },
        prepare: async () => {},
        load: async () => [],
        quarantine: async () => {},
      },
      marketData: { insert: async () => {}, ends: async () => [] },
      ...{ tradeFeed, liveFeed: new LiveFeed({ clock, queues }), hasTradeIds: () => true },
      ...{ gate, queues, clock, random, log, shared: () => false },
      broken: (error) => {
        throw error;
      },
    },
    { tradeCapacity: TRADE_CAPACITY },
  );
  const factory = new ExchangeFactory({
    ...{ clock, random, log, socketLog: log, gate, credentials: {} },
    connections: { okx: { public_ws_url: url, rest_url: url.replace(/^ws(.*?\d+)\/.*/, 'http$1') } },
  });
  for (const symbol of symbols) {
    const collector = factory.createCollector({
      ...{ exchange: 'okx', symbol, dataTypes: [DataType.TRADE], storeRawData: false },
      customParams: { channels: { trade: 'trades' } },
    });
    collector.onEvent((event) => recorder.accept(event, { storeRaw: collector.storeRawData }));
    if (!(await collector.start())) throw new Error(`${collector.name}: ${collector.getHealthStatus().issues.join()}`);
  }
});
