import { expect, it } from 'vitest';
import type { Stretch } from '../../../src/market/coverage.ts';
import { StreamLedger } from '../../../src/pipeline/ledger/stream-ledger.ts';
import { seeded } from '../../chaos/seeded.ts';
import { SavedBooks } from './saved-books.ts';

const SEEDS = Number(process.env.SEEDS ?? 500);
const START = 1_000;

/** What was so in each ms, told by whoever did it. */
class Truth {
  readonly #stands: ('carried' | 'away' | 'unasked')[] = [];
  readonly provable = new Set<number>();
  readonly lost = new Set<number>();
  now = START;
  rows = 0;

  pass(ms: number, stand: 'carried' | 'away' | 'unasked'): void {
    for (const until = this.now + ms; this.now < until; this.now++) this.#stands[this.now] = stand;
  }

  /** It turns out that it was away since `from`. */
  wasAway(from: number): void {
    for (let ms = from; ms < this.now; ms++) this.#stands[ms] = 'away';
  }

  at(ms: number): 'carried' | 'away' | 'unasked' {
    return this.#stands[ms] ?? 'unasked';
  }

  /** What the books say and must not, or do not say and must. */
  *lies(books: readonly Stretch[], { isWhole }: { readonly isWhole: boolean }): Generator<string> {
    const said = new Map<number, Stretch>();
    for (const stretch of books)
      for (let ms = Number(stretch.first); ms <= stretch.last; ms++) {
        if (said.has(ms)) yield `${ms} is told twice`;
        said.set(ms, stretch);
      }
    for (let ms = START - 1; ms <= this.now; ms++) {
      const status = said.get(ms)?.status ?? null;
      const [stand, isLost] = [this.at(ms), this.lost.has(ms)];
      const isClaimed = status === 'PROVEN' || status === 'UNPROVEN';
      if (status === 'PROVEN' && !this.provable.has(ms)) yield `${ms} is PROVEN without a proof`;
      if (isClaimed && (stand !== 'carried' || isLost)) yield `${ms} is ${status} and was ${isLost ? 'lost' : stand}`;
      if (status !== null && stand === 'unasked') yield `${ms} is ${status} and nobody asked`;
      if (stand === 'away' && status !== 'UNFILLABLE') yield `${ms} was away and is ${status}`;
      if (stand === 'carried' && status === null) yield `${ms} was carried, and nothing is said of it`;
      if (isLost && stand === 'carried' && status !== 'UNFILLABLE') yield `${ms} was lost and is ${status}`;
      if (isWhole && stand === 'carried' && status !== 'UNPROVEN') yield `${ms} was quiet and is ${status}`;
    }
    const actual = books.reduce((sum, stretch) => sum + stretch.actual, 0);
    if (actual !== this.rows) yield `${actual} rows instead of ${this.rows}`;
  }
}

const runs = Array.from({ length: SEEDS }, (_, at) => at + 1);

it('say of a stream without proofs what was so, and nothing of a quiet time but that it was carried', () => {
  for (const seed of runs) {
    const random = seeded(`plain ${seed}`);
    const pick = (count: number) => Math.floor(random() * count);
    const [truth, ledger] = [new Truth(), new StreamLedger(null)];
    const saved = new SavedBooks(ledger);
    const mayLose = seed % 2 === 0;
    let stand: 'carried' | 'away' | 'unasked' = 'unasked';
    let sureThrough = 0;
    for (let step = 0; step < 60; step++) {
      truth.pass(pick(20), stand);
      const [now, last] = [truth.now, truth.now - 1];
      const act = pick(mayLose ? 8 : 7);
      if (act === 0) {
        ledger.connected(now);
        if (stand !== 'carried') sureThrough = now;
        stand = 'carried';
      } else if (act === 1) {
        const through = Math.max(last - pick(15), sureThrough); // a dead socket is found out later
        ledger.lost(through, 'cut', now);
        if (stand !== 'carried') continue;
        truth.pass(Math.max(0, through + 1 - now), stand);
        truth.wasAway(through + 1);
        stand = 'away';
      } else if (act === 2 && pick(3) === 0) {
        ledger.ended(last);
        stand = 'unasked';
      } else if (act === 3) ledger.reach(last);
      else if (act === 4 && stand === 'carried' && sureThrough <= last) {
        ledger.reach(last);
        ledger.count(last, 1);
        truth.rows += 1;
        sureThrough = last;
      } else if (act === 7 && stand === 'carried' && sureThrough <= last) {
        ledger.lose(last, 'no room', now);
        truth.lost.add(last);
        sureThrough = last;
      } else if (act > 4) saved.save({ through: pick(2) ? undefined : last - pick(30), fails: pick(3) === 0 });
    }
    ledger.ended(truth.now - 1);
    saved.save();
    expect([seed, ...truth.lies(saved.list, { isWhole: !mayLose })]).toEqual([seed]);
  }
});

it('call nothing of an order book PROVEN but what lies between two messages that follow each other', () => {
  for (const seed of runs) {
    const random = seeded(`book ${seed}`);
    const pick = (count: number) => Math.floor(random() * count);
    const [truth, ledger] = [new Truth(), new StreamLedger(null)];
    const saved = new SavedBooks(ledger);
    let stand: 'carried' | 'away' | 'unasked' = 'unasked';
    let lastMessage = 0;
    for (let step = 0; step < 80; step++) {
      truth.pass(1 + pick(20), stand);
      const [now, act] = [truth.now, pick(9)];
      if (act === 0 || (act < 5 && stand !== 'carried')) {
        ledger.seeded(now);
        [stand, lastMessage] = ['carried', now];
        truth.pass(1, stand);
      } else if (act < 5) {
        for (let ms = lastMessage; ms <= now; ms++) truth.provable.add(ms);
        ledger.chained(now);
        lastMessage = now;
        truth.pass(1, stand);
      } else if (act === 5 && stand === 'carried') {
        ledger.broken(now, 'broke', now);
        stand = 'away';
      } else if (act === 6 && stand === 'carried') {
        ledger.lost(now - 1, 'cut', now);
        stand = 'away';
      } else if (act === 7) ledger.reach(now - 1);
      else if (pick(4) > 0) saved.save({ through: pick(2) ? undefined : now - pick(30), fails: pick(3) === 0 });
      else {
        ledger.ended(now - 1);
        stand = 'unasked';
      }
    }
    ledger.ended(truth.now - 1);
    saved.save();
    expect([seed, ...truth.lies(saved.list, { isWhole: false })]).toEqual([seed]);
  }
});
