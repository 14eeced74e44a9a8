import type { ActiveFault } from './faults.ts';
import type { SimulatedExchange } from './instrument.ts';
import type { MarketState } from './market.ts';
import type { ReplayState } from './replay.ts';

/** One open socket. */
export interface SocketState {
  readonly id: number;
  readonly endpoint: string;
  readonly connId: string;
  readonly subscriptions: readonly string[];
  /** Requests that count against the exchange's limit on them. */
  readonly requests: number;
  readonly framesSent: number;
  /** Frames that a mute, gap or half-open kept back. */
  readonly framesDropped: number;
  readonly bytesSent: number;
  readonly waitingBytes: number;
  readonly halfOpen: boolean;
}

/** What the simulator did so far; what `GET /control/state` answers. */
export interface SimulatorState {
  readonly exchange: SimulatedExchange;
  /** Ms since epoch. */
  readonly now: number;
  readonly instruments: readonly MarketState[];
  readonly sockets: readonly SocketState[];
  readonly counters: {
    readonly connections: number;
    readonly refused: number;
    readonly cutForNotReading: number;
    readonly badFrames: number;
    readonly restRequests: number;
  };
  readonly faults: readonly ActiveFault[];
  /** Present when a recording is served. */
  readonly replay?: ReplayState;
}
