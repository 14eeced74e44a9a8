import { describe, expect, it } from 'vitest';
import { CollectorManager, type CollectorStore } from '../../src/collectors/collector-manager.ts';
import type { CollectorEvent } from '../../src/collectors/collector-status.ts';
import { HandCollector } from '../support/hand-collector.ts';
import { ManualClock, turn } from '../support/manual-clock.ts';

class MemoryStore implements CollectorStore {
  readonly shouldRun = new Map<string, boolean>();
  down = false;
  /** While set, a write lasts until it resolves. */
  writing: Promise<void> | null = null;

  async save(collectors: Parameters<CollectorStore['save']>[0]): Promise<void> {
    if (this.down) throw new Error('the database is away');
    await this.writing;
    for (const { name, shouldBeRunning } of collectors) this.shouldRun.set(name, shouldBeRunning);
  }

  async remove(name: string): Promise<void> {
    this.shouldRun.delete(name);
  }
}

function manage(symbols: readonly string[] = ['BTC-USDT', 'ETH-USDT']) {
  const clock = new ManualClock();
  const store = new MemoryStore();
  const manager = new CollectorManager({
    clock,
    random: () => 0.5,
    store,
    factory: { createCollector: (config) => new HandCollector(clock, config) },
  });
  const events: CollectorEvent[] = [];
  manager.onEvent((event) => events.push(event));
  const collectors = symbols.map((symbol) => new HandCollector(clock, { symbol }));
  for (const collector of collectors) manager.addCollector(collector);
  const [first = new HandCollector(clock), second = first] = collectors;
  return { clock, store, manager, events, first, second };
}

describe('the manager', () => {
  it('starts all, says so, and remembers that they should run', async () => {
    const { manager, store } = manage();
    expect(await manager.start()).toBe(true);
    expect(manager.getStatus()).toMatchObject({
      isRunning: true,
      totalCollectors: 2,
      byState: { running: 2, error: 0 },
    });
    expect(manager.listCollectors()).toEqual(['third:BTC-USDT', 'third:ETH-USDT']);
    expect([...store.shouldRun]).toEqual([
      ['third:BTC-USDT', true],
      ['third:ETH-USDT', true],
    ]);
  });

  it('leaves stopped what was stopped on purpose before', async () => {
    const { manager, first, second, store } = manage();
    await manager.start(new Set([first.name]));
    expect([first.state, second.state]).toEqual(['stopped', 'running']);
    expect(store.shouldRun.get(first.name)).toBe(false);
  });

  it('remembers after its own end what should run', async () => {
    const { manager, store, first } = manage();
    await manager.start();
    await manager.stopCollector(first.name);
    await manager.stop();
    expect([...store.shouldRun.values()]).toEqual([false, true]);
  });

  it('remembers what should run also when it ends before all have started', async () => {
    const { manager, store, first } = manage();
    const opening = Promise.withResolvers<void>();
    first.opening = opening.promise;
    const started = manager.start();
    await turn();
    const stopped = manager.stop();
    await turn();
    opening.resolve();
    await Promise.all([started, stopped]);
    expect(first.state).toBe('stopped');
    expect([...store.shouldRun.values()]).toEqual([true, true]);
  });

  it('starts again what ran, not what was stopped on purpose', async () => {
    const { manager, first, second } = manage();
    await manager.start();
    await manager.stopCollector(first.name);
    await manager.stop();
    await manager.start();
    expect([first.state, second.state]).toEqual(['stopped', 'running']);
  });

  it('forgets a removed collector although its last state is just being written', async () => {
    const { manager, store, first } = manage();
    await manager.start();
    const writing = Promise.withResolvers<void>();
    store.writing = writing.promise;
    const removed = manager.removeCollector(first.name);
    await turn();
    writing.resolve();
    await removed;
    await turn();
    expect(store.shouldRun.has(first.name)).toBe(false);
  });

  it('saves later what could not be saved', async () => {
    const { manager, store, clock } = manage();
    store.down = true;
    await manager.start();
    expect(store.shouldRun.size).toBe(0);
    store.down = false;
    await clock.advance(6_000);
    expect(store.shouldRun.size).toBe(2);
  });

  it('refuses a second collector of the same name, and control of one that is not there', async () => {
    const { manager, clock } = manage();
    expect(() => manager.addCollector(new HandCollector(clock))).toThrow(
      expect.objectContaining({ code: 'COLLECTOR_EXISTS' }),
    );
    await expect(manager.restartCollector('third:NOPE')).rejects.toMatchObject({ code: 'COLLECTOR_UNKNOWN' });
  });

  it('adds and removes at run time', async () => {
    const { manager, store } = manage();
    await manager.start();
    const added = await manager.addFromConfig({ exchange: 'third', symbol: 'SOL-USDT', dataTypes: ['trade'] });
    expect(added.getStatus().status).toBe('running');
    expect(store.shouldRun.get('third:SOL-USDT')).toBe(true);
    expect(await manager.removeCollector('third:SOL-USDT')).toBe(true);
    expect(await manager.removeCollector('third:SOL-USDT')).toBe(false);
    expect(store.shouldRun.has('third:SOL-USDT')).toBe(false);
    expect(manager.listCollectors()).toHaveLength(2);
  });

  it('restarts a failed collector with growing waits, for ever, and leaves the others alone', async () => {
    const { manager, clock, first, second } = manage();
    first.failure = new Error('away');
    await manager.start();
    const opened: number[] = [];
    for (let minute = 0; minute < 12; minute++) {
      for (let second = 0; second < 60; second++) await clock.advance(1_000);
      opened.push(first.opened);
    }
    expect(opened[0]).toBeGreaterThan(3);
    const lastMinutes = (opened.at(-1) ?? 0) - (opened.at(-4) ?? 0);
    expect(lastMinutes).toBeGreaterThanOrEqual(3);
    expect(lastMinutes).toBeLessThan(9);
    first.failure = null;
    for (let second = 0; second < 61; second++) await clock.advance(1_000);
    expect(first.state).toBe('running');
    expect(second.opened).toBe(1);
  });

  it('does not restart one that has auto-restart off', async () => {
    const { manager, clock } = manage([]);
    const collector = new HandCollector(clock, { autoRestart: false });
    collector.failure = new Error('away');
    manager.addCollector(collector);
    await manager.start();
    for (let second = 0; second < 60; second++) await clock.advance(1_000);
    expect(collector.opened).toBe(1);
  });

  it('tells of states and of health, in order', async () => {
    const { manager, clock, events, first } = manage(['BTC-USDT']);
    await manager.start();
    for (let second = 0; second < 25; second++) await clock.advance(1_000);
    first.trade('1');
    for (let second = 0; second < 2; second++) await clock.advance(1_000);
    await manager.removeCollector(first.name);
    expect(events.map(({ type, state }) => `${type} ${state}`)).toEqual([
      'ADDED stopped',
      'STATE_CHANGED starting',
      'STATE_CHANGED running',
      'HEALTH_CHANGED running',
      'HEALTH_CHANGED running',
      'STATE_CHANGED stopping',
      'STATE_CHANGED stopped',
      'REMOVED stopped',
    ]);
    expect(events[3]?.message).toContain('No trade message yet');
  });
});
