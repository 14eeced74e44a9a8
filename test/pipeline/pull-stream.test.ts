import { describe, expect, it } from 'vitest';
import { PullStream } from '../../src/pipeline/pull-stream.ts';

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
    it('as they come, until the stream is left', async () => {
      const { ready, stream, closed } = openStream();
      const got: number[] = [];
      ready.push(1, 2);
      const over = stream.handTo((value) => void got.push(value));
      expect(got).toEqual([1, 2]);
      ready.push(3);
      stream.wake();
      expect(got).toEqual([1, 2, 3]);
      await stream.return();
      expect(await over).toBe(true);
      expect(closed()).toBe(1);
      expect(await stream.handTo(() => undefined)).toBe(true);
    });

    it('and pulls nothing while the receiver is busy', async () => {
      const { ready, stream } = openStream();
      const busy = Promise.withResolvers<undefined>();
      const got: number[] = [];
      ready.push(1, 2);
      void stream.handTo((value) => {
        got.push(value);
        return value === 1 ? busy.promise : undefined;
      });
      stream.wake();
      expect(got).toEqual([1]);
      busy.resolve(undefined);
      await busy.promise;
      expect(got).toEqual([1, 2]);
      await stream.return();
    });

    it.each<false | Promise<false>>([false, Promise.resolve<false>(false)])(
      'until the receiver wants no more, %s',
      async (enough) => {
        const { ready, stream } = openStream();
        ready.push(1, 2);
        expect(await stream.handTo(() => enough)).toBe(false);
        expect(await stream.next()).toEqual({ value: 2, done: false });
      },
    );

    it.each([
      ['the source fails', () => undefined],
      ['the receiver throws', () => fail()],
      ['the receiver rejects', () => Promise.reject(new Error('broken'))],
    ])('until %s, which ends the stream', async (_why, take) => {
      let pulls = 0;
      const stream = new PullStream<number>({ pull: () => (++pulls === 1 ? 1 : fail()), close: () => {} });
      await expect(stream.handTo(take)).rejects.toThrow('broken');
      expect(await stream.next()).toEqual({ value: undefined, done: true });
      expect(pulls).toBeLessThanOrEqual(2);
    });
  });
});

function fail(): never {
  throw new Error('broken');
}
