/** What ties a simulated process to the world: cut, none of its calls does anything any more and none of its promises settles. */
import type { Clock } from '../../src/runtime/clock.ts';

const never = <T>(): Promise<T> => new Promise<T>(() => {});

export class Lifeline {
  alive = true;
  /** Whether what was on its way to disk or database at the kill still gets there. */
  onItsWay: 'arrives' | 'is lost' = 'is lost';
  readonly #timers: Disposable[] = [];

  cut(onItsWay: 'arrives' | 'is lost'): void {
    this.alive = false;
    this.onItsWay = onItsWay;
    for (const timer of this.#timers) timer[Symbol.dispose]();
  }

  /** Work that is not begun by the dead and of which they never hear. */
  async through<T>(work: () => Promise<T>): Promise<T> {
    if (!this.alive) return never<T>();
    try {
      const result = await work();
      return this.alive ? result : await never<T>();
    } catch (error) {
      if (!this.alive) return never<T>();
      throw error;
    }
  }

  clock(world: Clock): Clock {
    return {
      now: () => world.now(),
      monotonic: () => world.monotonic(),
      sleep: (ms, signal) => this.through(() => world.sleep(ms, signal)),
      every: (ms, work) => {
        const timer = world.every(ms, () => this.alive && work());
        this.#timers.push(timer);
        return timer;
      },
    };
  }
}
