/**
 * Calls `onGone` once when the launcher that started this process ends without a word, as after a kill -9.
 * A launcher that can still speak forwards signals instead. Does nothing where no launcher holds an IPC channel to us.
 */
export function watchParent(onGone: () => void): Disposable {
  if (process.channel === undefined) return { [Symbol.dispose]() {} };
  process.once('disconnect', onGone);
  process.channel.unref(); // watching alone keeps no process alive
  return {
    [Symbol.dispose]() {
      process.off('disconnect', onGone);
    },
  };
}
