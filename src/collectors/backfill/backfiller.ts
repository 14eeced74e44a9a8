import { DataType } from '../../market/data-type.ts';
import { messageOf } from '../../runtime/errors.ts';
import type { ExchangeRest } from '../rest/exchange-rest.ts';
import { BackfillMarket } from './backfill-market.ts';
import { type BackfillPorts, type BackfillStatus, BackfillWorker } from './backfill-worker.ts';

export interface BackfillerPorts extends BackfillPorts {
  /** The REST side a market is fetched from. @throws {AppError} EXCHANGE_UNKNOWN */
  readonly restOf: (exchange: string, symbol: string) => ExchangeRest;
}

interface Watched {
  readonly market: BackfillMarket;
  readonly worker: BackfillWorker;
}

/**
 * Fetches what is missing: the open gaps of the ledger are its list of work, so a restart goes on where it was. One worker for
 * each REST host. Whatever a gap was found by, and whether its market has a collector or not, it is filled once it is watched.
 */
export class Backfiller implements Disposable {
  readonly #ports: BackfillerPorts;
  readonly #workers = new Map<ExchangeRest, BackfillWorker>();
  readonly #watched = new Map<string, Watched>();
  readonly #listening: Disposable;

  constructor(ports: BackfillerPorts) {
    this.#ports = ports;
    this.#listening = ports.ledger.onChange(({ exchange, symbol, dataType, status }) => {
      if (dataType === DataType.TRADE && status === 'GAP') this.watch(exchange, symbol);
    });
  }

  /** Fills the gaps of this market from now on. Repeating does no harm, and takes over an address that has changed. */
  watch(exchange: string, symbol: string): void {
    const key = `${exchange}:${symbol}`;
    const known = this.#watched.get(key);
    const worker = this.#workerOf(exchange, symbol);
    if (!worker) return;
    if (known && known.worker !== worker) known.worker.remove(known.market);
    const { ledger, clock, random } = this.#ports;
    const market = known?.market ?? new BackfillMarket({ exchange, symbol }, ledger, clock, random);
    this.#watched.set(key, { market, worker });
    worker.add(market);
    worker.wake();
  }

  /** Null for a market that is not watched. */
  statusOf(exchange: string, symbol: string): BackfillStatus | null {
    const watched = this.#watched.get(`${exchange}:${symbol}`);
    return watched ? watched.worker.statusOf(watched.market) : null;
  }

  /** Of every market that is watched. */
  status(): readonly BackfillStatus[] {
    return [...this.#watched.values()].map(({ market, worker }) => worker.statusOf(market));
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
    for (const worker of this.#workers.values()) worker[Symbol.dispose]();
  }

  #workerOf(exchange: string, symbol: string): BackfillWorker | null {
    try {
      const rest = this.#ports.restOf(exchange, symbol);
      const worker = this.#workers.get(rest) ?? new BackfillWorker(rest, this.#ports);
      this.#workers.set(rest, worker);
      return worker;
    } catch (error) {
      this.#ports.log.warn('Missing trades cannot be fetched', { exchange, symbol, reason: messageOf(error) });
      return null;
    }
  }
}
