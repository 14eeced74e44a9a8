import { Access } from '../../src/access/access.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { publicFetch } from './public-fetch.ts';

/** Of a server on this machine without tokens. */
export const localAccess = (): Access =>
  new Access({
    ...{ dataDir: 'there is none', anonymous: null, jwt: null, isLocal: true, fetch: publicFetch },
    clock: { ...systemClock, every: () => ({ [Symbol.dispose]() {} }) },
    log: silentLog,
  });
