import { Counter, collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { Access } from '../access/access.ts';
import { allCollectors } from '../graphql/all-collectors.ts';
import type { Services } from '../graphql/context.ts';
import type { Refusals } from '../runtime/refusals.ts';
import type { SpanCounts, Tracer } from '../runtime/tracing.ts';

/** One value, and what it is of. */
interface Sample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number | null;
}

interface Meter {
  /** A counter only grows while the process lives; a gauge is what is now. */
  readonly kind: 'counter' | 'gauge';
  /** With its unit, without the prefix of this software. */
  readonly name: string;
  readonly help: string;
  readonly labels?: readonly string[];
  read(
    services: Services,
    refusals: Refusals,
    turnedAway: Access['refusals'],
    spans: SpanCounts | null,
  ): readonly Sample[];
}

export interface Metrics {
  readonly contentType: string;
  /** Everything, in the exposition format of Prometheus. */
  text(): Promise<string>;
}

const PREFIX = 'tcp_dashboard_';
/** Markets are the only labels that users add to: a page never outgrows a scrape. */
const MAX_COLLECTORS = 500;

const one = (value: number | null): readonly Sample[] => [{ labels: {}, value }];
const recording = (services: Services) => services.recorder.status().trades;

const collectors = ({ collectors: manager }: Services) => allCollectors(manager).slice(0, MAX_COLLECTORS);

const ofCollectors = (services: Services, read: (of: ReturnType<typeof collectors>[number]) => number) =>
  collectors(services).map((collector) => ({ labels: marketOf(collector), value: read(collector) }));

const marketOf = ({ exchange, symbol }: { readonly exchange: string; readonly symbol: string }) => ({
  exchange,
  symbol,
});

type Stream = ReturnType<ReturnType<typeof collectors>[number]['getStreams']>[number];

const ofStreams = (services: Services, read: (stream: Stream) => number | null) =>
  collectors(services).flatMap((collector) =>
    collector.getStreams().map((stream) => ({
      labels: { ...marketOf(collector), data_type: stream.dataType },
      value: read(stream),
    })),
  );

const ofQueues = ({ queues }: Services, read: (queue: ReturnType<Services['queues']['list']>[number]) => number) =>
  queues.list().map((queue) => ({ labels: { queue: queue.name }, value: read(queue) }));

const seconds = (ms: number | null | undefined): number | null => (ms == null ? null : ms / 1_000);

const MARKET = ['exchange', 'symbol'];
const STREAM = [...MARKET, 'data_type'];

const METERS: readonly Meter[] = [
  {
    ...{ kind: 'gauge', name: 'collectors', labels: ['state'] },
    help: 'Collectors by state.',
    read: ({ collectors: manager }) =>
      Object.entries(manager.getStatus().byState).map(([state, value]) => ({ labels: { state }, value })),
  },
  {
    ...{ kind: 'gauge', name: 'collectors_left_out' },
    help: `Collectors that have no lines of their own here, as only ${MAX_COLLECTORS} get them.`,
    read: ({ collectors: manager }) => one(Math.max(0, manager.listCollectors().length - MAX_COLLECTORS)),
  },
  {
    ...{ kind: 'gauge', name: 'collector_healthy', labels: MARKET },
    help: 'Whether a collector does what it should: 1, else 0.',
    read: (services) => ofCollectors(services, (of) => Number(of.getHealthStatus().isHealthy)),
  },
  {
    ...{ kind: 'counter', name: 'collector_messages_received_total', labels: MARKET },
    help: 'Messages that came.',
    read: (services) => ofCollectors(services, (of) => of.getStatus().statistics.messagesReceived),
  },
  {
    ...{ kind: 'counter', name: 'collector_messages_processed_total', labels: MARKET },
    help: 'Messages that were understood.',
    read: (services) => ofCollectors(services, (of) => of.getStatus().statistics.messagesProcessed),
  },
  {
    ...{ kind: 'counter', name: 'collector_errors_total', labels: MARKET },
    help: 'Things that went wrong.',
    read: (services) => ofCollectors(services, (of) => of.getStatus().statistics.errors),
  },
  {
    ...{ kind: 'counter', name: 'collector_restarts_total', labels: MARKET },
    help: 'Restarts, by hand or by supervision.',
    read: (services) => ofCollectors(services, (of) => of.getStatus().statistics.restarts),
  },
  {
    ...{ kind: 'gauge', name: 'stream_messages_per_second', labels: STREAM },
    help: 'Messages a second over the last ten seconds.',
    read: (services) => ofStreams(services, (stream) => stream.messagesPerSecond),
  },
  {
    ...{ kind: 'gauge', name: 'stream_lag_seconds', labels: STREAM },
    help: 'From exchange time to receipt of the last message.',
    read: (services) => ofStreams(services, (stream) => seconds(stream.lagMs)),
  },
  {
    ...{ kind: 'gauge', name: 'stream_last_message_timestamp_seconds', labels: STREAM },
    help: 'When the last message came, Unix time.',
    read: (services) => ofStreams(services, (stream) => seconds(stream.lastMessageAt?.getTime())),
  },
  {
    ...{ kind: 'gauge', name: 'open_gaps' },
    help: 'Gaps that are not filled, of all markets.',
    read: ({ gaps }) => one(gaps.openCount),
  },
  {
    ...{ kind: 'gauge', name: 'subscribers', labels: ['of'] },
    help: 'Subscriptions to market data that are open.',
    read: ({ trades, live, candleFeed }) => [
      { labels: { of: 'trades' }, value: trades.subscribers },
      { labels: { of: 'live' }, value: live.subscribers },
      { labels: { of: 'candles' }, value: candleFeed.subscribers },
    ],
  },
  {
    ...{ kind: 'counter', name: 'refusals_total', labels: ['rule'] },
    help: 'What was refused because it is too much, by the limit it breaks.',
    read: (_services, { counts }) => [...counts].map(([rule, value]) => ({ labels: { rule }, value })),
  },
  {
    ...{ kind: 'counter', name: 'access_refusals_total', labels: ['reason'] },
    help: 'Who was turned away, by why: a wrong token, too many of them, none, or one without the role.',
    read: (_services, _refusals, turnedAway) =>
      Object.entries(turnedAway).map(([reason, value]) => ({ labels: { reason }, value })),
  },
  {
    ...{ kind: 'counter', name: 'audit_unlisted_total' },
    help: 'Requests that were refused and are not in the audit log, as there were too many.',
    read: ({ audit }) => one(audit.unlisted),
  },
  {
    ...{ kind: 'gauge', name: 'storage_state', labels: ['state'] },
    help: 'How recording is doing: 1 at the state it is in.',
    read: (services) =>
      ['STORING', 'SPOOLING', 'FULL'].map((state) => ({
        labels: { state: state.toLowerCase() },
        value: Number(recording(services).state === state),
      })),
  },
  {
    ...{ kind: 'gauge', name: 'spool_trades' },
    help: 'Trades that are durable in the spool and wait to be committed.',
    read: (services) => one(recording(services).drain.spooled),
  },
  {
    ...{ kind: 'gauge', name: 'spool_bytes' },
    help: 'Of the disk, used by the spool.',
    read: (services) => one(recording(services).spoolBytes),
  },
  {
    ...{ kind: 'gauge', name: 'spool_oldest_trade_seconds' },
    help: 'How long the oldest trade that is not committed has been waiting; 0 when none waits.',
    read: (services) => one(seconds(recording(services).drain.oldestMs ?? 0)),
  },
  {
    ...{ kind: 'gauge', name: 'commit_seconds' },
    help: 'What a commit of trades takes, smoothed over the last ones.',
    read: (services) => one(seconds(recording(services).drain.commitMs?.average)),
  },
  {
    ...{ kind: 'counter', name: 'trades_stored_total' },
    help: 'Trades committed.',
    read: (services) => one(recording(services).drain.stored),
  },
  {
    ...{ kind: 'counter', name: 'samples_stored_total' },
    help: 'Samples of tickers, order books, candles and balances committed.',
    read: ({ recorder }) => one(recorder.status().marketData.stored),
  },
  {
    ...{ kind: 'counter', name: 'rows_refused_total' },
    help: 'Rows the database will never take; the log says which.',
    read: ({ recorder }) => {
      const { trades, marketData } = recorder.status();
      return one(trades.drain.refused + trades.intake.unfit + marketData.refused);
    },
  },
  {
    ...{ kind: 'counter', name: 'trades_turned_away_total' },
    help: 'Trades turned away because no more could wait; each is in the ledger.',
    read: (services) => one(recording(services).intake.turnedAway),
  },
  {
    ...{ kind: 'gauge', name: 'backup_interval_seconds' },
    help: 'How often a backup is made; no line without a schedule.',
    read: ({ keeping }) => one(seconds(keeping.backups()?.everyMs)),
  },
  {
    ...{ kind: 'gauge', name: 'backup_last_success_timestamp_seconds' },
    help: 'When the newest backup that counts was made, Unix time.',
    read: ({ keeping }) => one(seconds(keeping.backups()?.newestAt)),
  },
  {
    ...{ kind: 'counter', name: 'backup_failures_total' },
    help: 'Backups by schedule that failed.',
    read: ({ keeping }) => one(keeping.backups()?.failures ?? 0),
  },
  {
    ...{ kind: 'gauge', name: 'retention_refused' },
    help: 'Whether retention drops nothing as the clock is doubted: 1, else 0.',
    read: ({ keeping }) => one(Number(keeping.retentionRefused() !== null)),
  },
  {
    ...{ kind: 'gauge', name: 'queue_held', labels: ['queue'] },
    help: 'Values that wait in a queue.',
    read: (services) => ofQueues(services, ({ held }) => held),
  },
  {
    ...{ kind: 'gauge', name: 'queue_capacity', labels: ['queue'] },
    help: 'Values a queue holds at most, of all queues of its name.',
    read: (services) => ofQueues(services, ({ capacity }) => capacity),
  },
  {
    ...{ kind: 'counter', name: 'queue_values_total', labels: ['queue'] },
    help: 'Values that were put in a queue.',
    read: (services) => ofQueues(services, (queue) => queue.in),
  },
  {
    ...{ kind: 'counter', name: 'queue_dropped_total', labels: ['queue'] },
    help: 'Values a full queue let go.',
    read: (services) => ofQueues(services, ({ dropped }) => dropped),
  },
  {
    ...{ kind: 'counter', name: 'spans_exported_total' },
    help: 'Spans a collector of traces took; 0 while none are made.',
    read: (_services, _refusals, _turnedAway, spans) => one(spans?.exported ?? 0),
  },
  {
    ...{ kind: 'counter', name: 'spans_dropped_total' },
    help: 'Spans that no collector of traces took.',
    read: (_services, _refusals, _turnedAway, spans) => one(spans?.dropped ?? 0),
  },
];

/** What Prometheus reads: everything is asked for when it asks, nothing is counted beside the work. The process's own figures come with it. */
export function metricsOf(
  services: Services,
  refusals: Refusals,
  turnedAway: Access['refusals'],
  tracer: Tracer,
): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  for (const meter of METERS)
    register(registry, meter, () => meter.read(services, refusals, turnedAway, tracer.counts()));
  return { contentType: registry.contentType, text: () => registry.metrics() };
}

function register(registry: Registry, { kind, name, help, labels = [] }: Meter, read: () => readonly Sample[]): void {
  const options = { name: PREFIX + name, help, labelNames: [...labels], registers: [registry] };
  if (kind === 'gauge')
    new Gauge({
      ...options,
      collect() {
        this.reset(); // to 0, where there are no labels
        for (const { labels: of, value } of read())
          if (value === null) this.remove(of);
          else this.set(of, value);
      },
    });
  else
    new Counter({
      ...options,
      collect() {
        this.reset();
        for (const { labels: of, value } of read()) if (value !== null) this.inc(of, value);
      },
    });
}
