import { messageOf } from '../../runtime/errors.ts';
import type { NumberedTrade } from '../../storage/trade-batch.ts';
import { idsOf } from '../intake/fold-trades.ts';
import type { LedgerWord } from '../spool/spool-batch.ts';
import type { DrainPorts, RefusedRow } from './drain-ports.ts';

/** How many of the last ones are shown. */
const SHOWN = 20;

type RefusedPorts = Pick<DrainPorts, 'store' | 'hasTradeIds' | 'clock' | 'log' | 'refused'>;

/** Rows the database will never take: kept aside for people, and told to intake, as their ids are missing from then on. */
export class RefusedRows {
  readonly #ports: RefusedPorts;
  #count = 0;
  readonly #sample: RefusedRow[] = [];
  /** Not heard yet. */
  readonly #unheard: LedgerWord[] = [];

  constructor(ports: RefusedPorts) {
    this.#ports = ports;
  }

  get count(): number {
    return this.#count;
  }

  get sample(): readonly RefusedRow[] {
    return [...this.#sample];
  }

  /** Keeps a trade aside, and returns what the ledger has to say instead of it. */
  async keep(recorded: NumberedTrade, error: unknown): Promise<LedgerWord> {
    const { clock, hasTradeIds, log, store } = this.#ports;
    const { trade } = recorded;
    const { exchange, symbol } = trade;
    const what = `${exchange}:${symbol} trade ${trade.tradeId}`;
    const refused = { what, reason: messageOf(error), at: clock.now() };
    this.#count += 1;
    this.#sample.push(refused);
    if (this.#sample.length > SHOWN) this.#sample.shift();
    log.error('The database refused a trade for good', { ...refused });
    await store
      .quarantine({ what, reason: refused.reason, row: JSON.stringify(trade) })
      .catch((failure: unknown) =>
        log.error('A refused row could not be kept aside', { what, reason: messageOf(failure) }),
      );
    const range = idsOf(trade, hasTradeIds) ?? { first: 0n, last: -1n };
    const word: LedgerWord = {
      ...{ kind: 'give-up', exchange, symbol, range, cause: 'the database refused the row', now: refused.at },
      wasTaken: true,
    };
    if (range.last >= range.first) this.#unheard.push(word);
    this.tell();
    return word;
  }

  /** Tells intake, again if it did not hear. */
  tell(): void {
    while (this.#unheard[0] && this.#ports.refused(this.#unheard[0])) this.#unheard.shift();
  }
}
