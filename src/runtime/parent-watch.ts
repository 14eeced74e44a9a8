/**
 * Calls `onStop` when the launcher that started this process asks for its end, with the signal it got, and when the
 * launcher is gone without a word, as after a kill -9. May call more than once. Does nothing where there is no launcher.
 *
 * The launcher asks here instead of passing a signal on: a terminal's Ctrl-C reaches both processes, and a second
 * signal would be taken for impatience.
 */
export function watchParent(onStop: (reason: string) => void): Disposable {
  const { channel } = process;
  if (!channel) return { [Symbol.dispose]() {} };
  const gone = () => onStop('the launcher is gone');
  const asked = (message: unknown) => {
    if (typeof message === 'object' && message !== null && 'stop' in message) onStop(String(message.stop));
  };
  process.on('disconnect', gone).on('message', asked);
  process.send?.({ watching: true });
  channel.unref(); // watching alone keeps no process alive
  return {
    [Symbol.dispose]() {
      process.off('disconnect', gone).off('message', asked);
    },
  };
}
