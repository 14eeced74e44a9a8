import { describe, expect, it } from 'vitest';
import type { BookChange } from '../../src/exchanges/adapter.ts';
import { EXCHANGES, type ExchangeId } from '../../src/exchanges/registry.ts';
import type { BookLevel } from '../../src/market/market-event.ts';
import { answersOf, framesOf, hasFixtures } from './fixtures.ts';
import { routesOf } from './samples.ts';

/** The order book changes of a recording by channel, in arrival order. */
function changesOf(
  id: ExchangeId,
  file: string,
  nativeSymbols: readonly string[],
): ReadonlyMap<string, readonly BookChange[]> {
  const routes = routesOf(EXCHANGES[id], new Map(nativeSymbols.map((symbol) => [symbol, symbol])));
  const changes = new Map<string, BookChange[]>();
  for (const { text, dir, receivedAt } of framesOf(id, file)) {
    const frame = dir === 'in' ? EXCHANGES[id].readFrame(text, receivedAt, routes) : null;
    if (frame?.kind === 'book') changes.set(frame.channel, [...(changes.get(frame.channel) ?? []), ...frame.changes]);
  }
  return changes;
}

type Side = Map<string, BookLevel>;

function apply(side: Side, levels: readonly BookLevel[]): void {
  for (const level of levels)
    if (Number(level[1]) === 0) side.delete(level[0]);
    else side.set(level[0], level);
}

const sorted = (side: Side, direction: 1 | -1): readonly BookLevel[] =>
  [...side.values()].sort(([a], [b]) => direction * (Number(a) - Number(b)));

describe.runIf(hasFixtures('okx'))('okx books', () => {
  it.each([
    ['books.BTC-USDT.2022-05.jsonl', ['BTC-USDT'], 98],
    ['session.BTC-USDT.2022-05.jsonl', ['BTC-USDT'], 98],
    ['books.okcoin-BTCUSD-USDTUSD.2023-05.jsonl', ['BTC-USD', 'USDT-USD'], 3],
  ])('%s agrees with the checksum of the exchange after every change', (file, symbols, count) => {
    let agreed = 0;
    for (const changes of changesOf('okx', file, symbols).values()) {
      let [bids, asks]: [Side, Side] = [new Map(), new Map()];
      for (const change of changes) {
        if (change.type === 'snapshot') [bids, asks] = [new Map(), new Map()];
        apply(bids, change.bids);
        apply(asks, change.asks);
        expect(EXCHANGES.okx.bookChecksum?.(sorted(bids, -1), sorted(asks, 1))).toBe(change.checksum);
        agreed += 1;
      }
      expect(changes[0]?.type).toBe('snapshot');
    }
    expect(agreed).toBe(count);
  });

  it('starts the first recorded book with the checksum of the worked example', () => {
    const [first] = changesOf('okx', 'books.BTC-USDT.2022-05.jsonl', ['BTC-USDT']).get('books:BTC-USDT') ?? [];
    expect(first && EXCHANGES.okx.bookChecksum?.(first.bids, first.asks)).toBe(47_640_993);
  });
});

describe.runIf(hasFixtures('binance'))('binance depth', () => {
  it.each([
    ['spot.depth.NKNUSDT.2021-10.jsonl', 'spot.rest.depth.NKNUSDT.2021-10.jsonl', ['NKNUSDT'], 149],
    ['spot.depth.US-CRV-COMP.2021-10.jsonl', 'spot.rest.depth.US-CRV-COMP.2021-10.jsonl', ['CRVUSDT', 'COMPUSDT'], 134],
    ['usdm.depth.SUSHI-KEEP.2021-07.jsonl', 'usdm.rest.depth.SUSHI-KEEP.2021-07.jsonl', ['SUSHIUSDT', 'KEEPUSDT'], 388],
  ])('%s has no gap, and its REST snapshot bridges into it', (file, restFile, symbols, transitions) => {
    const bySymbol = changesOf('binance', file, symbols);
    let unbroken = 0;
    for (const changes of bySymbol.values())
      for (const [n, change] of changes.entries()) {
        const before = changes[n - 1];
        if (!before || change.type !== 'delta') continue;
        expect(change.previous).toBe(before.sequence);
        unbroken += 1;
      }
    expect(unbroken).toBe(transitions);
    expect(bySymbol.size).toBe(symbols.length);

    for (const { url, body } of answersOf('binance', restFile)) {
      const snapshot = EXCHANGES.binance.rest.readOrderBook(body, 1_633_998_512_320);
      const { lastUpdateId, bids, asks } = JSON.parse(body);
      expect(snapshot).toMatchObject({ type: 'snapshot', sequence: lastUpdateId, bids, asks });
      const changes = bySymbol.get(`${url.searchParams.get('symbol')?.toLowerCase()}@depth@100ms`) ?? [];
      const next = changes.find((change) => (change.sequence ?? 0) > lastUpdateId);
      expect(next?.type === 'delta' && (next.previous ?? Number.POSITIVE_INFINITY) <= lastUpdateId).toBe(true);
    }
  });
});
