/** One data frame on its way to subscribers, and what faults and reports need to know about it. */
export interface OutFrame {
  readonly text: string;
  /** The exchange's word for the kind of data, e.g. "trades-all", "aggTrade". */
  readonly channel: string;
  /** Null for an account's data. */
  readonly nativeSymbol: string | null;
  /** Places on the tape of the trades inside; null where there are none. */
  readonly trades: { readonly first: number; readonly last: number } | null;
}

/** The bytes of one unmasked WebSocket frame, for faults that must place single bytes. */
export function encodeFrame(opcode: 'text' | 'pong', payload: Buffer): Buffer {
  const head = opcode === 'text' ? 0x81 : 0x8a;
  if (payload.length < 126) return Buffer.concat([Buffer.from([head, payload.length]), payload]);
  if (payload.length < 0x1_0000)
    return Buffer.concat([Buffer.from([head, 126, payload.length >>> 8, payload.length & 0xff]), payload]);
  const header = Buffer.alloc(10);
  header.writeUInt8(head, 0);
  header.writeUInt8(127, 1);
  header.writeBigUInt64BE(BigInt(payload.length), 2);
  return Buffer.concat([header, payload]);
}
