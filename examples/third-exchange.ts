/**
 * A collector of one's own, for an exchange this project does not speak: trades of Kraken. Starting, stopping, restarting with
 * back-off, health and statistics come from the library; what is left to write is how data comes.
 *
 *   npx node examples/third-exchange.ts BTC/USD
 *
 * For an exchange that is stored and served like OKX and Binance, write an adapter instead: docs/adding-an-exchange.md.
 */
import { once } from 'node:events';
import {
  BaseDataCollector,
  CollectorManager,
  DataType,
  decimal,
  type ExchangeCollectorConfig,
  type Trade,
} from 'tcp-dashboard';
import { WebSocket } from 'ws';

interface KrakenTrade {
  readonly trade_id: string;
  readonly price: string;
  readonly qty: string;
  readonly side: 'buy' | 'sell';
  readonly timestamp: string;
}

export class KrakenCollector extends BaseDataCollector {
  #socket: WebSocket | null = null;
  readonly #url: string;

  constructor(config: ExchangeCollectorConfig, url = 'wss://ws.kraken.com/v2') {
    super(config);
    this.#url = url;
  }

  protected override async open(): Promise<void> {
    const socket = new WebSocket(this.#url, { perMessageDeflate: false, maxPayload: 1024 * 1024 });
    this.#socket = socket;
    socket.on('error', (error) => this.trouble('socket', error.message));
    await once(socket, 'open', { signal: AbortSignal.timeout(10_000) });
    socket.on('message', (frame) => this.#read(String(frame)));
    // In the state `error` the manager restarts it, with growing waits, for ever.
    socket.on('close', () => socket === this.#socket && this.become('error', 'Kraken closed the connection'));
    const params = { channel: 'trade', symbol: [this.symbol.replace('-', '/')] };
    socket.send(JSON.stringify({ method: 'subscribe', params }));
  }

  protected override async close(): Promise<void> {
    const socket = this.#socket;
    this.#socket = null;
    socket?.removeAllListeners('message').terminate();
  }

  #read(frame: string): void {
    const receivedAt = Date.now();
    try {
      const { channel, data = [] } = parseExactly(frame) as { channel?: string; data?: readonly KrakenTrade[] };
      if (channel === 'trade') for (const trade of data) this.emit(this.#event(trade, receivedAt));
      this.countMessage(channel === 'trade');
    } catch (error) {
      this.countMessage(false);
      this.trouble('frame', String(error));
    }
  }

  #event(raw: KrakenTrade, receivedAt: number): Trade {
    return {
      kind: 'trade',
      exchange: this.exchange,
      symbol: this.symbol,
      exchangeTime: Date.parse(raw.timestamp),
      receivedAt,
      tradeId: raw.trade_id,
      fillCount: 1,
      price: decimal(raw.price),
      size: decimal(raw.qty),
      side: raw.side,
      raw,
    };
  }
}

/** Kraken prints prices as JSON numbers; as floats they would lose digits, so every number stays the text it was. */
const parseExactly = (json: string): unknown =>
  JSON.parse(json, (_key, value: unknown, context?: { source?: string }) =>
    typeof value === 'number' ? context?.source : value,
  );

if (import.meta.main) {
  const [symbol = 'BTC/USD'] = process.argv.slice(2);
  const collector = new KrakenCollector({
    exchange: 'kraken',
    symbol: symbol.replace('/', '-'),
    dataTypes: [DataType.TRADE],
  });
  collector.addDataCallback(DataType.TRADE, (point) => console.log(point.timestamp.toISOString(), point.data));
  collector.onStateChange(({ state }, reason) => console.error(`${state}: ${reason}`));
  const manager = new CollectorManager();
  manager.addCollector(collector);
  await manager.start();
  process.once('SIGINT', () => void manager.stop());
}
