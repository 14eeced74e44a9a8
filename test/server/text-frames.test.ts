import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { expect, it } from 'vitest';
import { WebSocket, WebSocketServer } from 'ws';
import { headingOf, sendResult } from '../../src/server/text-frames.ts';

it('sends results of any length and letters, each under the id of its operation, between other messages', async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  await once(wss, 'listening');
  const client = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`);
  const got: string[] = [];
  client.on('message', (data) => got.push(String(data)));
  const [socket, request] = await once(wss, 'connection');
  const bare = JSON.stringify({ id: '1', type: 'next', payload: { data: { text: '' } } }).length;
  const texts = [
    ...[125, 126, 127, 255, 256, 65_535, 65_536, 200_000].map((length) => 'x'.repeat(length - bare)),
    ...['é', '漢字', '"\\\n', 'a\u007f'],
  ];
  const ids = ['1', 'with "quotes"', 'über', 'a'.repeat(300)];
  const expected: unknown[] = [];
  for (const id of ids) {
    const heading = headingOf(id);
    for (const text of texts) {
      sendResult(socket, request.socket, heading, { data: { text } });
      socket.send('"between"');
      expected.push({ id, type: 'next', payload: { data: { text } } }, 'between');
    }
  }
  socket.close();
  await once(client, 'close');
  expect(got.map((text) => JSON.parse(text))).toEqual(expected);
  expect(got[0]).toHaveLength(125);
  wss.close();
});
