import { describe, expect, it } from 'vitest';
import type { Trade } from '../../src/market/market-event.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { listTrades } from '../../src/storage/trades.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, idsOf, NOW, pageOf, scene, toRecord } from './samples.ts';

const db = useTestDatabase();
const openWriter = () => openTradeWriter(db(), systemClock, silentLog);
const kept = (trades: readonly { readonly trade: Trade }[]) =>
  trades.map(({ trade: { tradeId, fillCount, size } }) => `${tradeId} x${fillCount} ${size}`);

/** Five fills of 0.1 at one time, 11 to 15, as one record and one by one. */
function match() {
  const { symbol, trade } = scene();
  const single = (id: number) => toRecord(trade(id, { size: dec('0.1'), exchangeTime: NOW }));
  const pack = toRecord(trade(15, { fillCount: 5, size: dec('0.5'), exchangeTime: NOW }));
  return { symbol, trade, single, singles: [11, 12, 13, 14, 15].map(single), pack };
}

describe('packed and single fills of one trade', () => {
  it('are stored once when the pack comes first', async () => {
    const { symbol, single, singles, pack } = match();
    await using writer = await openWriter();
    await writer.write([pack]);
    expect(idsOf(await writer.write([single(10), ...singles, single(16)]))).toEqual(['10', '16']);
    expect(kept((await listTrades(db(), pageOf(symbol))).trades)).toEqual(['10 x1 0.1', '15 x5 0.5', '16 x1 0.1']);
  });

  it('are stored once when the single fills come first', async () => {
    const { symbol, singles, pack } = match();
    await using writer = await openWriter();
    await writer.write(singles);
    expect(await writer.write([pack])).toEqual([]);
    expect((await listTrades(db(), pageOf(symbol))).trades).toHaveLength(5);
  });

  it('are stored once when some single fills are there and the pack brings the rest', async () => {
    const { symbol, single, singles, pack } = match();
    await using writer = await openWriter();
    await writer.write([single(11), single(15)]);
    expect(kept(await writer.write([pack]))).toEqual(['14 x3 0.3']);
    expect(await writer.write([pack, ...singles])).toEqual([]);
    expect(kept((await listTrades(db(), pageOf(symbol))).trades)).toEqual(['11 x1 0.1', '14 x3 0.3', '15 x1 0.1']);
  });

  it('are stored once when both are in one batch', async () => {
    const { singles, pack } = match();
    await using writer = await openWriter();
    expect(kept(await writer.write([...singles.slice(0, 2), pack, ...singles.slice(2)]))).toEqual([
      '11 x1 0.1',
      '12 x1 0.1',
      '15 x3 0.3',
    ]);
  });

  it('are stored once when two servers record them at the same time', async () => {
    await using first = await openWriter();
    await using second = await openWriter();
    for (let round = 0; round < 20; round++) {
      const { symbol, trade, singles, pack } = match();
      const earlier = trade(2, { fillCount: 2, exchangeTime: NOW - 60_000 });
      if (round % 2 === 0) await first.write([toRecord(earlier)]); // the instrument is known to hold packs
      await Promise.all([first.write(singles), second.write([pack])]);
      const { trades } = await listTrades(db(), pageOf(symbol, { from: new Date(NOW) }));
      const tenths = trades.reduce((sum, { trade }) => sum + Math.round(Number(trade.size) * 10), 0);
      expect(tenths, kept(trades).join(', ')).toBe(5);
    }
  });
});
