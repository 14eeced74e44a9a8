/** GraphQL Yoga with graphql-ws, wired as its documentation says. */
import { serveByYoga } from '../frame/yoga-server.ts';
import { publishing } from './publishing.ts';
import { openSchema } from './schema.ts';

publishing(async () => {
  const { schema, publish } = openSchema();
  return { port: await serveByYoga(schema), publish };
});
