import { describe, expect, it, vi } from 'vitest';
import { EventCursorCodec } from '../../../src/pipeline/events/event-cursor.ts';
import { followEvents } from '../../../src/pipeline/events/event-subscription.ts';
import { turn } from '../../support/manual-clock.ts';
import { MemoryEventLog } from './memory-event-log.ts';

const all = () => true;

describe('a follower of events', () => {
  it('gets what comes from now on, and what came after its place before', async () => {
    const log = new MemoryEventLog<string>();
    for (const event of ['a', 'b', 'c']) log.append(event);
    const fresh = followEvents(log, null, all);
    const back = followEvents(log, 1, all);
    log.append('d');
    expect((await fresh.next()).value).toEqual({ number: 4, event: 'd', missed: 0 });
    expect([(await back.next()).value, (await back.next()).value, (await back.next()).value]).toMatchObject([
      ...[{ event: 'b' }, { event: 'c' }, { event: 'd' }],
    ]);
  });

  it('gets each once through any number of disconnects', async () => {
    const log = new MemoryEventLog<number>();
    const seen: number[] = [];
    for (let [place, made, round] = [0, 0, 0]; seen.length < 1_000; round += 1) {
      for (let i = 0; i < 1 + (made % 5) && made < 1_000; i += 1) log.append(made++);
      const stream = followEvents(log, place, all);
      for (let reads = round % 4; reads > 0 && place < log.newest; reads -= 1) {
        const { value } = await stream.next();
        seen.push(value?.event ?? Number.NaN);
        place = value?.number ?? place;
      }
      await stream.return();
      expect(log.listeners).toBe(0);
    }
    expect(seen).toEqual(Array.from({ length: 1_000 }, (_, k) => k));
  });

  it('gets only what matches, over a long stretch of what does not', async () => {
    const log = new MemoryEventLog<number>();
    for (let n = 1; n <= 5_000; n += 1) log.append(n);
    const stream = followEvents(log, 0, (n) => n === 5_000);
    expect((await stream.next()).value?.event).toBe(5_000);
  });

  it('is told how many it missed when it reads slower than events are let go', async () => {
    const log = new MemoryEventLog<number>('a log', 10);
    const stream = followEvents(log, null, all);
    for (let n = 1; n <= 25; n += 1) log.append(n);
    expect((await stream.next()).value).toEqual({ number: 16, event: 16, missed: 15 });
    expect((await stream.next()).value).toMatchObject({ number: 17, missed: 0 });
  });

  it('waits, and leaves at once', async () => {
    const log = new MemoryEventLog<number>();
    const stream = followEvents(log, null, all);
    const told = vi.fn();
    void stream.next().then(told);
    await turn();
    expect(told).not.toHaveBeenCalled();
    await stream.return();
    expect(log.listeners).toBe(0);
    await vi.waitFor(() => expect(told).toHaveBeenCalledWith({ value: undefined, done: true }));
  });

  it('cannot go on where nothing is kept any more, nor ahead of everything', () => {
    const log = new MemoryEventLog<number>('a log', 10);
    for (let n = 1; n <= 25; n += 1) log.append(n);
    expect(() => followEvents(log, 14, all)).toThrow(expect.objectContaining({ code: 'CURSOR_EXPIRED' }));
    expect(() => followEvents(log, 26, all)).toThrow(expect.objectContaining({ code: 'CURSOR_INVALID' }));
    expect(log.listeners).toBe(0);
    for (const after of [15, 25]) void followEvents(log, after, all).return();
  });
});

describe('a cursor of events', () => {
  const here = new EventCursorCodec('log 1', 'all');

  it('comes back as the number it was made of', () => {
    for (const number of [0, 1, 10_000, 999_999_999_999]) expect(here.decode(here.encode(number))).toBe(number);
  });

  it.each([
    ['another filter', new EventCursorCodec('log 1', 'one').encode(5), 'CURSOR_INVALID'],
    ['another log', new EventCursorCodec('log 2', 'all').encode(5), 'CURSOR_EXPIRED'],
    ['nothing of the kind', 'hello', 'CURSOR_INVALID'],
    ['too long a text', 'A'.repeat(10_000), 'CURSOR_INVALID'],
    ['an empty text', '', 'CURSOR_INVALID'],
  ])('of %s is refused', (_what, text, code) => {
    expect(() => here.decode(text)).toThrow(expect.objectContaining({ code }));
  });
});
