import { describe, expect, it } from 'vitest';
import { systemClock } from '../../src/runtime/clock.ts';
import { candleColumns } from '../../src/storage/roll-up.ts';
import { seeded } from '../chaos/seeded.ts';
import { useTestDatabase } from '../support/database.ts';
import { dec, NOW, scene, toRecord } from './samples.ts';
import { openTestWriter } from './test-writer.ts';

const db = useTestDatabase();

/** Every column as text, so that also the printed places of a sum count. */
const rowsOf = (relation: string) =>
  db().writers.query<{ row: string }>({ text: `select (c.*)::text as row from ${relation} c order by row` });

/** What the table of candles is, straight from its definition. */
const DEFINITION = `(select instrument_id, seconds, date_bin(make_interval(secs => seconds), ts, 'epoch') as opens, ${candleColumns}
  from tcp_dashboard.trade cross join (values (1), (60), (3600)) s (seconds) group by instrument_id, seconds, opens)`;

describe('stored candles', () => {
  it('are what the stored trades come to, whoever stored them, in whatever order, however often they came', async () => {
    const random = seeded('roll-up');
    const below = (limit: number) => Math.floor(random() * limit);
    const scenes = [scene(), scene(), scene()];
    let elapsed = 0;
    const clock = { ...systemClock, monotonic: () => elapsed };
    await using one = await openTestWriter(db(), { clock });
    await using two = await openTestWriter(db(), { clock });
    const ids = ['7', '10', '9', 'a', 'B', '\u00e9', '\ud83d\ude00', '\uffee'];
    for (let round = 0; round < 60; round += 1) {
      elapsed += below(300_000); // so that a writer that met another one's trades is bold again after some rounds
      const batch = Array.from({ length: 1 + below(30) }, () => {
        const id = `${ids[below(ids.length)]}${below(400)}`;
        return toRecord(
          scenes[below(scenes.length)]?.trade(id, {
            // Few times, as only those of one moment are told apart by their ids; the same id always has the same one.
            exchangeTime: NOW + (id.charCodeAt(id.length - 1) % 7) * 997 + (id.length % 2) * 3_600_000,
            receivedAt: NOW,
            price: dec(`${1 + below(3)}.${'0'.repeat(below(3))}${1 + below(8)}`),
            size: dec(['0', '0.10', '12.000', '0.00000001'][below(4)] ?? '1'),
            side: random() < 0.5 ? 'buy' : 'sell',
            fillCount: 1 + below(3),
          }) ?? scene().trade(1),
        );
      });
      await Promise.all([one.write(batch), ...(random() < 0.5 ? [two.write(batch.slice(below(batch.length)))] : [])]);
    }
    const stored = await rowsOf('tcp_dashboard.candle');
    expect(stored.length).toBeGreaterThan(20);
    expect(stored).toEqual(await rowsOf(DEFINITION));
  });
});
