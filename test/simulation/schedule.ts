/** What goes wrong in a run, and when, as one seed has it: frames on their way here, and faults of everything else. */
import { below, type Random, type Tape } from './tape.ts';

export type Fault =
  | { readonly kind: 'frame'; readonly market: number; readonly place: number }
  | { readonly kind: 'kill'; readonly onItsWay: 'arrives' | 'is lost'; readonly downMs: number }
  | { readonly kind: 'database' | 'spool' | 'rest'; readonly works: boolean }
  | { readonly kind: 'unconfirmed'; readonly commits: number }
  | { readonly kind: 'failover'; readonly commits: number; readonly beyond: number }
  | { readonly kind: 'horizon'; readonly market: number; readonly place: number }
  | { readonly kind: 'poison'; readonly market: number; readonly place: number }
  | { readonly kind: 'client' }
  | { readonly kind: 'check' };

export interface Step {
  readonly at: number;
  readonly fault: Fault;
}

/** ms from the making of a trade to its frame. */
const WIRE_MS = 40;

export interface Schedule {
  readonly steps: readonly Step[];
  /** When the last trade of a market comes, after all faults. */
  readonly end: number;
}

/** Ascending by time. The last trade of each market always comes, after everything else. */
export function schedule(tapes: readonly Tape[], random: Random): Schedule {
  const steps: Step[] = [];
  const end = Math.max(...tapes.map((tape) => tape.madeAt(tape.count - 1))) + 3_000;
  const sometime = () => below(random, end - 1_000);
  const add = (at: number, fault: Fault) => at < end && steps.push({ at, fault });
  const some = (most: number, make: () => void) => {
    if (random() < 0.6) for (let left = below(random, most + 1); left > 0; left -= 1) make();
  };
  const outages: { readonly from: number; readonly to: number }[] = [];
  some(3, () => {
    const from = sometime();
    outages.push({ from, to: from + below(random, 12_000) });
  });
  const [drops, repeats, late] = [random() ** 3 * 0.4, random() ** 2 * 0.3, random() ** 2 * 0.3];
  for (const [market, tape] of tapes.entries())
    for (let place = 0; place < tape.count - 1; place += 1) {
      const usual = tape.madeAt(place) + below(random, WIRE_MS);
      const arrives = usual + (random() < late ? below(random, random() < 0.2 ? 20_000 : 600) : 0);
      if (random() < drops || outages.some(({ from, to }) => usual >= from && usual < to)) continue;
      add(arrives, { kind: 'frame', market, place });
      if (random() < repeats) add(arrives + below(random, 5_000), { kind: 'frame', market, place });
      if (random() < 0.01) add(0, { kind: 'poison', market, place });
    }
  const spell = (kind: 'database' | 'spool' | 'rest', longest: number) => () => {
    const at = sometime();
    add(at, { kind, works: false });
    add(Math.min(at + below(random, longest), end - 1), { kind, works: true });
  };
  some(3, spell('database', 15_000));
  some(2, spell('spool', 8_000));
  some(2, spell('rest', 20_000));
  some(4, () => add(sometime(), { kind: 'unconfirmed', commits: 1 + below(random, 3) }));
  const beyond = () => (random() < 0.5 ? 0 : 1 + below(random, 5));
  some(3, () => add(sometime(), { kind: 'failover', commits: 1 + below(random, 6), beyond: beyond() }));
  some(4, () => {
    const onItsWay = random() < 0.5 ? 'arrives' : 'is lost';
    add(sometime(), { kind: 'kill', onItsWay, downMs: 100 + below(random, 4_000) });
  });
  some(2, () => {
    const market = below(random, tapes.length);
    add(sometime(), { kind: 'horizon', market, place: below(random, tapes[market]?.count ?? 0) });
  });
  some(3, () => add(sometime(), { kind: 'client' }));
  for (let checks = 0; checks < 4; checks += 1) add(sometime(), { kind: 'check' });
  return { steps: steps.toSorted((a, b) => a.at - b.at), end };
}
