import type { ConnectionConfig, Credentials, ExchangeAdapter } from '../exchanges/adapter.ts';
import { EXCHANGES, isExchangeId } from '../exchanges/registry.ts';
import { DATA_TYPES, DataType, isDataType } from '../market/data-type.ts';
import { AppError } from '../runtime/errors.ts';
import { Gate } from '../runtime/gate.ts';
import { type Log, silentLog, withFields } from '../runtime/log.ts';
import { Outgoing } from '../runtime/outgoing.ts';
import { outgoingFetch } from '../runtime/outgoing-fetch.ts';
import { type Tracer, untraced } from '../runtime/tracing.ts';
import type { BaseDataCollector } from './base-data-collector.ts';
import { type CollectorEnvironment, DEFAULT_ENVIRONMENT } from './collector-environment.ts';
import type { ExchangeCollectorConfig } from './collector-status.ts';
import { ExchangeConnections } from './connection/exchange-connections.ts';
import { type OpenSocket, openWebSocket } from './connection/socket.ts';
import { type ChannelNames, ExchangeCollector } from './exchange-collector.ts';
import { ExchangeRest } from './rest/exchange-rest.ts';
import type { Fetch } from './rest/rest-client.ts';

export interface FactoryOptions extends CollectorEnvironment {
  readonly openSocket: OpenSocket;
  readonly fetch: Fetch;
  readonly gate: Gate;
  /** For spans of connections and of requests for trades; by default none. */
  readonly tracer: Tracer;
  /** For the sockets, which say more than collectors. */
  readonly socketLog: Log;
  /** Per exchange id: what differs from the adapter's own addresses. */
  readonly connections: Readonly<Record<string, Partial<ConnectionConfig>>>;
  readonly credentials: Readonly<Record<string, Credentials>>;
}

/** Canonical: BASE-QUOTE, and for derivatives up to three parts more; upper case. */
const SYMBOL = /^[A-Z0-9]{1,20}(-[A-Z0-9]{1,20}){1,4}$/;

/** Makes collectors of the registered exchanges; those of one exchange and address share their sockets and their REST budget. */
export class ExchangeFactory implements Disposable {
  static #shared: ExchangeFactory | null = null;

  readonly #options: FactoryOptions;
  readonly #connections = new Map<string, ExchangeConnections>();
  readonly #rests = new Map<string, ExchangeRest>();

  constructor(options: Partial<FactoryOptions> = {}) {
    this.#options = {
      ...DEFAULT_ENVIRONMENT,
      openSocket: openWebSocket,
      fetch: outgoingFetch(new Outgoing()),
      gate: new Gate(),
      tracer: untraced,
      socketLog: silentLog,
      connections: {},
      credentials: {},
      ...options,
    };
  }

  /** @throws {AppError} EXCHANGE_UNKNOWN or COLLECTOR_CONFIG_INVALID naming the field. */
  static createCollector(config: ExchangeCollectorConfig): BaseDataCollector {
    ExchangeFactory.#shared ??= new ExchangeFactory();
    return ExchangeFactory.#shared.createCollector(config);
  }

  static createMultipleCollectors(configs: readonly ExchangeCollectorConfig[]): BaseDataCollector[] {
    return configs.map((config) => ExchangeFactory.createCollector(config));
  }

  static getSupportedExchanges(): string[] {
    return Object.keys(EXCHANGES);
  }

  /** Whether `createCollector` would accept it. */
  static validateConfig(config: ExchangeCollectorConfig): boolean {
    try {
      checkConfig(config);
      return true;
    } catch {
      return false;
    }
  }

  createCollector(config: ExchangeCollectorConfig): BaseDataCollector {
    const { adapter, channels } = checkConfig(config);
    return new ExchangeCollector(config, channels, this.#connectionsOf(adapter, config), this.#options);
  }

  createMultipleCollectors(configs: readonly ExchangeCollectorConfig[]): BaseDataCollector[] {
    return configs.map((config) => this.createCollector(config));
  }

  getSupportedExchanges(): string[] {
    return ExchangeFactory.getSupportedExchanges();
  }

  validateConfig(config: ExchangeCollectorConfig): boolean {
    return ExchangeFactory.validateConfig(config);
  }

  [Symbol.dispose](): void {
    for (const connections of this.#connections.values()) connections[Symbol.dispose]();
    this.#connections.clear();
  }

  /**
   * The REST side of an exchange, the same one that its collectors use; of a collector with addresses of its own, by its configuration.
   * @throws {AppError} EXCHANGE_UNKNOWN
   */
  restOf(exchange: string, config?: Pick<ExchangeCollectorConfig, 'customParams'>): ExchangeRest {
    const adapter = adapterOf(exchange);
    return this.#restAt(adapter, this.#connectionConfig(adapter, config));
  }

  #connectionConfig(
    adapter: ExchangeAdapter,
    config?: Pick<ExchangeCollectorConfig, 'customParams'>,
  ): ConnectionConfig {
    return {
      ...adapter.connection,
      ...this.#options.connections[adapter.id],
      ...(config?.customParams?.connection as Partial<ConnectionConfig> | undefined),
    };
  }

  /** One for each host: the exchange counts requests by our address, whatever else differs between two collectors. */
  #restAt(adapter: ExchangeAdapter, connection: ConnectionConfig): ExchangeRest {
    const key = `${adapter.id} ${connection.rest_url}`;
    const known = this.#rests.get(key);
    if (known) return known;
    const { fetch, clock, tracer } = this.#options;
    const made = new ExchangeRest({ adapter, connection, fetch, clock, tracer });
    this.#rests.set(key, made);
    return made;
  }

  #connectionsOf(adapter: ExchangeAdapter, config: ExchangeCollectorConfig): ExchangeConnections {
    const connection = this.#connectionConfig(adapter, config);
    const key = `${adapter.id} ${JSON.stringify(connection)}`;
    const known = this.#connections.get(key);
    if (known) return known;
    const credentials = this.#options.credentials[adapter.id] ?? null;
    const made = new ExchangeConnections({
      ...this.#options,
      log: withFields(this.#options.socketLog, { exchange: adapter.id }),
      adapter,
      connection,
      credentials,
      rest: this.#restAt(adapter, connection),
    });
    this.#connections.set(key, made);
    return made;
  }
}

function checkConfig(config: ExchangeCollectorConfig): {
  readonly adapter: ExchangeAdapter;
  readonly channels: ChannelNames;
} {
  const adapter = adapterOf(config.exchange);
  if (!SYMBOL.test(config.symbol))
    throw invalid(`symbol should be BASE-QUOTE in capitals, such as BTC-USDT, was "${config.symbol}"`);
  if (!config.dataTypes?.length) throw invalid(`dataTypes should name at least one of ${DATA_TYPES.join(', ')}`);
  for (const type of config.dataTypes)
    if (!adapter.dataTypes.includes(type))
      throw invalid(`dataTypes: ${adapter.name} has ${adapter.dataTypes.join(', ')}, not "${type}"`);
  if (new Set(config.dataTypes).size < config.dataTypes.length) throw invalid('dataTypes should name each type once');
  const interval = config.healthCheckInterval;
  if (interval !== undefined && !(interval > 0 && interval <= 3_600))
    throw invalid(`healthCheckInterval should be between 0 and 3600 seconds, was ${interval}`);
  const channels = (config.customParams?.channels ?? {}) as ChannelNames;
  for (const type of config.dataTypes) adapter.channels(config.symbol, type, channels[type]);
  for (const key of Object.keys(channels))
    if (!isDataType(key))
      throw invalid(
        `customParams.channels has data types as keys (${Object.values(DataType).join(', ')}), was "${key}"`,
      );
  return { adapter, channels };
}

function adapterOf(exchange: string): ExchangeAdapter {
  if (isExchangeId(exchange)) return EXCHANGES[exchange];
  throw new AppError(
    'EXCHANGE_UNKNOWN',
    `exchange should be one of ${Object.keys(EXCHANGES).join(', ')}, was "${String(exchange).slice(0, 80)}"`,
  );
}

const invalid = (message: string) => new AppError('COLLECTOR_CONFIG_INVALID', message);
