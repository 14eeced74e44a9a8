import type { DataType } from '../market/data-type.ts';

export type CollectorState = 'stopped' | 'starting' | 'running' | 'reconnecting' | 'stopping' | 'error';

export interface CollectorStatus {
  readonly exchange: string;
  readonly status: CollectorState;
  readonly shouldBeRunning: boolean;
  readonly symbols: readonly string[];
  readonly dataTypes: readonly DataType[];
  readonly autoRestart: boolean;
  /** Seconds; null before the first heartbeat or message. */
  readonly health: {
    readonly timeSinceHeartbeat: number | null;
    readonly timeSinceData: number | null;
    readonly maxSilenceDuration: number;
  };
  readonly statistics: CollectorStatistics;
}

export interface CollectorStatistics {
  readonly messagesReceived: number;
  readonly messagesProcessed: number;
  readonly errors: number;
  readonly restarts: number;
  /** Since the last start; 0 while stopped. */
  readonly uptimeSeconds: number;
  readonly reconnectAttempts: number;
  /** ISO-8601, UTC; null before the first. */
  readonly lastMessageTime: string | null;
  /** When the present connection was established, ISO-8601, UTC. */
  readonly connectionUptime: string | null;
  readonly lastError: string | null;
  readonly lastRestartTime: string | null;
}

export interface HealthStatus {
  readonly isHealthy: boolean;
  /** One sentence an issue, e.g. "No trade for 61 s (at most 30 s are allowed)". */
  readonly issues: readonly string[];
  readonly status: CollectorState;
  /** ISO-8601, UTC. */
  readonly lastHeartbeat: string | null;
  readonly lastDataReceived: string | null;
  readonly shouldBeRunning: boolean;
  readonly isRunning: boolean;
}

/** Something that happened to a collector, in order; `collectorEvents` streams them. */
export interface CollectorEvent {
  readonly collector: string;
  readonly at: Date;
  readonly type: 'STATE_CHANGED' | 'HEALTH_CHANGED' | 'ERROR' | 'ADDED' | 'REMOVED';
  readonly state: CollectorState;
  /** In words. */
  readonly message: string;
}

export interface ExchangeCollectorConfig {
  readonly exchange: string;
  readonly symbol: string;
  readonly dataTypes: readonly DataType[];
  /** Default true. */
  readonly autoRestart?: boolean;
  /** Seconds; default 30. */
  readonly healthCheckInterval?: number;
  /** Default true: every trade keeps the exchange's own payload. */
  readonly storeRawData?: boolean;
  /** Exchange-specific settings: `connection` and `channels` override the exchange's defaults, as in the configuration file. */
  readonly customParams?: Readonly<Record<string, unknown>>;
}
