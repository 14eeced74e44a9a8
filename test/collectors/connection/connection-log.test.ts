import { expect, it, vi } from 'vitest';
import { ExchangeFactory } from '../../../src/collectors/exchange-factory.ts';
import type { LogFields } from '../../../src/runtime/log.ts';
import { silentLog } from '../../../src/runtime/log.ts';
import { startSimulator } from '../../../src/simulator/simulator.ts';

it('tells of which exchange a connection was lost, and that it is there again', async () => {
  await using simulator = await startSimulator({ exchange: 'binance', rate: 10 });
  const lines: [message: string, fields: LogFields | undefined][] = [];
  const keep = (...line: (typeof lines)[number]) => void lines.push(line);
  using factory = new ExchangeFactory({
    connections: { binance: simulator.connection },
    socketLog: { ...silentLog, info: keep, warn: keep },
  });
  const collector = factory.createCollector({ exchange: 'binance', symbol: 'BTC-USDT', dataTypes: ['trade'] });
  await collector.start();
  simulator.faults.add({ kind: 'cut' });
  const connected = ['Connected', { exchange: 'binance', endpoint: 'public' }];
  const lost = ['Connection lost', expect.objectContaining({ exchange: 'binance', endpoint: 'public', attempt: 1 })];
  await vi.waitFor(() => expect(lines).toEqual([connected, lost, connected]), { timeout: 10_000 });
  await collector.stop({ force: true });
});
