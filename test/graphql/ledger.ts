import type { Backfill, Backfills, Gaps, History } from '../../src/graphql/context.ts';
import { type CoverageStatus, type IdRange, type Stretch, sizeOf } from '../../src/market/coverage.ts';
import type { Gap, OpenGap } from '../../src/market/gap-ledger.ts';
import { AppError } from '../../src/runtime/errors.ts';
import type { StoredGap } from '../../src/storage/coverage.ts';

/** A gap of okx:BTC-USDT that is as it is told to be. */
export const gapOf = (first: number, last: number, fields: Partial<StoredGap> = {}): StoredGap => ({
  ...{ writer: 1, exchange: 'okx', symbol: 'BTC-USDT', dataType: 'trade', first: BigInt(first), last: BigInt(last) },
  ...{
    foundAt: 1_767_225_600_000 + first,
    from: 1_767_225_600_000,
    to: 1_767_225_660_000,
    cause: 'the socket was gone',
  },
  ...{ status: 'GAP', expected: BigInt(last - first + 1), filled: 0n, unfillable: 0n },
  ...fields,
});

/** What is known and what is missing, as tests say it. */
export class HandLedger implements Gaps {
  stretches: Stretch[] = [];
  gaps: StoredGap[] = [];
  readonly #listeners = new Set<(gap: Gap) => void>();

  get listeners(): number {
    return this.#listeners.size;
  }

  get openCount(): number {
    return this.gaps.filter(({ status }) => status === 'GAP').length;
  }

  openGaps(exchange: string, symbol: string): readonly OpenGap[] {
    return this.gaps
      .filter((gap) => gap.exchange === exchange && gap.symbol === symbol && gap.status === 'GAP')
      .map((gap) => ({ ...gap, gap: gap.first, gapFoundAt: gap.foundAt, cause: gap.cause ?? '' }));
  }

  onChange(listener: (gap: Gap) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  /** Tells whoever listens. */
  change(gap: StoredGap): void {
    const { writer: _, ...told } = gap;
    for (const listener of this.#listeners) listener(told);
  }

  readonly history: Pick<History, 'listStretches' | 'listGaps' | 'findGap' | 'coverageTotals'> = {
    listStretches: async ({ dataType }) => (dataType === 'trade' ? this.stretches : []),
    listGaps: async ({ exchange, symbol, statuses, limit, after }) => {
      const wanted = this.gaps
        .filter((gap) => (exchange ?? gap.exchange) === gap.exchange && (symbol ?? gap.symbol) === gap.symbol)
        .filter(({ status }) => statuses === null || statuses.includes(status))
        .toSorted((a, b) => b.foundAt - a.foundAt)
        .filter(({ foundAt }) => after === null || foundAt < after.foundAt);
      return { gaps: wanted.slice(0, limit), hasMore: wanted.length > limit };
    },
    findGap: async (name) =>
      this.gaps.find((gap) => gap.first === name.first && gap.foundAt === name.foundAt && gap.symbol === name.symbol) ??
      null,
    coverageTotals: async () => {
      if (this.stretches.length === 0) return null;
      const sum = (is: (status: CoverageStatus) => boolean) =>
        this.stretches.reduce((all, one) => (is(one.status) ? all + sizeOf(one) : all), 0n);
      return { expected: sum(() => true), stored: sum((status) => status !== 'GAP' && status !== 'UNFILLABLE') };
    },
  };
}

/** Ids from a second on, a trade each 100 ms. */
const rangeOf = (from: number, to: number): IdRange => ({ first: BigInt(from / 100), last: BigInt(to / 100) - 1n });

/** Backfills that are as far as they are told to be. */
export class HandBackfills implements Backfills {
  readonly #known = new Map<string, Backfill>();

  async request({ dryRun, ...asked }: Parameters<Backfills['request']>[0]): Promise<Backfill> {
    if (asked.symbol === 'NO-SUCH') throw new AppError('SYMBOL_UNKNOWN', 'The exchange lists no NO-SUCH');
    const { first: firstId, last: lastId } = rangeOf(asked.from, asked.to);
    const trades = lastId - firstId + 1n;
    const backfill: Backfill = {
      ...{ ...asked, id: `b${this.#known.size + 1}`, firstId, lastId, requests: dryRun ? 12 : 0, trades, seconds: 1.5 },
      ...{ filled: 0n, unfillable: 0n, remaining: trades, status: dryRun ? 'PLANNED' : 'RUNNING' },
    };
    if (!dryRun) this.#known.set(backfill.id, backfill);
    return backfill;
  }

  find(id: string): Backfill | null {
    return this.#known.get(id) ?? null;
  }

  async cancel(id: string): Promise<Backfill> {
    const known = this.#known.get(id);
    if (!known) throw new AppError('BACKFILL_UNKNOWN', `There is no backfill ${id}`);
    const cancelled: Backfill = { ...known, status: 'CANCELLED' };
    this.#known.set(id, cancelled);
    return cancelled;
  }
}
