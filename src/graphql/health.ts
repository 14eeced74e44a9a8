import type { RecorderStatus } from '../pipeline/recorder.ts';
import { builder } from './builder.ts';
import type { Services } from './context.ts';
import { ageOf, type Backups, type Judgement, judge, type Level } from './judge-health.ts';
import { byStateField, countByState } from './manager.ts';

const StorageState = builder.enumType('StorageState', {
  description: 'How recording is doing.',
  values: {
    STORING: { description: 'What comes is committed.' },
    SPOOLING: {
      description: 'The database does not answer; what comes is durable in the spool and is committed later.',
    },
    FULL: { description: 'The spool has no room: sockets are not read, what is made meanwhile becomes a gap.' },
  } as const satisfies Record<RecorderStatus['trades']['state'], unknown>,
});

const StorageHealth = builder.objectRef<RecorderStatus>('StorageHealth').implement({
  description: 'How recording is doing.',
  fields: (t) => ({
    state: t.field({ type: StorageState, description: 'In one word.', resolve: ({ trades }) => trades.state }),
    lagMs: t.float({
      description: 'How long the oldest trade that is not committed yet has been waiting, ms; 0 when none waits.',
      resolve: ({ trades }) => trades.drain.oldestMs ?? 0,
    }),
    reason: t.string({ description: 'In words.', resolve: ({ trades }) => trades.reason }),
    oldestMs: t.float({
      nullable: true,
      description: 'Age of the oldest trade in the spool, ms; null when there is none.',
      resolve: ({ trades }) => trades.drain.oldestMs,
    }),
    spooledRows: t.float({
      description: 'Trades that are durable in the spool and wait to be committed; a whole number.',
      resolve: ({ trades }) => trades.drain.spooled,
    }),
    spoolBytes: t.float({
      description: 'Of the disk, used by the spool; a whole number.',
      resolve: ({ trades }) => trades.spoolBytes,
    }),
    commitMs: t.float({
      nullable: true,
      description: 'What a commit of trades takes, ms, smoothed over the last ones; null before the first.',
      resolve: ({ trades }) => trades.drain.commitMs?.average ?? null,
    }),
    spooled: t.int({
      description: 'Trades and samples that were received and wait to be committed.',
      resolve: ({ trades, marketData }) => trades.drain.spooled + trades.intake.queued + marketData.queued,
    }),
    stored: t.float({
      description: 'Trades and samples committed since this server started; a whole number.',
      resolve: ({ trades, marketData }) => trades.drain.stored + marketData.stored,
    }),
    refused: t.float({
      description:
        'Rows the database will never take, since this server started; a whole number. The log says which and why.',
      resolve: ({ trades, marketData }) => trades.drain.refused + trades.intake.unfit + marketData.refused,
    }),
    lost: t.float({
      description: 'Trades turned away because no more could wait, since this server started; a whole number.',
      resolve: ({ trades }) => trades.intake.turnedAway,
    }),
    lastErrorAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When committing trades last failed; null when it never did. The log says why.',
      resolve: ({ trades }) => trades.drain.lastError?.at ?? null,
    }),
  }),
});

const BackupHealth = builder.objectRef<Backups>('BackupHealth').implement({
  description: 'How backups by schedule are doing.',
  fields: (t) => ({
    everySeconds: t.float({
      description: 'How often one is made, in seconds.',
      resolve: ({ everyMs }) => everyMs / 1_000,
    }),
    newestAt: t.expose('newestAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the newest that counts was made; null when none does, or nobody has looked since the start.',
    }),
    ageSeconds: t.float({
      nullable: true,
      description: 'Its age, in seconds; null without one.',
      resolve: (backups) => {
        const age = ageOf(backups);
        return age === null ? null : Math.max(0, age) / 1_000;
      },
    }),
    failures: t.exposeInt('failures', { description: 'Runs that failed since this server started.' }),
    failing: t.exposeBoolean('failing', { description: 'Whether the last run failed; the log says why.' }),
  }),
});

const HealthLevel = builder.enumType('HealthLevel', {
  description: 'The whole in one word.',
  values: {
    OK: { description: 'Everything that should run runs, and is recorded.' },
    DEGRADED: { description: 'Something does not do what it should; `reasons` says what.' },
    DOWN: {
      description: 'Nothing is being recorded: the spool is full, or every collector that should run is in error.',
    },
  } as const satisfies Record<Level, unknown>,
});

interface Health extends Judgement {
  readonly storage: RecorderStatus;
  readonly backups: Backups | null;
  readonly services: Services;
}

function healthOf(services: Services): Health {
  const storage = services.recorder.status();
  const scheduled = services.keeping.backups();
  const backups = scheduled && { ...scheduled, now: services.clock.now() };
  return { ...judge(services, storage.trades, backups), storage, backups, services };
}

const SystemHealth = builder.objectRef<Health>('SystemHealth').implement({
  description: 'How well everything works, right now.',
  fields: (t) => ({
    status: t.field({ type: HealthLevel, description: 'In one word.', resolve: ({ level }) => level }),
    reasons: t.stringList({
      description:
        'Why it is not OK and what is being done about it, in words, one for each trouble; empty when it is OK.',
      resolve: ({ reasons }) => [...reasons],
    }),
    totalCollectors: t.int({
      description: 'How many collectors there are.',
      resolve: ({ services }) => services.collectors.getStatus().totalCollectors,
    }),
    collectors: t.field({ ...byStateField, resolve: ({ services }) => countByState(services.collectors) }),
    storage: t.expose('storage', { type: StorageHealth, description: 'How recording is doing.' }),
    backups: t.expose('backups', {
      type: BackupHealth,
      nullable: true,
      description: 'How backups by schedule are doing; null without a schedule.',
    }),
    subscribers: t.int({
      description: 'Subscriptions to market data that are open now.',
      resolve: ({ services }) =>
        services.trades.subscribers + services.live.subscribers + services.candleFeed.subscribers,
    }),
    openGaps: t.int({
      description: 'Gaps that are not filled, of all markets; `gaps(status: [GAP])` lists them.',
      resolve: ({ services }) => services.gaps.openCount,
    }),
    uptime: t.float({
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
    resolve: (_root, _args, context) => healthOf(context),
  }),
);
