/** The server as `npm start` runs it, on a database that is there. */
import { okxOf, startServer } from '../frame/app.ts';
import { serving } from './serving.ts';

serving(async ({ database, collected }) => {
  const pairs = collected?.symbols.map((symbol) => ({ symbol, data_types: ['trade'] })) ?? [];
  const url = await startServer(database, collected ? [okxOf(collected.connection, pairs)] : []);
  return `${url}/graphql`;
});
