/** One string for each document, to all who asked for it, in the envelope of GraphQL over WebSocket. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import { tradeOf } from './documents.ts';
import { publishing } from './publishing.ts';

publishing(async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(wss, 'listening');
  const groups = new Map<string, WebSocket[]>();
  wss.on('connection', (socket) =>
    socket.on('message', (data) => {
      const { type, payload } = JSON.parse(String(data)) as {
        readonly type: string;
        readonly payload?: { readonly query: string };
      };
      if (type === 'connection_init') socket.send('{"type":"connection_ack"}');
      if (type !== 'subscribe' || !payload) return;
      const alias = /as\d+/.exec(payload.query)?.[0] ?? '';
      const group = groups.get(alias);
      if (group) group.push(socket);
      else groups.set(alias, [socket]);
    }),
  );
  return {
    port: (wss.address() as AddressInfo).port,
    publish(k) {
      const trade = tradeOf(k);
      for (const [alias, sockets] of groups) {
        const node = { ...trade, [alias]: trade.size };
        const text = JSON.stringify({ id: '1', type: 'next', payload: { data: { trades: { edges: [{ node }] } } } });
        for (const socket of sockets) socket.send(text);
      }
    },
  };
});
