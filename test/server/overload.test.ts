import { expect, it } from 'vitest';
import type { Clock } from '../../src/runtime/clock.ts';
import { Overload } from '../../src/server/overload.ts';

/** A clock whose looks come when the test says. */
function handClock() {
  let now = 0;
  let work = () => {};
  const clock = {
    monotonic: () => now,
    every: (_ms: number, look: () => void) => {
      work = look;
      return { [Symbol.dispose]() {} };
    },
  } as unknown as Clock;
  return {
    clock,
    pass: (ms: number) => {
      now += ms;
    },
    look: () => work(),
  };
}

function watched() {
  const { clock, pass, look } = handClock();
  const overload = new Overload(clock);
  return {
    overload,
    pass,
    turn: (ms: number) => {
      pass(ms);
      look();
    },
  };
}

it('is no overload while the loop comes round in time, nor when it is late once', () => {
  const { overload, turn } = watched();
  for (let k = 0; k < 100; k += 1) turn(250);
  expect(overload.isOverloaded).toBe(false);
  turn(1_000);
  expect(overload.isOverloaded).toBe(false);
});

it('is overload when it comes late again and again, and over a second after it does not', () => {
  const { overload, turn } = watched();
  for (let k = 0; k < 5; k += 1) turn(1_000);
  expect(overload.isOverloaded).toBe(true);
  for (let k = 0; k < 4; k += 1) turn(250);
  expect(overload.isOverloaded).toBe(false);
});

it('is overload when it has not come round for long', () => {
  const { overload, pass } = watched();
  pass(1_300);
  expect(overload.isOverloaded).toBe(true);
});
