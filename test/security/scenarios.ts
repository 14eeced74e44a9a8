import { row } from '../chaos/scenario.ts';
import { backupUnderLoad } from './backup-under-load.ts';
import { canarySweep } from './canary-sweep.ts';
import { clients } from './clients.ts';
import { everything } from './everything.ts';
import { exchange } from './exchange.ts';
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
  exchange: row('exchange', exchange, {
    does: 'puts somebody between it and an exchange who sends bombs: compressed, endless, in fragments, 50,000 levels deep',
    pain: 'an exchange that takes the server, and all other markets, with it',
    needs: 'postgres',
    full: { rounds: 5, rate: 25 },
    short: { rounds: 1, rate: 25 },
    counted: (rounds) => ({ rounds }),
  }),
  canary: row('canary', canarySweep, {
    does: 'makes every secret a canary, lets everything go wrong that can, and searches all that is left behind',
    pain: 'keys and passwords in logs, errors and backups',
    needs: 'own postgres',
    full: { runMs: 30_000 },
    short: { runMs: 3_000 },
    counted: (seconds) => ({ runMs: seconds * 1_000 }),
  }),
  backup: row('backup', backupUnderLoad, {
    does: 'makes a backup while trades come in, restores it elsewhere, compares the rows, and damages it in four ways',
    pain: 'backups that cannot be restored when they are needed',
    needs: 'postgres',
    full: { rate: 500, before: 100_000 },
    short: { rate: 100, before: 500 },
    counted: (before) => ({ before }),
  }),
  clients: row('clients', clients, {
    does: 'floods it with subscribes, sockets that say nothing, headers that never end, a huge body, and subscribers that do not read',
    pain: 'one client that takes the server away from all others',
    needs: 'postgres',
    full: { rate: 250, subscribes: 50_000, silent: 2_000, slow: 500, deaf: 100, deafMs: 60_000 },
    short: { rate: 25, subscribes: 2_000, silent: 50, slow: 20, deaf: 5, deafMs: 1_000 },
    counted: (silent) => ({ silent }),
  }),
  everything: row('everything', everything, {
    does: 'does all of it at once: a breaking exchange and database, hostile clients, heavy questions, restarts, backups',
    pain: 'what only fails together',
    needs: 'own postgres',
    full: { rate: 50, ms: 1_800_000, warmUp: 0.25 },
    short: { rate: 20, ms: 20_000, warmUp: 0.5 },
    counted: (seconds) => ({ ms: seconds * 1_000 }),
  }),
};
