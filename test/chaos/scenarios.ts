import { kill9 } from './kill9.ts';
import type { Result } from './result.ts';
import { play, type Scenario, type Setting } from './scenario.ts';

interface Row {
  readonly does: string;
  readonly needs: 'any' | 'postgres';
  readonly full: object;
  readonly short: object;
  /** What `--count` sets. */
  readonly counted: (count: number) => object;
  readonly play: (setting: Setting, size: object) => Promise<Result>;
}

/** Each in two sizes: what the product promises, and a few seconds of the same. */
export const SCENARIOS = {
  kill9: row('kill9', kill9, {
    does: 'kills the server at its crash points and at random, again and again, under load',
    needs: 'any',
    full: { kills: 100, rate: 100 },
    short: { kills: 5, rate: 50 },
    counted: (kills) => ({ kills }),
  }),
} as const satisfies Record<string, Row>;

function row<Size extends object>(
  name: string,
  scenario: Scenario<Size>,
  about: Omit<Row, 'full' | 'short' | 'counted' | 'play'> & {
    readonly full: Size;
    readonly short: Size;
    readonly counted: (count: number) => Partial<Size>;
  },
): Row {
  return { ...about, play: (setting, size) => play(name, scenario, size as Size, setting) };
}
