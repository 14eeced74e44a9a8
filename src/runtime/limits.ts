/**
 * What one client may ask for, with the defaults, in the words of the configuration file. Each refusal names its rule by the same
 * word, and is counted by it.
 */
export const LIMITS = {
  /** Of a document; comments and commas are none. */
  tokens: 1_000,
  /** Fields within fields. */
  depth: 7,
  /** Fields under another name. Fragments count where they are spread, here and below. */
  aliases: 15,
  /** Fields of Query, Mutation or Subscription in one operation. */
  root_fields: 20,
  directives: 20,
  /** Fields and fragments of one operation. */
  selections: 1_000,
  /** Fields of one name side by side. */
  repeats: 20,
  /** Values an operation may have worked out, by its arguments; a quarter of a microsecond each. */
  cost: 200_000,
  /** Values in one list of an argument. */
  list_length: 500,
  /** From `from` to `to`, where the work grows with the time between. */
  time_span_days: 1_830,
  /** Of a request over HTTP. */
  body_bytes: 262_144,
  /** Of a message over WebSocket. */
  message_bytes: 65_536,
  /** At a time. */
  operations_per_socket: 100,
  /** Of one token or subject of a JWT, or one address without, at a time: over all WebSockets, and event streams. */
  operations_per_principal: 500,
  /** Of all, at a time. */
  operations: 50_000,
  /** Operations begun on one socket; as many as in five seconds at once. */
  subscribes_per_second: 20,
  /** In which a WebSocket has to introduce itself. */
  init_seconds: 3,
  /** What is sent to a socket and not read: then a subscription waits, and whoever asks on is cut at sixteen times as much. */
  unread_bytes: 1_048_576,
  /** TCP connections: requests, event streams and WebSockets. */
  connections: 20_000,
  /** The same of one address that is not this machine's, or of one network of IPv6 (/64). */
  connections_per_address: 1_000,
} as const;

export type Rule = keyof typeof LIMITS;
export type Limits = Readonly<Record<Rule, number>>;
