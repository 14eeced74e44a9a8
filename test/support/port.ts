import { once } from 'node:events';
import { createServer } from 'node:net';

/** Systems give outgoing connections ports from 32768 or 49152 on; ours lie below. */
const LOWEST = 15_000;
const HIGHEST = 32_000;

/** A free port of this machine that stays free while its server is down: no outgoing connection is given it meanwhile. */
export async function portToComeBackTo(): Promise<number> {
  for (let attempt = 0; attempt < 100; attempt += 1) {
    const port = LOWEST + Math.floor(Math.random() * (HIGHEST - LOWEST));
    const probe = createServer().listen(port, '127.0.0.1');
    const listening = await once(probe, 'listening').then(
      () => true,
      () => false,
    );
    if (!listening) continue;
    probe.close();
    await once(probe, 'close');
    return port;
  }
  throw new Error('No free port was found');
}
