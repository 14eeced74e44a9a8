import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue, type QueuePolicy, QueueRegistry } from '../../src/runtime/bounded-queue.ts';

const steps = fc.array(fc.oneof(fc.constant('push' as const), fc.integer({ min: 0, max: 7 })), {
  size: 'max',
  maxLength: 200,
});

describe.each<QueuePolicy>(['refuse', 'drop-oldest'])('a queue that is full and would %s', (policy) => {
  it('gives out what a plain array would, in order, and counts every value', () => {
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 40 }), (schedule, capacity) => {
        const registry = new QueueRegistry();
        const queue = new BoundedQueue<number>({ name: 'numbers', capacity, policy, registry });
        const model: number[] = [];
        let pushed = 0;
        for (const step of schedule) {
          if (step === 'push') {
            pushed += 1;
            const full = model.length === capacity;
            expect(queue.push(pushed)).toBe(!(full && policy === 'refuse'));
            if (full && policy === 'refuse') continue;
            if (full) model.shift();
            model.push(pushed);
          } else expect(queue.take(step)).toEqual(model.splice(0, step));
          expect(queue.oldest).toBe(model[0]);
        }
        const [counters] = registry.list();
        expect(counters).toMatchObject({ name: 'numbers', capacity, in: pushed, held: model.length });
        expect(counters?.in).toBe((counters?.out ?? 0) + (counters?.dropped ?? 0) + model.length);
      }),
    );
  });
});

describe('QueueRegistry', () => {
  it('sums queues of one name and keeps what closed ones counted', () => {
    const registry = new QueueRegistry();
    const options = { name: 'subscribers', capacity: 2, policy: 'drop-oldest', registry } as const;
    const leaving = new BoundedQueue<string>(options);
    const staying = new BoundedQueue<string>(options);
    for (const value of ['a', 'b', 'c']) leaving.push(value);
    leaving.take(1);
    staying.push('d');
    leaving[Symbol.dispose]();
    leaving[Symbol.dispose]();
    expect(registry.list()).toEqual([{ name: 'subscribers', capacity: 2, in: 4, out: 1, dropped: 2, held: 1 }]);
  });

  it('refuses a capacity that is none', () => {
    const registry = new QueueRegistry();
    expect(() => new BoundedQueue({ name: 'broken', capacity: 0, policy: 'refuse', registry })).toThrow(RangeError);
  });
});
