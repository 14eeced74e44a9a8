import { describe, expect, it } from 'vitest';
import { StreamLedger } from '../../../src/pipeline/ledger/stream-ledger.ts';
import { SavedBooks } from './saved-books.ts';

function openLedger(last: number | null = null) {
  const ledger = new StreamLedger(last === null ? null : { last: BigInt(last) });
  const saved = new SavedBooks(ledger);
  const lines = () => {
    saved.save();
    return saved.lines(0);
  };
  return { ledger, saved, lines };
}

describe('the books of a stream', () => {
  it('call a quiet hour carried, and the time between two sockets missing, with its cause', () => {
    const { ledger, lines } = openLedger();
    ledger.connected(100);
    ledger.reach(3_600_100);
    ledger.lost(3_600_200, 'closed with 1006', 3_600_900);
    ledger.connected(3_601_000);
    ledger.reach(3_602_000);
    expect(lines()).toEqual([
      'UNPROVEN 100..3600200 (0)',
      'UNFILLABLE 3600201..3600999 (0) closed with 1006',
      'UNPROVEN 3601000..3602000 (0)',
    ]);
  });

  it('name a hole by where it began and when it was found', () => {
    const { ledger, saved } = openLedger();
    ledger.connected(100);
    ledger.lost(200, 'cut', 950);
    ledger.reach(1_000);
    saved.save();
    expect(saved.list[1]).toMatchObject({ first: 201n, from: 201, to: 1_000, gap: 201n, gapFoundAt: 950 });
    expect(saved.list[0]).toMatchObject({ gap: null, gapFoundAt: null, evidence: 'CONNECTION_ONLY' });
  });

  it('take back what was said of a socket that had been dead for a while', () => {
    const { ledger, saved, lines } = openLedger();
    ledger.connected(100);
    ledger.reach(5_000);
    saved.save();
    ledger.lost(3_000, 'no sign of life', 6_000);
    ledger.connected(7_000);
    expect(lines()).toEqual(['UNPROVEN 100..3000 (0)', 'UNFILLABLE 3001..6999 (0) no sign of life']);
  });

  it('say nothing of the time nobody asked for', () => {
    const { ledger, lines } = openLedger();
    ledger.connected(100);
    ledger.ended(200);
    ledger.reach(900);
    ledger.lost(900, 'cut', 900);
    ledger.connected(1_000);
    ledger.ended(1_100);
    expect(lines()).toEqual(['UNPROVEN 100..200 (0)', 'UNPROVEN 1000..1100 (0)']);
  });

  it('call missing what passed since an earlier process, if it was to go on', () => {
    const after = openLedger(500);
    after.ledger.absent('the server was not running', 900);
    after.ledger.connected(1_000);
    after.ledger.reach(1_100);
    expect(after.lines()).toEqual(['UNFILLABLE 501..999 (0) the server was not running', 'UNPROVEN 1000..1100 (0)']);
    const stopped = openLedger(500);
    stopped.ledger.connected(1_000);
    stopped.ledger.reach(1_100);
    expect(stopped.lines()).toEqual(['UNPROVEN 1000..1100 (0)']);
    const first = openLedger();
    first.ledger.absent('the server was not running', 900);
    expect(first.lines()).toEqual([]);
  });

  it('prove an order book up to its last chained message, and no further', () => {
    const { ledger, lines } = openLedger();
    ledger.seeded(100);
    for (const at of [200, 300, 400]) ledger.chained(at);
    ledger.reach(900);
    ledger.lost(950, 'cut', 1_000);
    ledger.seeded(1_200);
    ledger.chained(1_300);
    expect(lines()).toEqual([
      'PROVEN 100..400 (0)',
      'UNPROVEN 401..950 (0)',
      'UNFILLABLE 951..1199 (0) cut',
      'PROVEN 1200..1300 (0)',
    ]);
  });

  it('call a book missing from the last message before its chain broke to the next snapshot', () => {
    const { ledger, lines } = openLedger();
    ledger.seeded(100);
    ledger.chained(200);
    ledger.broken(300, 'the chain broke', 300);
    ledger.seeded(500);
    ledger.chained(600);
    expect(lines()).toEqual(['PROVEN 100..200 (0)', 'UNFILLABLE 201..499 (0) the chain broke', 'PROVEN 500..600 (0)']);
  });

  it('do not prove what lies between the last change and a snapshot that names none before it', () => {
    const { ledger, lines } = openLedger();
    ledger.seeded(100);
    ledger.chained(200);
    ledger.seeded(300);
    ledger.chained(400);
    expect(lines()).toEqual(['PROVEN 100..200 (0)', 'UNPROVEN 201..300 (0)', 'PROVEN 301..400 (0)']);
  });

  it('claim nothing beyond what was stored while more waits', () => {
    const { ledger, saved, lines } = openLedger();
    ledger.connected(100);
    ledger.reach(1_000);
    ledger.count(300, 1);
    ledger.lost(1_500, 'cut', 1_600);
    saved.save({ through: 300 });
    expect(saved.lines(0)).toEqual(['UNPROVEN 100..300 (1)']);
    expect(lines()).toEqual(['UNPROVEN 100..1500 (1)']);
    ledger.reach(1_700);
    expect(lines()).toEqual(['UNPROVEN 100..1500 (1)', 'UNFILLABLE 1501..1700 (0) cut']);
  });

  it('have one hole for rows lost one after the other, and keep the counts on either side', () => {
    const { ledger, lines } = openLedger();
    ledger.connected(100);
    ledger.reach(1_000);
    ledger.count(200, 2);
    for (const at of [300, 400, 500]) ledger.lose(at, 'no room', 1_000);
    ledger.count(600, 3);
    ledger.lose(700, 'no room', 1_000);
    ledger.count(650, -1);
    expect(lines()).toEqual([
      'UNPROVEN 100..299 (2)',
      'UNFILLABLE 300..500 (0) no room',
      'UNPROVEN 501..699 (2)',
      'UNFILLABLE 700..700 (0) no room',
      'UNPROVEN 701..1000 (0)',
    ]);
  });

  it('are not longer missing than a row that was lost, nor before the stream was asked for again', () => {
    const { ledger, lines } = openLedger();
    ledger.connected(100);
    ledger.lose(300, 'no room', 300);
    ledger.reach(350);
    ledger.lose(400, 'no room', 400);
    ledger.ended(400);
    ledger.connected(500);
    ledger.lose(500, 'no room', 500);
    ledger.reach(600);
    expect(lines()).toEqual([
      'UNPROVEN 100..299 (0)',
      'UNFILLABLE 300..400 (0) no room',
      'UNFILLABLE 500..500 (0) no room',
      'UNPROVEN 501..600 (0)',
    ]);
  });

  it('keep the count of rows whose time turns out to be missing', () => {
    const lost = openLedger();
    lost.ledger.connected(100);
    lost.ledger.reach(100);
    lost.ledger.count(100, 2);
    lost.ledger.lose(100, 'no room', 100);
    expect(lost.lines()).toEqual(['UNFILLABLE 100..100 (2) no room']);
    const cut = openLedger();
    cut.ledger.connected(100);
    cut.ledger.reach(200);
    cut.ledger.count(150, 2);
    cut.ledger.lost(50, 'cut', 200);
    cut.ledger.reach(300);
    expect(cut.lines()).toEqual(['UNPROVEN 100..100 (2)', 'UNFILLABLE 101..300 (0) cut']);
  });

  it('stay small however often the stream breaks while the database is away, and claim the less for it', () => {
    const { ledger, saved } = openLedger();
    for (let at = 0; at < 100_000; at += 100) {
      ledger.connected(at);
      ledger.lost(at + 50, 'cut', at + 60);
    }
    saved.save();
    expect(saved.list.length).toBeLessThanOrEqual(256);
    expect(saved.list[0]).toMatchObject({
      first: 0n,
      status: 'UNFILLABLE',
      cause: expect.stringContaining('more inter'),
    });
    expect(saved.list.at(-1)).toMatchObject({ status: 'UNPROVEN', last: 99_950n });
  });
});
