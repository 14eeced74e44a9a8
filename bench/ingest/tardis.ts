/** The mapper as `streamNormalized` uses it, on a socket of `ws` without the library's other work. */
import { normalizeTrades } from 'tardis-dev';
import { WebSocket } from 'ws';
import { subscribeFrame, takeIn } from './taken.ts';

takeIn(({ url, symbols }, taken) => {
  const mapper = normalizeTrades('okex', new Date());
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('open', () => socket.send(subscribeFrame(symbols)));
  socket.on('message', (data) => {
    const message: unknown = JSON.parse(String(data));
    if (!mapper.canHandle(message)) return;
    for (const trade of mapper.map(message, new Date()) ?? []) if (trade.price > 0) taken.add(1);
  });
});
