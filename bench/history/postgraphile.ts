/** PostGraphile with its Amber preset, in Node's own server. Trades get a key, as the tables of partitions have none, and conditions on time. */

import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { postgraphile } from 'postgraphile';
import { TYPES } from 'postgraphile/@dataplan/pg';
import { makePgService } from 'postgraphile/adaptors/pg';
import { grafserv } from 'postgraphile/grafserv/node';
import { PostGraphileAmberPreset } from 'postgraphile/presets/amber';
import { addPgTableCondition, pgSmartTags } from 'postgraphile/utils';
import { serving } from './serving.ts';

const TRADE = { schemaName: 'tcp_dashboard', tableName: 'trade' };

const timeCondition = (name: string, operator: '>=' | '<') =>
  addPgTableCondition(
    TRADE,
    name,
    (build) => ({ type: build.getTypeByName('Datetime') as never }),
    (value, { sql, sqlTableAlias, sqlValueWithCodec }) =>
      sql`${sqlTableAlias}.ts ${operator === '<' ? sql`<` : sql`>=`} ${sqlValueWithCodec(value, TYPES.timestamptz)}`,
  );

const preset: GraphileConfig.Preset = {
  extends: [PostGraphileAmberPreset],
  plugins: [
    pgSmartTags([{ kind: 'class', match: 'tcp_dashboard.trade', tags: { primaryKey: 'instrument_id,ts,trade_id' } }]),
    timeCondition('since', '>='),
    timeCondition('until', '<'),
  ],
  grafserv: { graphiql: false, watch: false },
  grafast: { explain: false },
};

serving(async ({ database }) => {
  const pgServices = [makePgService({ connectionString: database, schemas: ['tcp_dashboard'] })];
  const serv = postgraphile({ ...preset, pgServices }).createServ(grafserv);
  const server = createServer();
  await serv.addTo(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/graphql`;
});
