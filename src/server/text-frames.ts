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

/** Results that many subscribers get are written out once. A symbol, so that no answer shows it. */
const PAYLOAD = Symbol('a result as text');

function payloadOf(result: ExecutionResult & { [PAYLOAD]?: Payload }): Payload {
  const known = result[PAYLOAD];
  if (known) return known;
  const text = `${JSON.stringify(result)}}`;
  const made = { text, isAscii: isAscii(text) };
  result[PAYLOAD] = made;
  return made;
}

/** What stands before the results of an operation. */
export interface Heading {
  readonly text: string;
  readonly isAscii: boolean;
}

export function headingOf(id: string): Heading {
  const text = `{"id":${JSON.stringify(id)},"type":"next","payload":`;
  return { text, isAscii: isAscii(text) };
}

/**
 * Sends a result of an operation. One text in Latin-1, frame head and all, goes to the socket in one call, where `ws` would make
 * two buffers; whole frames may come between its own, as it does not compress.
 */
export function sendResult(socket: WebSocket, stream: Duplex, heading: Heading, result: ExecutionResult): void {
  const { text, isAscii: fits } = payloadOf(result);
  const length = heading.text.length + text.length;
  if (!heading.isAscii || !fits || length >= LONG) socket.send(heading.text + text);
  else stream.write(headOf(length) + heading.text + text, 'latin1');
}

const headOf = (length: number): string =>
  length < SHORT
    ? WHOLE_TEXT + String.fromCharCode(length)
    : WHOLE_TEXT + String.fromCharCode(SHORT, length >> 8, length & 255);

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
