import type { GapLedger } from '../../market/gap-ledger.ts';
import type { Trade } from '../../market/market-event.ts';
import type { Clock, Random } from '../../runtime/clock.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { BaseDataCollector } from '../base-data-collector.ts';
import { type AcceptTrade, deliver } from '../deliver.ts';
import { backoffMs } from '../pacing/backoff.ts';
import { type ExchangeRest, idsOf } from '../rest/exchange-rest.ts';

export interface ReconcilerPorts {
  readonly ledger: GapLedger;
  readonly accept: AcceptTrade;
  /** @throws {AppError} EXCHANGE_UNKNOWN */
  readonly restOf: (exchange: string, symbol: string) => ExchangeRest;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
}

export interface ReconcilerStatus {
  readonly exchange: string;
  readonly symbol: string;
  /** Wall time of the last comparison, ms; null before the first. */
  readonly comparedAt: number | null;
  /** Trades the stream had not brought. */
  readonly found: number;
}

interface Market {
  readonly exchange: string;
  readonly symbol: string;
  readonly rest: ExchangeRest;
  carried: boolean;
  /** Why it is to be compared now; null when it is not. */
  owed: string | null;
  active: boolean;
  failures: number;
  /** Monotonic. */
  notBefore: number;
  comparedAt: number | null;
  found: number;
}

interface Host {
  failures: number;
  /** Monotonic; also of the comparisons nobody asked for. */
  pausedUntil: number;
  nextRoundAt: number;
}

const LOOK_MS = 500;
const AT_ONCE = 4;
/** How often a stream that seems well is compared. */
const EVERY_MS = 60_000;
/** Of the REST budget, for comparing streams that seem well. */
const SHARE = 0.1;
/** What REST shows may still be on its way over the socket. */
const ON_ITS_WAY_MS = 1_000;
const FAILURE_CAP_MS = 30_000;

/**
 * Compares what came over the sockets with the newest trades that REST has: whenever a stream of trades begins, as nobody says what
 * was missed before it, and from time to time while it seems well, as exchanges drop frames. What is too old for that
 * becomes a gap by itself, because the ids jump.
 */
export class Reconciler implements Disposable {
  readonly #ports: ReconcilerPorts;
  readonly #markets = new Map<string, Market>();
  readonly #hosts = new Map<ExchangeRest, Host>();
  readonly #stopping = new AbortController();
  #nap = new AbortController();

  constructor(ports: ReconcilerPorts) {
    this.#ports = ports;
    void this.#run();
  }

  /** Follows a collector of trades until disposed. */
  watch(collector: BaseDataCollector): Disposable {
    const { exchange, symbol, config } = collector;
    if (!config.dataTypes.includes('trade')) return { [Symbol.dispose]: () => undefined };
    const follow = (message: string) =>
      collector.state === 'running' ? this.began(exchange, symbol, message) : this.ended(exchange, symbol);
    if (collector.state === 'running') follow('running');
    const listening = collector.onStateChange((_collector, message) => follow(message));
    return {
      [Symbol.dispose]: () => {
        listening[Symbol.dispose]();
        this.ended(exchange, symbol);
      },
    };
  }

  /** Trades come from now on, or again: what came before them is to be compared at once. */
  began(exchange: string, symbol: string, cause: string): void {
    const market = this.#market(exchange, symbol);
    if (!market) return;
    market.carried = true;
    market.owed = cause;
    market.notBefore = 0;
    this.#nap.abort();
  }

  /** No trades come any more. */
  ended(exchange: string, symbol: string): void {
    const market = this.#markets.get(`${exchange}:${symbol}`);
    if (!market) return;
    market.carried = false;
    market.owed = null;
  }

  status(): readonly ReconcilerStatus[] {
    return [...this.#markets.values()].map(({ exchange, symbol, comparedAt, found }) => ({
      ...{ exchange, symbol, comparedAt, found },
    }));
  }

  [Symbol.dispose](): void {
    this.#stopping.abort();
    this.#nap.abort();
  }

  #market(exchange: string, symbol: string): Market | null {
    const key = `${exchange}:${symbol}`;
    try {
      const rest = this.#ports.restOf(exchange, symbol);
      const known = this.#markets.get(key);
      if (known?.rest === rest) return known;
      const fresh = {
        carried: false,
        owed: null,
        active: false,
        failures: 0,
        notBefore: 0,
        comparedAt: null,
        found: 0,
      };
      const market: Market = { exchange, symbol, rest, ...fresh };
      this.#markets.set(key, market);
      return market;
    } catch (error) {
      this.#ports.log.warn('Trades cannot be compared', { exchange, symbol, reason: messageOf(error) });
      return null;
    }
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      this.#nap = new AbortController();
      for (const [rest, markets] of Map.groupBy(this.#markets.values(), ({ rest }) => rest)) this.#look(rest, markets);
      await this.#ports.clock.sleep(LOOK_MS, this.#nap.signal).catch(() => undefined);
    }
  }

  #look(rest: ExchangeRest, markets: readonly Market[]): void {
    const now = this.#ports.clock.monotonic();
    const host = this.#hosts.get(rest) ?? { failures: 0, pausedUntil: 0, nextRoundAt: 0 };
    this.#hosts.set(rest, host);
    if (now < host.pausedUntil) return;
    const free = markets.filter(({ carried, active, notBefore }) => carried && !active && now >= notBefore);
    const owed = free.filter((market) => market.owed !== null);
    const room = (host.failures > 0 ? 1 : AT_ONCE) - markets.filter(({ active }) => active).length;
    for (const market of owed.slice(0, Math.max(0, room))) void this.#compare(market, host, market.owed);
    if (owed.length > 0 || room <= 0 || now < host.nextRoundAt) return;
    if (!rest.client.idle) return;
    const [market] = free.sort((a, b) => a.notBefore - b.notBefore);
    if (!market) return;
    const pace = rest.paceOf(rest.adapter.rest.recentTrades(''));
    host.nextRoundAt = now + pace / SHARE;
    void this.#compare(market, host, null);
  }

  /** `cause`: why the stream began; null while it seems well. */
  async #compare(market: Market, host: Host, cause: string | null): Promise<void> {
    const { clock, random, log } = this.#ports;
    market.active = true;
    market.owed = null;
    try {
      const missed = await this.#missed(market, cause === null);
      await deliver(missed, 'RECONCILED', this.#ports, this.#stopping.signal);
      const { exchange, symbol } = market;
      if (missed.length > 0 && cause === null)
        log.warn('The exchange has trades that its stream did not bring', { exchange, symbol, trades: missed.length });
      else if (missed.length > 0)
        log.info('Trades from before the stream were fetched', { exchange, symbol, trades: missed.length, cause });
      market.found += missed.length;
      market.comparedAt = clock.now();
      market.failures = host.failures = 0;
      market.notBefore = clock.monotonic() + EVERY_MS * (0.75 + 0.5 * random());
    } catch (error) {
      if (this.#stopping.signal.aborted) return;
      this.#failed(market, host, error);
      market.owed ??= cause;
    } finally {
      market.active = false;
      this.#nap.abort();
    }
  }

  #failed(market: Market, host: Host, error: unknown): void {
    const { clock, random, log } = this.#ports;
    const { exchange, symbol } = market;
    const now = clock.monotonic();
    market.notBefore = now + backoffMs(market.failures++, FAILURE_CAP_MS, random);
    if (error instanceof AppError && error.code === 'EXCHANGE_REST_FAILED' && now >= host.pausedUntil)
      host.pausedUntil = now + backoffMs(host.failures++, FAILURE_CAP_MS, random);
    log.debug('Comparing trades failed, trying again', { exchange, symbol, reason: messageOf(error) });
  }

  /** The newest trades of the exchange that are not here; nothing is where nothing was ever promised. */
  async #missed(market: Market, seemsWell: boolean): Promise<readonly Trade[]> {
    const { ledger, clock } = this.#ports;
    const { exchange, symbol, rest } = market;
    const { signal } = this.#stopping;
    if (ledger.known(exchange, symbol) === null) return [];
    const { trades } = await rest.trades(
      symbol,
      (nativeSymbol, adapter) => adapter.rest.recentTrades(nativeSymbol),
      signal,
    );
    if (seemsWell) {
      await clock.sleep(ON_ITS_WAY_MS, signal);
      await ledger.settled();
    }
    const head = ledger.known(exchange, symbol)?.last;
    const open = ledger.openGaps(exchange, symbol);
    if (head === undefined) return [];
    return trades.filter((trade) => {
      const { first, last } = idsOf(trade);
      return last > head || open.some((gap) => first <= gap.last && last >= gap.first);
    });
  }
}
