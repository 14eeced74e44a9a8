import type {
  CollectorState,
  CollectorStatistics,
  CollectorStatus,
  HealthStatus,
} from '../collectors/collector-status.ts';
import type { Rejection } from '../collectors/rejections.ts';
import type { StreamHealth, StreamStatus } from '../collectors/watch/stream-status.ts';
import { parseTime } from '../runtime/date-time.ts';
import { allCollectors } from './all-collectors.ts';
import { builder } from './builder.ts';
import type { ObservedCollector } from './context.ts';
import { DataTypeEnum } from './data-type.ts';
import { countOpenGaps } from './gap.ts';
import { findableBy, globalId, NodeInterface } from './node.ts';
import { requireExchange } from './range.ts';

export const CollectorStateEnum = builder.enumType('CollectorState', {
  description: 'What a collector is doing.',
  values: {
    STOPPED: { value: 'stopped', description: 'Not collecting.' },
    STARTING: { value: 'starting', description: 'Connecting and subscribing.' },
    RUNNING: { value: 'running', description: 'Collecting.' },
    RECONNECTING: { value: 'reconnecting', description: 'The connection was lost; the next attempt waits or runs.' },
    STOPPING: { value: 'stopping', description: 'Asked to stop, finishing.' },
    ERROR: { value: 'error', description: 'Gave up; with `autoRestart` it is started again with back-off.' },
  } as const satisfies Record<Uppercase<CollectorState>, unknown>,
});

const StreamHealthEnum = builder.enumType('StreamHealth', {
  description: 'How one stream of a collector is.',
  values: {
    LIVE: { description: 'Data comes.' },
    QUIET: { description: 'None for a while; the connection is fine.' },
    STALLED: { description: 'None for longer than allowed.' },
    RECONNECTING: { description: 'The connection is being made again.' },
    BACKFILLING: { description: 'What was missed is being fetched.' },
    STOPPED: { description: 'Its collector does not run.' },
  } as const satisfies Record<StreamHealth, unknown>,
});

/** A collector at one instant, so that the fields of one answer agree with each other. */
export interface CollectorView {
  readonly collector: ObservedCollector;
  readonly status: CollectorStatus;
  readonly health: HealthStatus;
}

export const viewOf = (collector: ObservedCollector): CollectorView => ({
  collector,
  status: collector.getStatus(),
  health: collector.getHealthStatus(),
});

const time = (iso: string | null): number | null => (iso === null ? null : parseTime(iso));

const StreamType = builder.objectRef<StreamStatus>('Stream').implement({
  description: 'One data type of a collector: the unit of health.',
  fields: (t) => ({
    dataType: t.expose('dataType', { type: DataTypeEnum, description: 'What it carries.' }),
    health: t.expose('health', { type: StreamHealthEnum, description: 'How it is.' }),
    reason: t.exposeString('reason', { description: 'The health in words.' }),
    lastMessageAt: t.expose('lastMessageAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the last message came; null before the first.',
    }),
    messagesPerSecond: t.exposeFloat('messagesPerSecond', {
      description: 'Messages a second over the last ten seconds.',
    }),
    lagMs: t.exposeFloat('lagMs', {
      nullable: true,
      description:
        'From exchange time to receipt of the last message, ms; null before the first, or where the exchange stamps no time.',
    }),
    openGaps: t.exposeInt('openGaps', {
      description: 'Gaps of it that are not filled; only trades are proven, so 0 elsewhere.',
    }),
  }),
});

const RejectionType = builder.objectRef<Rejection>('Rejection').implement({
  description: 'What a collector could not use, for one reason.',
  fields: (t) => ({
    reason: t.exposeString('reason', { description: 'Why, in a word or two.' }),
    count: t.exposeFloat('count', { description: 'How often since this server started; a whole number.' }),
    sample: t.exposeString('sample', { description: 'The newest case, cut at 300 characters.' }),
  }),
});

const CollectorHealth = builder.objectRef<CollectorView>('CollectorHealth').implement({
  description: 'Whether a collector does what it should.',
  fields: (t) => ({
    isHealthy: t.boolean({ description: 'True without issues.', resolve: ({ health }) => health.isHealthy }),
    issues: t.stringList({
      description: 'One sentence an issue; empty when healthy.',
      resolve: ({ health }) => [...health.issues],
    }),
    status: t.field({
      type: CollectorStateEnum,
      description: 'What it is doing.',
      resolve: ({ health }) => health.status,
    }),
    lastHeartbeat: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its connection last showed life; null before the first time.',
      resolve: ({ health }) => time(health.lastHeartbeat),
    }),
    lastDataReceived: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its last data came; null before the first.',
      resolve: ({ health }) => time(health.lastDataReceived),
    }),
    shouldBeRunning: t.boolean({
      description: 'Whether it is meant to run.',
      resolve: ({ health }) => health.shouldBeRunning,
    }),
    isRunning: t.boolean({ description: 'Whether it runs.', resolve: ({ health }) => health.isRunning }),
    timeSinceHeartbeat: t.float({
      nullable: true,
      description: 'Seconds since the last heartbeat; null before the first.',
      resolve: ({ status }) => status.health.timeSinceHeartbeat,
    }),
    timeSinceData: t.float({
      nullable: true,
      description: 'Seconds since the last data; null before the first.',
      resolve: ({ status }) => status.health.timeSinceData,
    }),
    maxSilenceDuration: t.float({
      description: 'Seconds a stream may be silent before it counts as stalled.',
      resolve: ({ status }) => status.health.maxSilenceDuration,
    }),
  }),
});

const CollectorStatisticsType = builder.objectRef<CollectorStatistics>('CollectorStatistics').implement({
  description: 'Counts of a collector since this server started.',
  fields: (t) => ({
    messagesReceived: t.exposeFloat('messagesReceived', { description: 'Messages that came; a whole number.' }),
    messagesProcessed: t.exposeFloat('messagesProcessed', {
      description: 'Messages that were understood; a whole number.',
    }),
    errors: t.exposeFloat('errors', { description: 'Things that went wrong; a whole number.' }),
    restarts: t.exposeInt('restarts', { description: 'Restarts, by hand or by supervision.' }),
    uptimeSeconds: t.exposeFloat('uptimeSeconds', { description: 'Seconds since the last start; 0 while stopped.' }),
    reconnectAttempts: t.exposeInt('reconnectAttempts', {
      description: 'Attempts since the connection was lost; 0 while connected.',
    }),
    lastMessageTime: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the last message came; null before the first.',
      resolve: (counts) => time(counts.lastMessageTime),
    }),
    connectionUptime: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When the present connection was made; null without one.',
      resolve: (counts) => time(counts.connectionUptime),
    }),
    lastError: t.exposeString('lastError', {
      nullable: true,
      description: 'The last thing that went wrong; null when nothing did.',
    }),
    lastRestartTime: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When it was last restarted; null when never.',
      resolve: (counts) => time(counts.lastRestartTime),
    }),
  }),
});

export const CollectorType = builder.objectRef<CollectorView>('Collector');

findableBy(CollectorType, (name, { collectors }) => {
  const collector = collectors.getCollector(name);
  return collector ? viewOf(collector) : null;
});

CollectorType.implement({
  description: 'One exchange x one symbol: the unit of control.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'Global id; `node(id:)` finds the collector again.',
      resolve: ({ collector }) => globalId('Collector', collector.name),
    }),
    name: t.string({
      description: 'Its name in queries and mutations: "okx:BTC-USDT".',
      resolve: ({ collector }) => collector.name,
    }),
    exchange: t.string({ description: 'Exchange id, such as "okx".', resolve: ({ status }) => status.exchange }),
    state: t.field({
      type: CollectorStateEnum,
      description: 'What it is doing.',
      resolve: ({ status }) => status.status,
    }),
    shouldBeRunning: t.boolean({
      description: 'Whether it is meant to run; kept over restarts of the server.',
      resolve: ({ status }) => status.shouldBeRunning,
    }),
    symbols: t.stringList({
      description: 'What it collects, canonical BASE-QUOTE; one symbol.',
      resolve: ({ status }) => [...status.symbols],
    }),
    dataTypes: t.field({
      type: [DataTypeEnum],
      description: 'What it collects of it.',
      resolve: ({ status }) => [...status.dataTypes],
    }),
    autoRestart: t.boolean({
      description: 'Whether it is started again after an error.',
      resolve: ({ status }) => status.autoRestart,
    }),
    health: t.field({ type: CollectorHealth, description: 'Whether it does what it should.', resolve: (view) => view }),
    statistics: t.field({
      type: CollectorStatisticsType,
      description: 'What it counted.',
      resolve: ({ status }) => status.statistics,
    }),
    rejections: t.field({
      type: [RejectionType],
      description:
        'What it could not use, such as a frame that is not what the exchange documents; one entry a reason. What belongs to no channel ' +
        'counts at one of the collectors that share its socket.',
      resolve: ({ collector }) => collector.getRejections(),
    }),
    streams: t.field({
      type: [StreamType],
      description: 'Its streams, one a data type.',
      resolve: ({ collector }, _args, { gaps }) =>
        collector.getStreams().map((stream) => ({
          ...stream,
          openGaps: stream.dataType === 'trade' ? countOpenGaps(gaps, collector.exchange, collector.symbol) : 0,
        })),
    }),
  }),
});

builder.queryFields((t) => ({
  collectors: t.field({
    type: [CollectorType],
    description: 'The collectors, in the order they were added. Code: EXCHANGE_UNKNOWN.',
    args: {
      exchange: t.arg.string({ description: 'Only of this exchange; without it all.' }),
      state: t.arg({ type: [CollectorStateEnum], description: 'Only in one of these states; without it all.' }),
    },
    resolve: (_root, { exchange, state }, context) => {
      if (exchange != null) requireExchange(context, exchange);
      return allCollectors(context.collectors)
        .map(viewOf)
        .filter(
          ({ status }) =>
            (exchange == null || status.exchange === exchange) && (state == null || state.includes(status.status)),
        );
    },
  }),
  collector: t.field({
    type: CollectorType,
    nullable: true,
    description: 'One collector; null when there is none of that name.',
    args: { name: t.arg.string({ required: true, description: 'Such as "okx:BTC-USDT".' }) },
    resolve: (_root, { name }, { collectors }) => {
      const collector = collectors.getCollector(name);
      return collector ? viewOf(collector) : null;
    },
  }),
}));
