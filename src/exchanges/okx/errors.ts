import type { Frame, Reaction } from '../adapter.ts';
import { parseObject } from '../json.ts';
import { keyOf } from './channels.ts';

const codes = (reaction: Reaction, ...list: readonly number[]): [string, Reaction][] =>
  list.map((code) => [String(code), reaction]);

/**
 * What each documented code asks of us, over WebSocket (6xxxx) and REST (5xxxx).
 * Source: https://www.okx.com/docs-v5/en/#error-code
 */
const REACTIONS: ReadonlyMap<string, Reaction> = new Map([
  // Wrong request, parameter, channel or URL: repeating it unchanged is useless.
  ...codes('drop-channel', 60012, 60013, 60017, 60018, 60019, 60027, 60028, 64000, 64001, 64002, 64004, 51000, 51001),
  // Needs a fee tier this account does not have.
  ...codes('drop-channel', 60029, 60030, 64003),
  ...codes(
    'stop-login',
    60001,
    60002,
    60003,
    60004,
    60005,
    60007,
    60008,
    60009,
    60024,
    60032,
    50105,
    50111,
    50113,
    50119,
  ),
  // Clock skew, not logged in yet, too many logins, internal.
  ...codes('retry-login', 60006, 60011, 60023, 63999, 50102),
  ...codes('retry', 60014, 64007, 50001, 50004, 50005, 50011, 50013, 50026),
  // Closed after 30 s of silence, send buffer full.
  ...codes('reconnect', 60015, 60016),
]);

/** An unknown code is repeated with back-off: dropping a good channel would lose data for ever. */
export const reactionTo = (code: string): Reaction => REACTIONS.get(code) ?? 'retry';

export function readError(frame: Readonly<Record<string, unknown>>): Frame {
  const code = String(frame.code ?? '').slice(0, 16);
  const message = typeof frame.msg === 'string' ? frame.msg : '';
  if (code === '64008') return { kind: 'closing-soon', reason: 'service upgrade' };
  const echo = requestRepeatedIn(message);
  return {
    kind: 'error',
    reaction: reactionTo(code),
    code,
    message: withoutSecrets(message),
    request: requestOf(frame) ?? requestOf(echo),
    channels: channelsNamed(frame.arg, message, echo.args),
  };
}

export const requestOf = ({ id }: Readonly<Record<string, unknown>>): string | null =>
  typeof id === 'string' && id !== '' ? id : null;

/** The key of an `arg`, or null when it is none. */
export function keyOfArg(arg: unknown): string | null {
  if (typeof arg !== 'object' || arg === null) return null;
  const { channel, instId } = arg as { readonly channel?: unknown; readonly instId?: unknown };
  if (typeof channel !== 'string' || channel === '') return null;
  return keyOf(typeof instId === 'string' && instId !== '' ? { channel, instId } : { channel });
}

/**
 * An error names its channel by `arg`, in words, or by repeating the request. A repeated request for several channels
 * names none of them: one is bad, and OKX does not say which.
 */
function channelsNamed(arg: unknown, message: string, repeated: unknown): readonly string[] {
  const key = keyOfArg(arg);
  if (key !== null) return [key];
  const [, channel, instId] = /channel:\s*([\w-]{1,40})(?:\s*,\s*instId:\s*([\w-]{1,60}))?/.exec(message) ?? [];
  if (channel !== undefined) return [keyOf(instId === undefined ? { channel } : { channel, instId })];
  const only = Array.isArray(repeated) && repeated.length === 1 ? keyOfArg(repeated[0]) : null;
  return only === null ? [] : [only];
}

/** "Invalid request: {...}"; often cut short, and then nothing can be read from it surely. */
function requestRepeatedIn(message: string): Readonly<Record<string, unknown>> {
  try {
    return parseObject(message.slice(message.indexOf('{')));
  } catch {
    return {};
  }
}

/** OKX repeats a refused request in its message, and a login request holds the key and passphrase. */
const withoutSecrets = (message: string): string =>
  /apiKey|passphrase|"sign/i.test(message) ? 'Invalid login request (not shown).' : message.slice(0, 300);
