import type { CollectorStatus } from './collector-status.ts';

/** What a connection is worth to the status, in wall-time ms. */
export interface LinkFacts {
  readonly heartbeatAt: number | null;
  readonly connectedAt: number | null;
  readonly reconnectAttempts: number;
}

/** In wall-time ms; null for never. */
interface Times {
  readonly facts: LinkFacts;
  readonly lastMessageAt: number | null;
  readonly startedAt: number | null;
  /** In seconds. */
  readonly maxSilenceDuration: number;
  readonly now: number;
}

type Counted = Pick<CollectorStatus, 'health' | 'statistics'>;

/** What a collector counts over its whole life. */
export class CollectorCounters {
  messagesReceived = 0;
  messagesProcessed = 0;
  errors = 0;
  restarts = 0;
  lastError: string | null = null;
  /** Wall ms. */
  lastRestartAt: number | null = null;

  failed(reason: string): void {
    this.errors += 1;
    this.lastError = reason.slice(0, 300);
  }

  status({ facts, lastMessageAt, startedAt, maxSilenceDuration, now }: Times): Counted {
    const secondsSince = (at: number | null) => (at === null ? null : Math.max(0, now - at) / 1_000);
    return {
      health: {
        timeSinceHeartbeat: secondsSince(facts.heartbeatAt),
        timeSinceData: secondsSince(lastMessageAt),
        maxSilenceDuration,
      },
      statistics: {
        messagesReceived: this.messagesReceived,
        messagesProcessed: this.messagesProcessed,
        errors: this.errors,
        restarts: this.restarts,
        uptimeSeconds: secondsSince(startedAt) ?? 0,
        reconnectAttempts: facts.reconnectAttempts,
        lastMessageTime: iso(lastMessageAt),
        connectionUptime: iso(facts.connectedAt),
        lastError: this.lastError,
        lastRestartTime: iso(this.lastRestartAt),
      },
    };
  }
}

export const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
