import { describe, expect, it } from 'vitest';
import { PullStream } from '../../../src/pipeline/stream/pull-stream.ts';

function openStream() {
  const ready: number[] = [];
  let closed = 0;
  const stream = new PullStream<number>({
    pull: () => ready.shift() ?? null,
    close: () => {
      closed += 1;
    },
  });
  return { ready, stream, closed: () => closed };
}

describe('PullStream', () => {
  it('answers several waiting calls in the order they were made', async () => {
    const { ready, stream } = openStream();
    const answers = [stream.next(), stream.next(), stream.next()];
    ready.push(1, 2, 3);
    stream.wake();
    expect((await Promise.all(answers)).map(({ value }) => value)).toEqual([1, 2, 3]);
  });

  it('settles every waiting call when it is left, and closes its source once', async () => {
    const { stream, closed } = openStream();
    const answers = [stream.next(), stream.next()];
    await stream.return();
    await stream.return();
    expect((await Promise.all(answers)).map(({ done }) => done)).toEqual([true, true]);
    expect(closed()).toBe(1);
  });

  it('keeps a failure for the next call when nobody waits', async () => {
    const { stream, closed } = openStream();
    stream.fail(new Error('gone'));
    await expect(stream.next()).rejects.toThrow('gone');
    expect(await stream.next()).toEqual({ value: undefined, done: true });
    expect(closed()).toBe(1);
  });

  it('turns a throwing source into a failure', async () => {
    const stream = new PullStream<number>({
      pull: () => {
        throw new Error('broken');
      },
      close: () => {},
    });
    await expect(stream.next()).rejects.toThrow('broken');
  });

  it('is left by breaking out of a loop', async () => {
    const { ready, stream, closed } = openStream();
    ready.push(7);
    for await (const value of stream) {
      expect(value).toBe(7);
      break;
    }
    expect(closed()).toBe(1);
  });

  describe('hands values over', () => {
    /** Collects what it is given. */
    const receiver = (take: (value: number) => Promise<undefined> | undefined = () => undefined) => {
      const got: number[] = [];
      const ends: unknown[] = [];
      return {
        got,
        ends,
        take: (value: number) => {
          got.push(value);
          return take(value);
        },
        ended: (failure: unknown) => void ends.push(failure),
      };
    };

    it('as they come, until the stream is left', async () => {
      const { ready, stream, closed } = openStream();
      const one = receiver();
      ready.push(1, 2);
      stream.handTo(one);
      expect(one.got).toEqual([1, 2]);
      ready.push(3);
      stream.wake();
      expect(one.got).toEqual([1, 2, 3]);
      await stream.return();
      expect(one.ends).toEqual([null]);
      expect(closed()).toBe(1);
      const late = receiver();
      stream.handTo(late);
      expect(late).toMatchObject({ got: [], ends: [null] });
    });

    it('and pulls nothing while the receiver is busy', async () => {
      const { ready, stream } = openStream();
      const busy = Promise.withResolvers<undefined>();
      const one = receiver((value) => (value === 1 ? busy.promise : undefined));
      ready.push(1, 2);
      stream.handTo(one);
      stream.wake();
      expect(one.got).toEqual([1]);
      busy.resolve(undefined);
      await busy.promise;
      expect(one.got).toEqual([1, 2]);
      await stream.return();
    });

    it.each([
      ['the source fails', () => undefined],
      ['the receiver throws', () => fail()],
      ['the receiver rejects', () => Promise.reject(new Error('broken'))],
    ])('until %s, which ends the stream', async (_why, take) => {
      let pulls = 0;
      const stream = new PullStream<number>({ pull: () => (++pulls === 1 ? 1 : fail()), close: () => {} });
      const one = receiver(take);
      stream.handTo(one);
      await Promise.resolve();
      expect(one).toMatchObject({ got: [1], ends: [{ error: new Error('broken') }] });
      expect(await stream.next()).toEqual({ value: undefined, done: true });
      expect(pulls).toBeLessThanOrEqual(2);
    });
  });

  it('gives what is offered only to whoever waits', async () => {
    const { stream } = openStream();
    expect(stream.offer(1)).toBe(false);
    const next = stream.next();
    expect(stream.offer(2)).toBe(true);
    expect(await next).toEqual({ value: 2, done: false });
    const busy = Promise.withResolvers<undefined>();
    const got: number[] = [];
    const take = (value: number) => {
      got.push(value);
      return busy.promise;
    };
    stream.handTo({ take, ended: () => {} });
    expect([stream.offer(3), stream.offer(4)]).toEqual([true, false]);
    busy.resolve(undefined);
    await busy.promise;
    expect(stream.offer(5)).toBe(true);
    expect(got).toEqual([3, 5]);
    await stream.return();
    expect(stream.offer(6)).toBe(false);
  });
});

function fail(): never {
  throw new Error('broken');
}
