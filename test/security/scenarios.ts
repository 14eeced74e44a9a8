import { row } from '../chaos/scenario.ts';
import { frames } from './frames.ts';

/** What an attacker, a broken exchange or a careless operator does, each in two sizes. */
export const SCENARIOS = {
  frames: row('frames', frames, {
    does: 'puts frames that no documentation promises between good ones, on the same socket',
    pain: 'one bad frame ends a collector, or the process',
    needs: 'postgres',
    full: { frames: 10_000, rate: 200 },
    short: { frames: 600, rate: 100 },
    counted: (count) => ({ frames: count }),
  }),
};
