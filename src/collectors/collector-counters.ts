import type { CollectorStatistics } from './collector-status.ts';

/** What a connection is worth to the status, in wall-time ms. */
export interface LinkFacts {
  readonly heartbeatAt: number | null;
  readonly connectedAt: number | null;
  readonly reconnectAttempts: number;
}

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

  statistics(facts: LinkFacts, lastMessageAt: number | null, uptimeSeconds: number): CollectorStatistics {
    return {
      messagesReceived: this.messagesReceived,
      messagesProcessed: this.messagesProcessed,
      errors: this.errors,
      restarts: this.restarts,
      uptimeSeconds,
      reconnectAttempts: facts.reconnectAttempts,
      lastMessageTime: iso(lastMessageAt),
      connectionUptime: iso(facts.connectedAt),
      lastError: this.lastError,
      lastRestartTime: iso(this.lastRestartAt),
    };
  }
}

export const iso = (at: number | null): string | null => (at === null ? null : new Date(at).toISOString());
