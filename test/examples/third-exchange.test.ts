import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, vi } from 'vitest';
import { type WebSocket, WebSocketServer } from 'ws';
import { KrakenCollector } from '../../examples/third-exchange.ts';
import { CollectorManager } from '../../src/collectors/collector-manager.ts';
import { DataType } from '../../src/market/data-type.ts';
import { type MarketDataPoint, validateMarketDataPoint } from '../../src/market/market-data-point.ts';

const frameOf = (trades: string) => `{"channel":"trade","type":"update","data":[${trades}]}`;
const tradeOf = (id: number, price: string) =>
  `{"symbol":"BTC/USD","side":"sell","price":${price},"qty":0.00027620,"ord_type":"limit","trade_id":${id},"timestamp":"2026-01-31T12:00:00.440295Z"}`;

describe('a collector of one’s own', () => {
  it('subscribes, passes trades on with every digit, counts what it cannot read, and comes back after a cut', async () => {
    await using kraken = await startKraken();
    const collector = new KrakenCollector(
      { exchange: 'kraken', symbol: 'BTC-USD', dataTypes: [DataType.TRADE] },
      kraken.url,
    );
    const points: MarketDataPoint[] = [];
    collector.addDataCallback(DataType.TRADE, (point) => points.push(point));
    const manager = new CollectorManager();
    await using _stopped = { [Symbol.asyncDispose]: () => manager.stop() };
    manager.addCollector(collector);
    expect(await manager.start()).toBe(true);
    await vi.waitFor(() =>
      expect(kraken.asked).toEqual([{ method: 'subscribe', params: { channel: 'trade', symbol: ['BTC/USD'] } }]),
    );

    kraken.send('{"channel":"heartbeat"}');
    kraken.send('<html>');
    kraken.send(frameOf(`${tradeOf(1, '0.10')},${tradeOf(2, '105944.20')}`));
    await vi.waitFor(() => expect(points).toHaveLength(2));
    for (const point of points) validateMarketDataPoint(point);
    expect(points[1]).toMatchObject({
      exchange: 'kraken',
      symbol: 'BTC-USD',
      dataType: 'trade',
      timestamp: new Date('2026-01-31T12:00:00.440Z'),
      data: { trade_id: '2', price: '105944.20', qty: '0.00027620', side: 'sell' },
    });
    expect(collector.getStatus().statistics).toMatchObject({ messagesReceived: 3, messagesProcessed: 1, errors: 1 });

    kraken.cut();
    await vi.waitFor(() => expect(collector.state).toBe('error'));
    await vi.waitFor(() => expect(kraken.asked).toHaveLength(2), { timeout: 10_000 });
    kraken.send(frameOf(tradeOf(3, '1')));
    await vi.waitFor(() => expect(points).toHaveLength(3));
    expect(collector.getHealthStatus().isHealthy).toBe(true);
  });
});

/** As much of Kraken as one client needs. */
async function startKraken() {
  const server = new WebSocketServer({ port: 0, host: '127.0.0.1' });
  await once(server, 'listening');
  const asked: unknown[] = [];
  server.on('connection', (socket: WebSocket) =>
    socket.on('message', (frame) => asked.push(JSON.parse(String(frame)))),
  );
  return {
    url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    send: (frame: string) => {
      for (const socket of server.clients) socket.send(frame);
    },
    cut: () => {
      for (const socket of server.clients) socket.terminate();
    },
    async [Symbol.asyncDispose]() {
      for (const socket of server.clients) socket.terminate();
      server.close();
      await once(server, 'close');
    },
  };
}
