import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { serve } from './served.ts';

const HEAD = 'POST /graphql HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n';

/** All that is answered until the connection is cut; sends one more byte whenever it may, so that it is never silent. */
function dribble(port: number, begin: string, byte: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  const dribbling = setInterval(() => socket.write(byte), 500);
  socket.write(begin);
  socket.on('data', (bytes) => (answer += bytes.toString()));
  socket.on('error', () => {});
  socket.on('close', () => {
    clearInterval(dribbling);
    resolve(answer);
  });
  return promise;
}

it.concurrent.each([
  ['its headers', HEAD, 'x'],
  ['its body', `${HEAD}Content-Length: 100000\r\n\r\n{`, ' '],
])(
  'a request whose client goes on and on with %s is cut in the end',
  async (_what, begin, byte) => {
    await using served = await serve();
    expect(await dribble(served.server.port, begin, byte)).toMatch(/^(HTTP\/1.1 408 |$)/);
  },
  30_000,
);
