import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Frame } from '../../src/exchanges/adapter.ts';
import { EXCHANGES, type ExchangeId } from '../../src/exchanges/registry.ts';
import { AppError } from '../../src/runtime/errors.ts';
import { GOOD_TRADE, RECEIVED_AT, routesOf, SAMPLES } from './samples.ts';

const digits = (from: number, to: number) =>
  fc.array(fc.integer({ min: 0, max: 9 }), { minLength: from, maxLength: to }).map((list) => list.join(''));
const decimals = fc
  .tuple(digits(1, 20), fc.option(digits(1, 20), { nil: null }))
  .map(([whole, part]) => (part === null ? whole : `${whole}.${part}`));
const ids = fc.bigInt({ min: 0n, max: 10n ** 39n }).map(String);

describe.each(Object.keys(EXCHANGES) as ExchangeId[])('%s', (id) => {
  const adapter = EXCHANGES[id];
  const samples = SAMPLES[id];
  const routes = routesOf(adapter, new Map([[samples.nativeSymbol, samples.symbol]]));
  const texts = [...samples.frames.map(({ frame }) => frame), samples.trade(GOOD_TRADE)];

  const attempt = (text: string): Frame | null => {
    try {
      return adapter.readFrame(text, RECEIVED_AT, routes);
    } catch (error) {
      if (error instanceof AppError && error.code === 'FRAME_MALFORMED') return null;
      throw error;
    }
  };

  it('passes ids and decimals through as they were printed', () => {
    fc.assert(
      fc.property(ids, decimals, decimals, (tradeId, price, size) => {
        const frame = attempt(
          samples.trade({ ...GOOD_TRADE, id: `"${tradeId}"`, price: `"${price}"`, size: `"${size}"` }),
        );
        expect(frame).toMatchObject({ kind: 'events', events: [{ tradeId, price, size }], rejected: [] });
      }),
    );
  });

  it('answers any text with a frame or with FRAME_MALFORMED', () => {
    const hostile = fc.oneof(fc.string(), fc.json(), fc.string({ unit: 'binary' }));
    fc.assert(
      fc.property(hostile, (text) => {
        expect(() => attempt(text)).not.toThrow();
      }),
      { numRuns: 500 },
    );
  });

  it('survives its own frames with any value in any place', () => {
    const anything = fc.oneof(
      fc.jsonValue({ maxDepth: 3 }),
      fc.constantFrom('', 'NaN', '-1', '1e400', -0, 1e21, '__proto__', null, [], {}),
    );
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), anything, (text, place, value) => {
        const frame = attempt(withValueAt(JSON.parse(text), place, value));
        if (frame?.kind !== 'events') return;
        for (const event of frame.events.filter((found) => found.kind === 'trade'))
          expect(`${event.price},${event.size}`).toMatch(/^\d+(\.\d+)?,\d+(\.\d+)?$/);
        for (const { detail } of frame.rejected) expect(detail.length).toBeLessThanOrEqual(300);
      }),
      { numRuns: 1_000 },
    );
  });

  it('survives its own frames cut, doubled and with a character changed', () => {
    fc.assert(
      fc.property(fc.constantFrom(...texts), fc.nat(), fc.string({ maxLength: 3 }), (text, at, insert) => {
        const cut = at % (text.length + 1);
        const damaged = [text.slice(0, cut), text.slice(0, cut) + insert + text.slice(cut + 1), text + text.slice(cut)];
        expect(() => damaged.map(attempt)).not.toThrow();
      }),
      { numRuns: 1_000 },
    );
  });
});

/** The frame with its nth value, counted through the whole tree, replaced. */
function withValueAt(frame: unknown, place: number, value: unknown): string {
  const count =
    JSON.stringify(
      frame,
      counting(() => false),
    ).length && seen;
  return JSON.stringify(
    frame,
    counting((n) => n === 1 + (place % count), value),
  );
}

let seen = 0;
function counting(isPlace: (n: number) => boolean, value?: unknown) {
  seen = -1;
  return (_key: string, found: unknown): unknown => {
    seen += 1;
    return isPlace(seen) ? value : found;
  };
}
