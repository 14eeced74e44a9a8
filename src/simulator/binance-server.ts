import type { ConnectionConfig } from '../exchanges/adapter.ts';
import { binance } from '../exchanges/binance/adapter.ts';
import type { Clock } from '../runtime/clock.ts';
import { BinanceRest } from './binance-rest.ts';
import { openStream } from './binance-streams.ts';
import type { Client } from './client.ts';
import type { Dialect } from './dialect.ts';
import type { Fault } from './fault.ts';
import type { Faults } from './faults.ts';
import { Feed, silentSource } from './feed.ts';
import type { Market } from './market.ts';
import type { Replay } from './replay.ts';

export interface BinanceSetup {
  readonly markets: ReadonlyMap<string, Market>;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly enforceLimits: boolean;
  readonly historyMs: number;
  /** The server pings this often, and closes a socket without a pong for `pongTimeoutMs`. */
  readonly pingMs: number;
  readonly pongTimeoutMs: number;
  /** A socket is closed at this age, announced by serverShutdown. */
  readonly connectionLifeMs: number;
  /** Serves a recording instead of the tape. */
  readonly replay?: Replay;
}

interface Session {
  combined: boolean;
  /** Also those that never send anything: wrong names are not reported. */
  readonly streams: Set<string>;
  readonly heard: number[];
  pingedAt: number;
  announced: boolean;
}

type Request = Readonly<Record<string, unknown>>;

const METHODS = ['SUBSCRIBE', 'UNSUBSCRIBE', 'LIST_SUBSCRIPTIONS', 'SET_PROPERTY', 'GET_PROPERTY'];
const MAX_STREAMS = 1024;
const MESSAGES_PER_SECOND = 5;
/** Longer requests get no answer at all from the real server. */
const MAX_REQUEST = 4096;
const NOTICE_MS = 30_000;

/** The Binance spot protocol on the tape: https://developers.binance.com/docs/binance-spot-api-docs/web-socket-streams */
export class BinanceDialect implements Dialect {
  readonly feed: Feed;
  readonly connectLimit = { count: 300, perMs: 300_000 };
  readonly historyMs: number;
  readonly rest: Dialect['rest'];
  readonly tooFast: Dialect['tooFast'];
  readonly #setup: BinanceSetup;
  readonly #sessions = new WeakMap<Client, Session>();

  constructor(setup: BinanceSetup) {
    this.#setup = setup;
    this.historyMs = setup.historyMs;
    this.feed = new Feed(setup.markets, (topic, frame, client) => this.#worded(client, topic, frame.text));
    const rest = new BinanceRest(setup);
    this.rest = (call) => setup.replay?.rest(call) ?? rest.answer(call);
    this.tooFast = (status, retryAfterS) => ({
      status,
      body: '{"code":-1003,"msg":"Too much request weight used; current limit is 6000 request weight per 1 MINUTE."}',
      headers: { 'retry-after': String(retryAfterS) },
    });
  }

  connection(authority: string): ConnectionConfig {
    const streams = `ws://${authority}/stream`;
    return {
      ...binance.connection,
      public_ws_url: streams,
      business_ws_url: streams,
      private_ws_url: streams,
      rest_url: `http://${authority}`,
    };
  }

  endpointOf(path: string): string | null {
    return path === '/ws' || path.startsWith('/ws/') || path === '/stream' ? 'market' : null;
  }

  connected(client: Client, url: URL): void {
    const session = this.#session(client);
    session.combined = url.pathname === '/stream';
    const named = session.combined ? url.searchParams.get('streams') : url.pathname.slice('/ws/'.length);
    for (const stream of (named ?? '').split('/').filter((name) => name !== '')) this.#join(client, stream);
  }

  heard(client: Client): void {
    const { heard } = this.#session(client);
    const now = this.#setup.clock.monotonic();
    while (heard[0] !== undefined && now - heard[0] >= 1000) heard.shift();
    heard.push(now);
    if (this.#setup.enforceLimits && heard.length > MESSAGES_PER_SECOND) client.close(1008, 'Too many requests');
    if (heard.length > MAX_STREAMS) heard.shift();
  }

  tend(client: Client, monotonic: number): void {
    const session = this.#session(client);
    const { pingMs, pongTimeoutMs, connectionLifeMs, clock } = this.#setup;
    if (monotonic - session.pingedAt >= pingMs) {
      session.pingedAt = monotonic;
      client.ping(String(clock.now()));
    }
    if (monotonic - client.lastPong > Math.max(pongTimeoutMs, pingMs)) client.close(1008, 'Pong timeout');
    const age = monotonic - client.openedAt;
    if (age >= connectionLifeMs) client.close(1001, 'connection life');
    else if (!session.announced && age >= connectionLifeMs - Math.min(NOTICE_MS, connectionLifeMs / 2))
      this.announceEnd(client, clock.now());
  }

  announceEnd(client: Client, now: number): void {
    this.#session(client).announced = true;
    client.send(this.#worded(client, '!serverShutdown', `{"e":"serverShutdown","E":${now}}`));
  }

  sendError(client: Client, fault: Fault): void {
    client.send(JSON.stringify({ code: Number(fault.code), msg: fault.message ?? 'Simulated error' }));
  }

  received(client: Client, text: string): void {
    client.requests += 1;
    if (this.#setup.enforceLimits && text.length > MAX_REQUEST) return;
    let request: Request;
    try {
      const json: unknown = JSON.parse(text);
      if (typeof json !== 'object' || json === null || Array.isArray(json))
        return refuse(client, 2, 'Invalid request: expected an object');
      request = json as Request;
    } catch {
      return refuse(client, 3, 'Invalid JSON: expected value at line 1 column 1');
    }
    const { id, method, params } = request;
    if (!(id === undefined || id === null || Number.isSafeInteger(id) || (typeof id === 'string' && id.length <= 36)))
      return refuse(client, 2, 'Invalid request: request ID must be an unsigned integer, a string or null');
    if (typeof method !== 'string' || !METHODS.includes(method))
      return refuse(
        client,
        2,
        `Invalid request: unknown variant ${String(method).slice(0, 80)}, expected one of ${METHODS.map((name) => `\`${name}\``).join(', ')}`,
      );
    const result = this.#perform(client, method, params);
    if (result !== undefined) client.send(JSON.stringify({ result, id: id ?? null }));
  }

  /** The result to answer; undefined when the refusal has been sent. */
  #perform(client: Client, method: string, params: unknown): unknown {
    const session = this.#session(client);
    if (method === 'LIST_SUBSCRIPTIONS') return [...session.streams];
    if (!Array.isArray(params)) return refuse(client, 2, 'Invalid request: missing field `params`');
    if (method === 'SET_PROPERTY' || method === 'GET_PROPERTY') return property(client, session, params);
    if (!params.every((name) => typeof name === 'string'))
      return refuse(client, 2, 'Invalid request: invalid type, expected a string');
    if (method === 'UNSUBSCRIBE') {
      for (const stream of params) this.#leave(client, stream);
      return null;
    }
    for (const stream of params) {
      const [symbol, channel] = split(stream);
      const forced = this.#setup.faults.strike('refuse-subscribe', { symbol, channel });
      if (forced !== null)
        return refuse(client, Number(forced.code ?? 2), forced.message ?? `Invalid request: ${stream}`);
    }
    if (new Set([...session.streams, ...params]).size > MAX_STREAMS)
      return refuse(client, 2, `Invalid request: at most ${MAX_STREAMS} streams on one connection`);
    for (const stream of params) this.#join(client, stream);
    return null;
  }

  /** A stream that does not exist is accepted and stays silent. */
  #join(client: Client, stream: string): void {
    const { markets, clock, replay } = this.#setup;
    this.#session(client).streams.add(stream);
    const [symbol, channel] = split(stream);
    if (replay?.knows(symbol) === true) this.feed.join(stream, client, () => silentSource);
    const market = markets.get(symbol);
    const live = market === undefined ? null : openStream(market, clock.now(), channel);
    if (live !== null) this.feed.join(stream, client, () => live);
  }

  #leave(client: Client, stream: string): void {
    this.#session(client).streams.delete(stream);
    this.feed.leave(stream, client);
  }

  #worded(client: Client, stream: string, text: string): string {
    return this.#session(client).combined ? `{"stream":"${stream}","data":${text}}` : text;
  }

  #session(client: Client): Session {
    const found = this.#sessions.get(client) ?? {
      combined: false,
      streams: new Set(),
      heard: [],
      pingedAt: client.openedAt,
      announced: false,
    };
    this.#sessions.set(client, found);
    return found;
  }
}

/** `btcusdt@depth@100ms` is channel `depth@100ms` of BTCUSDT. The symbol must be lower-case; other cases name nothing. */
function split(stream: string): readonly [symbol: string, channel: string] {
  const at = stream.indexOf('@');
  if (at < 0) return ['', stream];
  const symbol = stream.slice(0, at);
  return [symbol === symbol.toLowerCase() ? symbol.toUpperCase() : '', stream.slice(at + 1)];
}

function property(client: Client, session: Session, params: readonly unknown[]): unknown {
  if (params[0] !== 'combined') return refuse(client, 0, 'Unknown property');
  if (params.length === 1) return session.combined;
  if (typeof params[1] !== 'boolean') return refuse(client, 1, 'Invalid value type: expected Boolean');
  session.combined = params[1];
  return null;
}

function refuse(client: Client, code: number, msg: string): undefined {
  client.send(JSON.stringify({ code, msg }));
}
