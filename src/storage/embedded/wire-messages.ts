/** What a client may send first instead of a startup message. */
export const SSL_REQUEST = 80_877_103;
export const GSS_REQUEST = 80_877_104;
export const CANCEL_REQUEST = 80_877_102;
const LONGEST_COPY_STATEMENT = 4_096;

/** One message of the Postgres wire protocol; type is '' for the untyped first message of a connection. */
export interface WireMessage {
  readonly type: string;
  readonly bytes: Buffer;
}

/** Cuts the bytes of one client into messages, however the socket split them. */
export class MessageReader {
  #buffer: Buffer = Buffer.alloc(0);
  #started = false;

  /** From now on messages carry a type. */
  started(): void {
    this.#started = true;
  }

  push(bytes: Buffer): void {
    this.#buffer = this.#buffer.length === 0 ? bytes : Buffer.concat([this.#buffer, bytes]);
  }

  /** Null until a whole message is there. */
  next(): WireMessage | null {
    const head = this.#started ? 1 : 0;
    if (this.#buffer.length < head + 4) return null;
    const end = head + this.#buffer.readInt32BE(head);
    if (this.#buffer.length < end) return null;
    const bytes = this.#buffer.subarray(0, end);
    this.#buffer = this.#buffer.subarray(end);
    return { type: this.#started ? String.fromCharCode(bytes[0] ?? 0) : '', bytes };
  }
}

export const message = (type: string, body: Uint8Array): Buffer => {
  const head = Buffer.alloc(type.length + 4);
  head.write(type, 'latin1');
  head.writeInt32BE(body.length + 4, type.length);
  return Buffer.concat([head, body]);
};

export const text = (value: string): Buffer => Buffer.from(`${value}\0`);

export const SYNC: Buffer = message('S', Buffer.alloc(0));
/** Text, and as many columns as come: nobody who sends text needs to know. */
export const COPY_IN: Buffer = message('G', Buffer.from([0, 0, 0]));

/** Whether the server waits for rows after this statement. */
export const asksForRows = ({ type, bytes }: WireMessage): boolean =>
  type === 'Q' &&
  /^\s*copy\s.*\sfrom\s+stdin\b/is.test(bytes.toString('utf8', 5, Math.min(bytes.length, LONGEST_COPY_STATEMENT)));

/** PGlite answers a copy when it has all of it, and we have asked for the rows already: without its own asking. */
export const withoutCopyIn = (answer: Buffer): Buffer =>
  answer[0] === COPY_IN[0] ? answer.subarray(1 + answer.readInt32BE(1)) : answer;

/**
 * All connections share one session, so the name of a prepared statement gets the connection's prefix.
 * Unnamed statements keep their name: none outlives its group.
 */
export function withOwnStatements({ type, bytes }: WireMessage, prefix: string, names: Set<string>): Buffer {
  const body = bytes.subarray(5);
  // Bind names the portal first; Describe and Close say with one letter that they mean a statement.
  const at = type === 'P' ? 0 : type === 'B' ? body.indexOf(0) + 1 : body[0] === 0x53 ? 1 : -1;
  if (!'PBDC'.includes(type) || at < 0 || body[at] === 0) return bytes;
  const end = body.indexOf(0, at);
  const name = prefix + body.toString('utf8', at, end);
  if (type === 'P') names.add(name);
  if (type === 'C') names.delete(name);
  return message(type, Buffer.concat([body.subarray(0, at), Buffer.from(name), body.subarray(end)]));
}

export const closeStatement = (name: string): Buffer => message('C', Buffer.concat([Buffer.from('S'), text(name)]));
