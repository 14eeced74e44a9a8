/** The simulator as the exchange. */
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { answer } from '../frame/answer.ts';

export interface ExchangePlan {
  readonly symbols: readonly string[];
  /** Trades a second and symbol. */
  readonly rate: number;
}

/** What a process under test is told. */
export interface Collecting {
  readonly databaseUrl: string;
  readonly connection: Simulator['connection'];
  readonly symbols: readonly string[];
}

let simulator: Simulator | null = null;
/** By sockets that are closed. */
let sentBefore = 0;

const sockets = () => simulator?.state().sockets ?? [];
const sent = (): number => sockets().reduce((sum, { framesSent }) => sum + framesSent, sentBefore);

answer({
  async open({ symbols, rate }: ExchangePlan) {
    simulator = await startSimulator({ exchange: 'okx', symbols, rate });
    return simulator.connection;
  },
  /** Frames so far. */
  sent,
  subscriptions: () => sockets().reduce((sum, { subscriptions }) => sum + subscriptions.length, 0),
  /** Resets every socket. */
  cut() {
    sentBefore = sent();
    simulator?.faults.add({ kind: 'cut', how: 'rst' });
  },
});
