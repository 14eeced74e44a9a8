import { EventEmitter } from 'node:events';
import { expect, it, vi } from 'vitest';
import type { WebSocket } from 'ws';
import { KeepAlive } from '../../src/server/keep-alive.ts';
import { ManualClock } from '../support/manual-clock.ts';

const LOOK_MS = 15_000;

function watch(clock: ManualClock) {
  const socket = Object.assign(new EventEmitter(), {
    ...{ readyState: 1, OPEN: 1, bufferedAmount: 0 },
    ping: vi.fn(),
    terminate: vi.fn(),
  });
  const stream = { bytesWritten: 0 };
  const keepAlive = new KeepAlive(clock);
  keepAlive.watch(socket as unknown as WebSocket, stream);
  return { socket, stream, keepAlive };
}

it('asks who is sent nothing at every look, and cuts who neither answers nor reads', async () => {
  const clock = new ManualClock();
  const { socket } = watch(clock);
  for (let asked = 1; asked <= 3; asked += 1) {
    await clock.advance(LOOK_MS);
    expect(socket.ping).toHaveBeenCalledTimes(asked);
    socket.emit('pong');
  }
  await clock.advance(LOOK_MS);
  await clock.advance(LOOK_MS);
  expect(socket.terminate).toHaveBeenCalledOnce();
});

it('leaves a client alone that reads, however long it takes to answer', async () => {
  const clock = new ManualClock();
  const { socket } = watch(clock);
  socket.bufferedAmount = 1_000;
  for (let left = 900; left > 0; left -= 100) {
    await clock.advance(LOOK_MS);
    socket.bufferedAmount = left;
  }
  expect(socket.terminate).not.toHaveBeenCalled();
});

it('asks who is sent something all the time at every fourth look, and cuts the dead among them too', async () => {
  const clock = new ManualClock();
  const { socket, stream } = watch(clock);
  const look = async (times: number) => {
    for (let k = 0; k < times; k += 1) {
      stream.bytesWritten += 100;
      await clock.advance(LOOK_MS);
    }
  };
  await look(3);
  expect(socket.ping).not.toHaveBeenCalled();
  await look(1);
  expect(socket.ping).toHaveBeenCalledOnce();
  socket.emit('pong');
  await look(4);
  expect(socket.ping).toHaveBeenCalledTimes(2);
  await look(1);
  expect(socket.terminate).toHaveBeenCalledOnce();
});

it('asks nobody who is gone, and nobody once it is disposed', async () => {
  const clock = new ManualClock();
  const { socket, keepAlive } = watch(clock);
  const other = watch(clock);
  keepAlive.forget(socket as unknown as WebSocket);
  other.keepAlive[Symbol.dispose]();
  await clock.advance(LOOK_MS);
  expect(socket.ping).not.toHaveBeenCalled();
  expect(other.socket.ping).not.toHaveBeenCalled();
});
