import { WebSocket } from 'ws';
import { subscribeFrame, takeIn } from './taken.ts';

takeIn(({ url, symbols }, taken) => {
  const socket = new WebSocket(url, { perMessageDeflate: false });
  socket.on('open', () => socket.send(subscribeFrame(symbols)));
  socket.on('message', (data) => {
    const { data: trades } = JSON.parse(String(data)) as { readonly data?: readonly unknown[] };
    if (trades) taken.add(trades.length);
  });
});
