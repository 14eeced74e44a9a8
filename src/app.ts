import { join } from 'node:path';
import { Access } from './access/access.ts';
import { openAudit } from './auditing.ts';
import { openBackupSchedule } from './backing-up.ts';
import { CandleFeed } from './candles/candle-feed.ts';
import type { BaseDataCollector } from './collectors/base-data-collector.ts';
import { CollectorManager, type CollectorStore } from './collectors/collector-manager.ts';
import type { CollectorEvent, ExchangeCollectorConfig } from './collectors/collector-status.ts';
import { webSocketOpener } from './collectors/connection/socket.ts';
import { ExchangeFactory } from './collectors/exchange-factory.ts';
import type { Config } from './config/config.ts';
import { EXCHANGES } from './exchanges/registry.ts';
import { openHealing } from './healing.ts';
import { Housekeeping } from './housekeeping.ts';
import { tradeCursors } from './pipeline/feed/cursor.ts';
import { openRecording } from './recording.ts';
import { QueueRegistry } from './runtime/bounded-queue.ts';
import { type Clock, type Random, systemClock } from './runtime/clock.ts';
import { messageOf } from './runtime/errors.ts';
import { Gate } from './runtime/gate.ts';
import type { Log, OpenLog } from './runtime/log.ts';
import { openLogging } from './runtime/logger.ts';
import { isLoopback } from './runtime/loopback.ts';
import { Outgoing } from './runtime/outgoing.ts';
import { outgoingFetch } from './runtime/outgoing-fetch.ts';
import { setTlsFloor } from './runtime/tls-floor.ts';
import { VERSION } from './runtime/version.ts';
import { listAudit } from './storage/audit.ts';
import { newestTimes, readCandleBases } from './storage/candle-basis.ts';
import { nearestTrade, readCandles } from './storage/candles.ts';
import { loadCollectors, removeCollector, type StoredCollector, saveCollectors } from './storage/collector-status.ts';
import { coverageTotals, findGap, listGaps, listStretches } from './storage/coverage.ts';
import { type Database, type DatabaseOptions, openDatabase } from './storage/database.ts';
import { openEventLog } from './storage/event-log.ts';
import { findInstrument, hasInstrument, listInstruments } from './storage/instruments.ts';
import { listRecordedRuns } from './storage/late-trades.ts';
import { latestBalances, listMarketData, listMinuteCandles } from './storage/market-data.ts';
import { listTrades, listTradesOf } from './storage/trade-pages.ts';
import { findTrade } from './storage/trades.ts';
import { openTracing } from './telemetry/open-tracing.ts';

export interface App extends AsyncDisposable {
  /** Where the API listens, e.g. "http://127.0.0.1:4000". */
  readonly url: string;
  readonly log: Log;
}

export interface Surroundings {
  readonly clock: Clock;
  readonly random: Random;
  /** Ends the wait for a database that does not answer yet; opening then rejects with its reason. */
  readonly interrupted: AbortSignal;
}

const DAY_MS = 86_400_000;
/** More than two looks of another server at who writes. */
const NOTICED_MS = 1_200;

/**
 * Opens everything from the database up to the sockets of the exchanges; disposing closes it in the opposite order.
 * Resolves when the API answers; collectors start meanwhile.
 * @throws {AppError} DATA_DIR_IN_USE, DATABASE_UNAVAILABLE, DATABASE_TOO_OLD, CONFIG_INVALID.
 */
export async function startApp(config: Config, around: Partial<Surroundings> = {}): Promise<App> {
  const { clock = systemClock, random = Math.random, interrupted } = around;
  await using opening = new AsyncDisposableStack();
  const logging = opening.use(openLogging(config.logging, config.components, { secrets: config.secrets }));
  const log = logging.open('server');
  setTlsFloor(config.tls.outgoing_min_version);
  const tracer = opening.use(await openTracing({ settings: config.tracing, clock, log, version: VERSION }));
  log.info('Starting', { version: VERSION, database: config.database.url ? 'postgres' : 'embedded' });

  const outgoing = new Outgoing(config.outgoing.allowed_networks);
  const fetch = outgoingFetch(outgoing);
  const { anonymous, jwt, graphiql } = config.access;
  const isLocal = isLoopback(config.server.host);
  const access = opening.use(new Access({ dataDir: config.data_dir, anonymous, jwt, isLocal, fetch, clock, log }));

  const opened = openDatabase(databaseOptions(config, { clock, interrupted }, logging.open));
  const serving = loadServing();
  const db = opening.use(await opened);
  const queues = new QueueRegistry();
  const gate = new Gate();
  const { recorder, tradeFeed, liveFeed, othersActive, record } = opening.use(
    await openRecording({ config, db, gate, queues, clock, random, tracer, log: logging.open('storage') }),
  );
  const collectorLog = logging.open('data_collectors');
  const factory = opening.use(
    new ExchangeFactory({
      clock,
      random,
      log: collectorLog,
      socketLog: logging.open('websocket_clients'),
      gate,
      tracer,
      openSocket: webSocketOpener(outgoing),
      fetch,
      connections: Object.fromEntries(config.exchanges.map(({ exchange, connection }) => [exchange, connection])),
      credentials: revealed(config),
    }),
  );
  const collectors = await restoreCollectors(db, config, factory, clock, collectorLog);
  const manager = new CollectorManager({
    clock,
    random,
    log: collectorLog,
    factory: { createCollector: (own) => record(factory.createCollector(own)) },
    store: collectors.store,
  });
  const healing = opening.use(openHealing({ recorder, factory, manager, clock, random, log: collectorLog }));
  opening.use(
    manager.onEvent(({ type, collector: name }) => {
      const added = type === 'ADDED' && manager.getCollector(name);
      if (added) healing.follow(added);
    }),
  );
  for (const collector of collectors.list) manager.addCollector(record(collector));
  if (!othersActive) for (const stream of collectors.interrupted) recorder.streams.expected(stream);
  const events = opening.use(
    openEventLog<CollectorEvent>(join(config.data_dir, 'events'), { clock, log: collectorLog }),
  );
  opening.use(manager.onEvent((event) => events.append(event)));
  const audit = opening.use(openAudit(db, config.data_dir, { clock, log }));
  opening.defer(() => manager.stop());
  const retentionMs = config.database.retention_days * DAY_MS;
  const auditRetentionMs = config.database.audit_retention_days * DAY_MS;
  const housekeeping = opening.use(
    new Housekeeping({ db, gaps: recorder.gaps, retentionMs, auditRetentionMs, clock, log }),
  );
  const backups = opening.use(openBackupSchedule(config, clock, log));

  const candleFeed = opening.use(
    new CandleFeed({
      trades: tradeFeed,
      coverage: recorder.coverage,
      readCandleBases: (query) => readCandleBases(db, query),
      newestTimes: (...markets) => newestTimes(db, ...markets),
      queues,
      clock,
    }),
  );
  const { schema, startServer, openExporter } = await serving;
  const server = opening.use(
    await startServer({
      access,
      alwaysGraphiql: graphiql,
      host: config.server.host,
      port: config.server.port,
      allowedOrigins: config.server.allowed_origins,
      limits: config.limits,
      tls: tlsFiles(config),
      trustedDocuments: config.server.trusted_documents,
      log,
      graphqlLog: logging.open('graphql'),
      clock,
      tracer,
      schema,
      exports: openExporter(db, manager, recorder, clock),
      checkReady: () => db.ping().then(() => manager.getStatus().isRunning),
      services: {
        exchanges: EXCHANGES,
        collectors: manager,
        history: {
          listTrades: (query) => listTrades(db, query),
          listTradesOf: (...asked) => listTradesOf(db, ...asked),
          findTrade: (...key) => findTrade(db, ...key),
          listMarketData: (query) => listMarketData(db, query),
          listMinuteCandles: (query) => listMinuteCandles(db, query),
          latestBalances: (exchange) => latestBalances(db, exchange),
          listInstruments: (query) => listInstruments(db, query),
          findInstrument: (...name) => findInstrument(db, ...name),
          hasInstrument: (...name) => hasInstrument(db, ...name),
          listStretches: (query) => listStretches(db, query),
          listAudit: (query) => listAudit(db, query),
          listGaps: (query) => listGaps(db, query),
          findGap: (name) => findGap(db, name),
          coverageTotals: (...market) => coverageTotals(db, ...market),
        },
        candles: {
          readCandles: (query) => readCandles(db, query),
          nearestTrade: (query) => nearestTrade(db, query),
          listRecordedRuns: (query) => listRecordedRuns(db, query),
          listStretches: (query) => listStretches(db, query),
          clock,
        },
        candleFeed,
        trades: tradeFeed,
        tradeCursors,
        gaps: recorder.gaps,
        events,
        audit,
        backfills: healing.requests,
        live: liveFeed,
        queues,
        recorder,
        keeping: { backups: () => backups?.status() ?? null, retentionRefused: () => housekeeping.refused },
        clock,
        startedAt: clock.now(),
        version: VERSION,
      },
    }),
  );
  // Whoever else writes has to know of us before we both record the same trades.
  void (othersActive ? clock.sleep(NOTICED_MS) : Promise.resolve())
    .then(() => manager.start(collectors.stopped))
    .catch((error: unknown) => log.error('Starting the collectors failed', { reason: messageOf(error) }));
  const running = opening.move();
  return { url: server.url, log, [Symbol.asyncDispose]: () => running.disposeAsync() };
}

/** Half of all code, which is loaded while the embedded database opens in its own thread. */
async function loadServing() {
  const [{ schema }, { startServer }, { openExporter }] = await Promise.all([
    import('./graphql/schema.ts'),
    import('./server/start-server.ts'),
    import('./exporting.ts'),
  ]);
  return { schema, startServer, openExporter };
}

const databaseOptions = (config: Config, around: Pick<DatabaseOptions, 'clock' | 'interrupted'>, open: OpenLog) => ({
  url: config.database.url?.reveal() ?? null,
  dataDir: config.data_dir,
  poolSize: config.database.pool_size,
  maxOverflow: config.database.max_overflow,
  poolTimeoutMs: config.database.pool_timeout * 1_000,
  poolRecycleMs: config.database.pool_recycle * 1_000,
  tables: {
    marketData: config.tables.market_data,
    rawTrades: config.tables.raw_trades,
    collectorStatus: config.tables.collector_status,
  },
  log: open('storage'),
  ...around,
});

function tlsFiles({ tls: { cert_file: certFile, key_file: keyFile } }: Config) {
  return certFile === null || keyFile === null ? null : { certFile, keyFile };
}

const revealed = (config: Config) =>
  Object.fromEntries(
    Object.entries(config.credentials).map(([exchange, { key, secret, passphrase }]) => [
      exchange,
      { key: key.reveal(), secret: secret.reveal(), passphrase: passphrase.reveal() },
    ]),
  );

/** The collectors the configuration asks for. */
const configured = (config: Config): readonly ExchangeCollectorConfig[] =>
  config.exchanges.flatMap(({ exchange, data_collection: settings, trading_pairs }) =>
    trading_pairs
      .filter((pair) => pair.enabled)
      .map((pair) => ({
        exchange,
        symbol: pair.symbol,
        dataTypes: pair.data_types,
        autoRestart: settings.auto_restart,
        healthCheckInterval: settings.health_check_interval,
        storeRawData: settings.store_raw_data,
        customParams: { channels: pair.channels },
      })),
  );

/** What is remembered of a collector beyond its own configuration: whether it came from the file, which then decides about it. */
interface Remembered extends ExchangeCollectorConfig {
  readonly fromFile: boolean;
}

/** The collectors of the configuration, and those that were added by mutation; whoever was stopped on purpose stays stopped. */
async function restoreCollectors(db: Database, config: Config, factory: ExchangeFactory, clock: Clock, log: Log) {
  const list = configured(config).map((one) => factory.createCollector(one));
  const fromFile = new Set(list.map(({ name }) => name));
  const stored = await loadCollectors(db);
  for (const { name, config: remembered } of stored.filter((one) => !fromFile.has(one.name))) {
    try {
      const { fromFile: wasConfigured, ...own } = remembered as Remembered;
      if (wasConfigured) await removeCollector(db, name);
      else list.push(factory.createCollector(own));
    } catch (error) {
      log.warn('A stored collector cannot be made any more', { collector: name, reason: messageOf(error) });
    }
  }
  const wereRunning = new Map(
    stored.filter((one) => one.shouldBeRunning).map(({ name, config }) => [name, (config as Remembered).dataTypes]),
  );
  const interrupted = list.flatMap(({ name, exchange, symbol, config: { dataTypes } }) =>
    dataTypes
      .filter((dataType) => wereRunning.get(name)?.includes(dataType))
      .map((dataType) => ({ exchange, symbol, dataType })),
  );
  const store: CollectorStore = {
    save: (collectors) =>
      saveCollectors(
        db,
        collectors.map((collector) => toStored(collector, fromFile.has(collector.name), new Date(clock.now()))),
      ),
    remove: (name) => removeCollector(db, name),
  };
  return {
    list,
    store,
    interrupted,
    stopped: new Set(stored.filter((one) => !one.shouldBeRunning).map(({ name }) => name)),
  };
}

function toStored(collector: BaseDataCollector, fromFile: boolean, updatedAt: Date): StoredCollector {
  const { status, shouldBeRunning, statistics } = collector.getStatus();
  return {
    name: collector.name,
    exchange: collector.exchange,
    symbol: collector.symbol,
    config: { ...collector.config, fromFile } satisfies Remembered,
    status,
    shouldBeRunning,
    health: collector.getHealthStatus(),
    statistics,
    updatedAt,
  };
}
