import { AppError } from '../runtime/errors.ts';

/** One switch of the simulator; which fields a kind knows, and what it does with them, is the table FAULTS. */
export interface Fault {
  readonly kind: FaultKind;
  /** Canonical or native; absent: every instrument. */
  readonly symbol?: string;
  /** The exchange's word, e.g. "trades-all", "aggTrade"; absent: every channel. */
  readonly channel?: string;
  /** "public", "business", "private" (OKX) or "market" (Binance); absent: every socket. */
  readonly endpoint?: string;
  /** Start of a REST path; absent: every path. */
  readonly path?: string;
  /** How often it strikes before it ends by itself. */
  readonly count?: number;
  /** How long it lasts. With neither this nor `count` it lasts until cleared. */
  readonly durationMs?: number;
  readonly how?: 'rst' | 'fin' | 'mid-frame';
  readonly everyMs?: number;
  readonly trades?: number;
  readonly times?: number;
  readonly window?: number;
  readonly delayMs?: number;
  readonly bytes?: number;
  readonly text?: string;
  readonly status?: number;
  readonly retryAfterS?: number;
  readonly horizonMs?: number;
  readonly closeAfterMs?: number;
  readonly code?: string;
  readonly message?: string;
}

type Field = Exclude<keyof Fault, 'kind'>;

interface FaultRow {
  readonly fields: readonly Field[];
  readonly needs?: readonly Field[];
  /** Strikes once when it is set, unless `count` says more often. */
  readonly atOnce?: true;
  readonly does: string;
}

const FRAMES = ['symbol', 'channel', 'count', 'durationMs'] as const;
const REST = ['path', 'count', 'durationMs'] as const;

/** Every fault; docs/simulator.md shows the same rows and a test compares them. */
export const FAULTS = {
  cut: {
    fields: ['endpoint', 'how', 'count', 'everyMs'],
    atOnce: true,
    does: 'Closes the open sockets: `rst` (default), `fin`, or `mid-frame`; `count` times, `everyMs` (1000) apart.',
  },
  'half-open': {
    fields: ['endpoint', 'durationMs'],
    does: 'The open sockets neither read nor send any more, and stay open; when it ends they are reset. New sockets work.',
  },
  mute: { fields: FRAMES, does: 'No data frames; pings, logins and subscriptions are answered.' },
  gap: {
    fields: ['symbol', 'trades'],
    needs: ['symbol', 'trades'],
    does: 'The next `trades` trades of the instrument are not sent on any socket; REST has them.',
  },
  garbage: {
    fields: [...FRAMES, 'text'],
    does: 'Puts a frame that is not what the documentation promises before each data frame; `text` sets it.',
  },
  truncated: {
    fields: FRAMES,
    does: 'Data frames are sent without their second half: the trades in them are lost on the socket, REST has them.',
  },
  oversize: { fields: [...FRAMES, 'bytes'], does: 'Puts a frame of `bytes` (4194304) before each data frame.' },
  duplicate: { fields: [...FRAMES, 'times'], does: 'Data frames are sent `times` (2) times.' },
  reorder: {
    fields: [...FRAMES, 'window'],
    does: 'Data frames are collected by `window` (10) and sent in another order.',
  },
  slow: {
    fields: ['endpoint', 'durationMs', 'delayMs', 'bytes', 'everyMs'],
    does: 'Everything is sent `delayMs` late, or `bytes` bytes every `everyMs` (100).',
  },
  refuse: {
    fields: ['endpoint', 'count', 'durationMs', 'status'],
    does: 'New sockets are answered with HTTP `status` (503); 0 resets the connection.',
  },
  'refuse-subscribe': {
    fields: [...FRAMES, 'code', 'message'],
    does: 'OKX: subscriptions are answered with an error frame of `code` (60018). Binance: with code 2.',
  },
  'refuse-login': {
    fields: ['count', 'durationMs', 'code', 'message'],
    does: 'OKX: logins are answered with an error frame of `code` (60009).',
  },
  'error-frame': {
    fields: ['endpoint', 'symbol', 'channel', 'code', 'message'],
    needs: ['code'],
    atOnce: true,
    does: 'Sends an error frame of any code; with `channel` and `symbol` it names them.',
  },
  notice: {
    fields: ['endpoint', 'closeAfterMs'],
    atOnce: true,
    does: 'Announces the end of the open sockets (OKX notice 64008, Binance serverShutdown) and closes them `closeAfterMs` (30000) later.',
  },
  'rest-down': { fields: [...REST, 'status'], does: 'REST answers HTTP `status` (503); 0 resets the connection.' },
  'rest-limit': {
    fields: [...REST, 'status', 'retryAfterS'],
    does: 'REST answers HTTP `status` (429, or 418 on Binance) with Retry-After `retryAfterS` (1).',
  },
  'rest-slow': { fields: [...REST, 'delayMs'], needs: ['delayMs'], does: 'REST answers `delayMs` late.' },
  'rest-garbage': { fields: [...REST, 'text'], does: 'REST answers 200 with a body that is not JSON; `text` sets it.' },
  'rest-horizon': {
    fields: ['durationMs', 'horizonMs'],
    needs: ['horizonMs'],
    does: 'REST knows only trades of the last `horizonMs`.',
  },
} as const satisfies Record<string, FaultRow>;

export type FaultKind = keyof typeof FAULTS;

const TEXTS: readonly Field[] = ['symbol', 'channel', 'endpoint', 'path', 'how', 'text', 'code', 'message'];
const HOW = ['rst', 'fin', 'mid-frame'];
const LIMITS: Readonly<Partial<Record<Field, number>>> = {
  bytes: 64 * 1024 * 1024,
  times: 100,
  window: 10_000,
  status: 599,
};

export const isFaultKind = (kind: unknown): kind is FaultKind =>
  typeof kind === 'string' && Object.hasOwn(FAULTS, kind);

/** @throws {AppError} BAD_USER_INPUT naming the field, the rule and what was there. */
export function readFault(json: unknown): Fault {
  if (typeof json !== 'object' || json === null || Array.isArray(json))
    throw invalid('a fault is a JSON object such as {"kind":"mute"}');
  const { kind, ...rest } = json as Record<string, unknown>;
  if (!isFaultKind(kind))
    throw invalid(`kind should be one of ${Object.keys(FAULTS).join(', ')}; was ${JSON.stringify(kind)?.slice(0, 80)}`);
  const row: FaultRow = FAULTS[kind];
  for (const [name, value] of Object.entries(rest)) {
    if (!row.fields.includes(name as Field))
      throw invalid(`${kind} has no "${name.slice(0, 80)}"; it knows ${row.fields.join(', ')}`);
    const field = name as Field;
    if (TEXTS.includes(field) ? typeof value !== 'string' : !isCount(value, LIMITS[field]))
      throw invalid(
        `${field} of ${kind} should be ${TEXTS.includes(field) ? 'a text' : `an integer of 0 to ${LIMITS[field] ?? 'any size'}`}`,
      );
  }
  if (rest.how !== undefined && !HOW.includes(String(rest.how)))
    throw invalid(`how should be one of ${HOW.join(', ')}`);
  for (const field of row.needs ?? []) if (rest[field] === undefined) throw invalid(`${kind} needs "${field}"`);
  return json as Fault;
}

const isCount = (value: unknown, most = Number.MAX_SAFE_INTEGER): boolean =>
  Number.isSafeInteger(value) && Number(value) >= 0 && Number(value) <= most;

const invalid = (message: string) => new AppError('BAD_USER_INPUT', `fault: ${message}`);
