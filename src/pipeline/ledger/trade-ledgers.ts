import type { MarketStretch, StretchChange } from '../../market/coverage.ts';
import { TradeLedger } from './trade-ledger.ts';

/** The ledgers of all markets. */
export class TradeLedgers {
  readonly #exchanges = new Map<string, Map<string, TradeLedger>>(); // no joined key: it is asked for every trade
  readonly #touched = new Map<TradeLedger, { readonly exchange: string; readonly symbol: string }>();

  /** Stretches of any number of markets, ascending within each. */
  constructor(stretches: readonly MarketStretch[] = []) {
    for (const [key, own] of Map.groupBy(stretches, ({ exchange, symbol }) => `${exchange} ${symbol}`)) {
      const [exchange = '', symbol = ''] = key.split(' ');
      this.#put(exchange, symbol, new TradeLedger(own));
    }
  }

  /** To read. */
  find(exchange: string, symbol: string): TradeLedger | null {
    return this.#exchanges.get(exchange)?.get(symbol) ?? null;
  }

  /** To change: its changes are among the next `takeChanges`. */
  touch(exchange: string, symbol: string): TradeLedger {
    const ledger = this.find(exchange, symbol) ?? this.#put(exchange, symbol, new TradeLedger());
    if (!this.#touched.has(ledger)) this.#touched.set(ledger, { exchange, symbol });
    return ledger;
  }

  *markets(): Generator<{ readonly exchange: string; readonly symbol: string; readonly ledger: TradeLedger }> {
    for (const [exchange, symbols] of this.#exchanges)
      for (const [symbol, ledger] of symbols) yield { exchange, symbol, ledger };
  }

  /** Whether there are changes nobody has taken. */
  get hasChanges(): boolean {
    return this.#touched.size > 0;
  }

  takeChanges(): readonly StretchChange[] {
    const changes: StretchChange[] = [];
    for (const [ledger, market] of this.#touched)
      for (const [first, stretch] of ledger.takeChanges()) changes.push({ ...market, first, stretch });
    this.#touched.clear();
    return changes;
  }

  /** Takes over all of another's ledgers; what was touched here is forgotten. */
  become(other: TradeLedgers): void {
    this.#exchanges.clear();
    this.#touched.clear();
    for (const { exchange, symbol, ledger } of other.markets()) this.#put(exchange, symbol, ledger);
  }

  #put(exchange: string, symbol: string, ledger: TradeLedger): TradeLedger {
    const symbols = this.#exchanges.get(exchange) ?? new Map<string, TradeLedger>();
    this.#exchanges.set(exchange, symbols.set(symbol, ledger));
    return ledger;
  }
}
