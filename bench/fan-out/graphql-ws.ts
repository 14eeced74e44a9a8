/** graphql-ws over graphql-js, as Apollo Server's documentation wires subscriptions. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { useServer } from 'graphql-ws/use/ws';
import { WebSocketServer } from 'ws';
import { publishing } from './publishing.ts';
import { openSchema } from './schema.ts';

publishing(async () => {
  const { schema, publish } = openSchema();
  const server = createServer();
  useServer({ schema }, new WebSocketServer({ server, path: '/graphql' }));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return { port: (server.address() as AddressInfo).port, publish };
});
