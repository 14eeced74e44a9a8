import { isMainThread } from 'node:worker_threads';

/** Run in a server before anything of its own, with --expose-gc: lets go of all that nobody needs whenever its parent asks for it. */
if (isMainThread && process.channel) {
  process.on('message', (message) => {
    if (typeof message !== 'object' || message === null || !('collect' in message)) return;
    const { gc } = globalThis as { gc?: () => void };
    gc?.();
    gc?.(); // the first only lets go of what finalizers hold
    const { heapUsed, external } = process.memoryUsage();
    process.send?.({ heldBytes: heapUsed + external });
  });
  process.channel.unref(); // asking keeps no process alive
}
