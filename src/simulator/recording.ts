import { readFile } from 'node:fs/promises';
import { gunzipSync } from 'node:zlib';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { SimulatedExchange } from './instrument.ts';
import type { OutFrame } from './out-frame.ts';

/** An inbound frame of a recorded session. */
export interface RecordedFrame extends OutFrame {
  /** As the feed names it: "trades:BTC-USDT" on OKX, "btcusdt@trade" on Binance. */
  readonly topic: string;
  /** Ms since epoch by the recorder's clock; 0 where the file has none. */
  readonly time: number;
}

export interface RecordedAnswer {
  readonly path: string;
  readonly query: URLSearchParams;
  readonly body: string;
}

/** What the files hold, frames in their recorded order. */
export interface Recording {
  readonly frames: readonly RecordedFrame[];
  readonly answers: readonly RecordedAnswer[];
  /** Native symbols that occur in frames or answers. */
  readonly symbols: ReadonlySet<string>;
}

const MAX_UNPACKED = 512 * 1024 * 1024;

/**
 * Reads JSONL files, plain or .gz, one after the other. A line is a session wrapper {ts, dir, conn, raw}, a REST wrapper
 * {url, ts, body}, or an inbound frame as it is. What the client sent, acks and bare texts are left out.
 * @throws {AppError} BAD_USER_INPUT naming the file and line that cannot be read, or that holds nothing of `exchange`.
 */
export async function readRecording(exchange: SimulatedExchange, files: readonly string[]): Promise<Recording> {
  const frames: RecordedFrame[] = [];
  const answers: RecordedAnswer[] = [];
  for (const file of files) {
    const before = frames.length + answers.length;
    const lines = (await textOf(file)).split('\n');
    for (const [i, line] of lines.entries()) {
      if (line.trim() === '' || line === 'ping' || line === 'pong') continue;
      const wrapped = parsed(line, () => `${file}:${i + 1}`);
      const answer = readAnswer(wrapped);
      if (answer !== null) answers.push(answer);
      else if (wrapped.dir !== 'out') {
        const raw = typeof wrapped.raw === 'string' ? wrapped.raw : line;
        const time = typeof wrapped.ts === 'number' ? Math.round(wrapped.ts * 1000) : 0;
        const frame = readFrame(exchange, raw, time);
        if (frame !== null) frames.push(frame);
      }
    }
    if (frames.length + answers.length === before)
      throw new AppError('BAD_USER_INPUT', `${file} holds no data frames or REST answers of ${exchange}`);
  }
  const asked = answers.flatMap(({ query }) => [query.get('symbol'), query.get('instId')]);
  const symbols = new Set(
    [...frames.map(({ nativeSymbol }) => nativeSymbol), ...asked].filter((symbol) => symbol !== null),
  );
  return { frames, answers, symbols };
}

async function textOf(file: string): Promise<string> {
  try {
    const bytes = await readFile(file);
    return (file.endsWith('.gz') ? gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }) : bytes).toString();
  } catch (cause) {
    throw new AppError('BAD_USER_INPUT', `The recording ${file} cannot be read: ${messageOf(cause)}`, { cause });
  }
}

type Json = Readonly<Record<string, unknown>>;

const isObject = (json: unknown): json is Json => typeof json === 'object' && json !== null && !Array.isArray(json);

function parsed(line: string, where: () => string): Json {
  let json: unknown;
  try {
    json = JSON.parse(line);
  } catch (cause) {
    throw new AppError('BAD_USER_INPUT', `${where()} is not JSON: ${messageOf(cause)}`, { cause });
  }
  if (isObject(json)) return json;
  throw new AppError('BAD_USER_INPUT', `${where()} should be a JSON object`);
}

function readAnswer({ url, body }: Json): RecordedAnswer | null {
  if (typeof url !== 'string' || typeof body !== 'string') return null;
  const { pathname, searchParams } = new URL(url, 'http://recorded');
  return { path: pathname, query: searchParams, body };
}

/** Null for frames that are not data. The text stays exactly as recorded. */
function readFrame(exchange: SimulatedExchange, raw: string, time: number): RecordedFrame | null {
  let json: unknown;
  try {
    json = JSON.parse(raw);
  } catch {
    return null; // a bare ping or pong
  }
  if (!isObject(json)) return null;
  if (exchange === 'binance') return readBinance(json, raw, time);
  if (!isObject(json.arg) || json.event !== undefined || typeof json.arg.channel !== 'string') return null;
  const channel = json.arg.channel;
  const nativeSymbol = typeof json.arg.instId === 'string' ? json.arg.instId : null;
  return { topic: `${channel}:${nativeSymbol ?? ''}`, time, text: raw, channel, nativeSymbol, trades: null };
}

function readBinance({ stream, data }: Json, raw: string, time: number): RecordedFrame | null {
  if (typeof stream !== 'string' || !isObject(data) || !stream.includes('@')) return null;
  const at = stream.indexOf('@');
  const text = raw.slice(raw.indexOf('{', raw.indexOf('"data"')), raw.lastIndexOf('}'));
  return {
    topic: stream,
    time,
    text,
    channel: stream.slice(at + 1),
    nativeSymbol: stream.slice(0, at).toUpperCase(),
    trades: null,
  };
}
