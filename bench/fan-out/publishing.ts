import { monitorEventLoopDelay } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { answer, cpuSeconds } from '../frame/answer.ts';
import { monotonic } from './monotonic.ts';

const LOOK_MS = 10;

export interface Publishing {
  readonly port: number;
  publish(k: number): unknown;
}

export interface Schedule {
  readonly events: number;
  readonly gapMs: number;
}

export interface Published {
  /** When each event was published, by `monotonic`. */
  readonly at: readonly number[];
}

/** What the process under test used since `begin`. */
export interface Used {
  readonly cpuSeconds: number;
  /** Longest time the event loop did not come round. */
  readonly stallMs: number;
}

/** A process under test: a server that publishes one event after another. */
export function publishing(open: () => Promise<Publishing>): void {
  let server: Publishing | null = null;
  let next = 0;
  let begin = 0;
  const delay = monitorEventLoopDelay({ resolution: LOOK_MS });
  answer({
    open: async () => {
      server = await open();
      return server.port;
    },
    begin: () => {
      delay.enable();
      delay.reset();
      begin = cpuSeconds();
    },
    publish: async ({ events, gapMs }: Schedule): Promise<Published> => {
      const at: number[] = [];
      const start = monotonic();
      for (let k = 0; k < events; k += 1) {
        await sleep(Math.max(0, start + k * gapMs - monotonic()));
        at.push(monotonic());
        await server?.publish(next);
        next += 1;
      }
      return { at };
    },
    used: (): Used => {
      const used = { cpuSeconds: cpuSeconds() - begin, stallMs: Math.max(0, delay.max / 1e6 - LOOK_MS) };
      delay.disable();
      return used;
    },
  });
}
