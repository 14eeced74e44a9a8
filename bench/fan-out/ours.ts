/** The server as it is, over trades kept in memory. */

import { schema } from '../../src/graphql/schema.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { LIMITS } from '../../src/runtime/limits.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { startServer } from '../../src/server/start-server.ts';
import { localAccess } from '../../test/access/local-access.ts';
import { openMarket } from '../../test/graphql/market.ts';
import { noExports } from '../../test/server/served.ts';
import { publishing } from './publishing.ts';

publishing(async () => {
  const market = await openMarket();
  const server = await startServer({
    ...{ schema, services: market.services, exports: noExports, host: '127.0.0.1', port: 0, allowedOrigins: [] },
    ...{
      access: localAccess(),
      limits: LIMITS,
      checkReady: async () => true,
      clock: systemClock,
      log: silentLog,
      graphqlLog: silentLog,
    },
  });
  return { port: server.port, publish: () => market.trade(1) };
});
