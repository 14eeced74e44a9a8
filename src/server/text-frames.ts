import type { Duplex } from 'node:stream';
import type { ExecutionResult } from 'graphql';
import type { WebSocket } from 'ws';

/** The first byte of a whole text message, as a character of Latin-1. */
const WHOLE_TEXT = '\x81';
const SHORT = 126;
const LONG = 65_536;

/** A result as it stands in a message, behind what names the operation. */
interface Payload {
  readonly text: string;
  /** Then a character is a byte. */
  readonly isAscii: boolean;
}

/** Results that many subscribers get are written out once. */
const payloads = new WeakMap<ExecutionResult, Payload>();

function payloadOf(result: ExecutionResult): Payload {
  const known = payloads.get(result);
  if (known) return known;
  const text = `${JSON.stringify(result)}}`;
  const made = { text, isAscii: isAscii(text) };
  payloads.set(result, made);
  return made;
}

/**
 * Sends the results of one operation. One text in Latin-1, frame head and all, goes to the socket in one call, where `ws` would
 * make two buffers; whole frames may come between its own, as it does not compress.
 */
export function resultSender(socket: WebSocket, stream: Duplex, id: string): (result: ExecutionResult) => void {
  const before = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  const isPlain = isAscii(before);
  return (result) => {
    const { text, isAscii: fits } = payloadOf(result);
    const length = before.length + text.length;
    if (!isPlain || !fits || length >= LONG) socket.send(before + text);
    else stream.write(headOf(length) + before + text, 'latin1');
  };
}

const headOf = (length: number): string =>
  length < SHORT
    ? WHOLE_TEXT + String.fromCharCode(length)
    : WHOLE_TEXT + String.fromCharCode(SHORT, length >> 8, length & 255);

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
