import { builder } from './builder.ts';
import type { Services, StorageStatus } from './context.ts';
import { byStateField, countByState } from './manager.ts';

const StorageState = builder.enumType('StorageState', {
  description: 'How recording is doing.',
  values: {
    RECORDING: { description: 'What comes is committed at once.' },
    DELAYED: { description: 'Rows wait longer than they should.' },
    UNAVAILABLE: { description: 'The database does not answer; rows wait in memory and nothing is lost yet.' },
  } as const satisfies Record<StorageStatus['state'], unknown>,
});

const StorageHealth = builder.objectRef<StorageStatus>('StorageHealth').implement({
  description: 'How recording is doing.',
  fields: (t) => ({
    state: t.expose('state', { type: StorageState, description: 'In one word.' }),
    lagMs: t.exposeFloat('lagMs', {
      nullable: true,
      description: 'From receiving a trade to its commit, ms, of the last batch; null before the first.',
    }),
    queuedRows: t.exposeInt('queuedRows', { description: 'Rows that wait to be committed.' }),
    oldestQueuedMs: t.exposeFloat('oldestQueuedMs', {
      nullable: true,
      description: 'Age of the oldest row that waits, ms; null when none does.',
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'Code of the last failure to record; null when there was none.',
    }),
  }),
});

type Level = 'OK' | 'DEGRADED' | 'DOWN';

const HealthLevel = builder.enumType('HealthLevel', {
  description: 'The whole in one word.',
  values: {
    OK: { description: 'Everything that should run runs, and is recorded.' },
    DEGRADED: { description: 'Something does not do what it should; `reasons` says what.' },
    DOWN: { description: 'Nothing is recorded.' },
  } as const satisfies Record<Level, unknown>,
});

interface Health {
  readonly level: Level;
  readonly reasons: readonly string[];
  readonly storage: StorageStatus;
  readonly services: Services;
}

function judge(services: Services): Health {
  const { collectors } = services;
  const storage = services.storage();
  const reasons: string[] = [];
  if (!collectors.getStatus().isRunning) reasons.push('The collectors are not supervised.');
  if (storage.state === 'UNAVAILABLE') reasons.push('The database does not answer.');
  if (storage.state === 'DELAYED') reasons.push(`${storage.queuedRows} rows wait to be stored.`);
  for (const name of collectors.listCollectors()) {
    const health = collectors.getCollector(name)?.getHealthStatus();
    if (health && !health.isHealthy) reasons.push(`${name}: ${health.issues.join(' ')}`);
  }
  const level = storage.state === 'UNAVAILABLE' ? 'DOWN' : reasons.length > 0 ? 'DEGRADED' : 'OK';
  return { level, reasons, storage, services };
}

const SystemHealth = builder.objectRef<Health>('SystemHealth').implement({
  description: 'How well everything works, right now.',
  fields: (t) => ({
    status: t.field({ type: HealthLevel, description: 'In one word.', resolve: ({ level }) => level }),
    reasons: t.stringList({
      description: 'Why it is not OK, a sentence each; empty when it is.',
      resolve: ({ reasons }) => [...reasons],
    }),
    totalCollectors: t.int({
      description: 'How many collectors there are.',
      resolve: ({ services }) => services.collectors.getStatus().totalCollectors,
    }),
    collectors: t.field({ ...byStateField, resolve: ({ services }) => countByState(services.collectors) }),
    storage: t.expose('storage', { type: StorageHealth, description: 'How recording is doing.' }),
    subscribers: t.int({
      description: 'Subscriptions to market data that are open now.',
      resolve: ({ services }) => services.trades.subscribers + services.live.subscribers,
    }),
    openGaps: t.int({ description: 'Known gaps that are not filled. Not counted yet: always 0.', resolve: () => 0 }),
    uptimeSeconds: t.float({
      description: 'Seconds since this server started.',
      resolve: ({ services }) => Math.max(0, services.clock.now() - services.startedAt) / 1000,
    }),
    startedAt: t.field({
      type: 'DateTime',
      description: 'When this server started.',
      resolve: ({ services }) => services.startedAt,
    }),
    time: t.field({
      type: 'DateTime',
      description: "The server's clock.",
      resolve: ({ services }) => services.clock.now(),
    }),
    version: t.string({ description: 'Of this software.', resolve: ({ services }) => services.version }),
  }),
});

builder.queryField('health', (t) =>
  t.field({
    type: SystemHealth,
    description: 'How well everything works, right now.',
    resolve: (_root, _args, context) => judge(context),
  }),
);
