import type { ConnectionConfig, Credentials } from '../exchanges/adapter.ts';
import { okx } from '../exchanges/okx/adapter.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Client } from './client.ts';
import type { Dialect } from './dialect.ts';
import type { Fault } from './fault.ts';
import type { Faults } from './faults.ts';
import { Feed, type Source, silentSource } from './feed.ts';
import type { Market } from './market.ts';
import { account, refuseLogin } from './okx-account.ts';
import { okxChannel } from './okx-channels.ts';
import { OkxRest } from './okx-rest.ts';
import type { Replay } from './replay.ts';

export interface OkxSetup {
  readonly markets: ReadonlyMap<string, Market>;
  readonly faults: Faults;
  readonly clock: Clock;
  readonly seed: string;
  readonly credentials: Credentials;
  readonly enforceLimits: boolean;
  readonly historyMs: number;
  /** A socket on which nothing moved for so long is closed. */
  readonly idleMs: number;
  readonly accountEveryMs: number;
  /** Serves a recording instead of the tape. */
  readonly replay?: Replay;
}

type Arg = Readonly<Record<string, unknown>>;

const ENDPOINTS: Readonly<Record<string, string>> = {
  '/ws/v5/public': 'public',
  '/ws/v5/business': 'business',
  '/ws/v5/private': 'private',
};
const ARGS_LIMIT = 64 * 1024;
const OPS_PER_HOUR = 480;
const HOUR = 3_600_000;

interface Session {
  loggedIn: boolean;
  ops: number[];
}

/** The OKX v5 protocol on the tape: https://www.okx.com/docs-v5/en/#overview-websocket */
export class OkxDialect implements Dialect {
  readonly feed: Feed;
  readonly connectLimit = { count: 3, perMs: 1000 };
  readonly historyMs: number;
  readonly rest: Dialect['rest'];
  readonly tooFast: Dialect['tooFast'];
  readonly #setup: OkxSetup;
  readonly #sessions = new WeakMap<Client, Session>();

  constructor(setup: OkxSetup) {
    this.#setup = setup;
    this.historyMs = setup.historyMs;
    this.feed = new Feed(setup.markets, (_topic, frame) => frame.text);
    const rest = new OkxRest(setup);
    this.rest = (call) => setup.replay?.rest(call) ?? rest.answer(call);
    this.tooFast = (status, retryAfterS) => ({
      status,
      body: '{"code":"50011","msg":"Too Many Requests","data":[]}',
      headers: { 'retry-after': String(retryAfterS) },
    });
  }

  connection(authority: string): ConnectionConfig {
    return {
      ...okx.connection,
      public_ws_url: `ws://${authority}/ws/v5/public`,
      business_ws_url: `ws://${authority}/ws/v5/business`,
      private_ws_url: `ws://${authority}/ws/v5/private`,
      rest_url: `http://${authority}`,
    };
  }

  endpointOf(path: string): string | null {
    return ENDPOINTS[path] ?? (path.startsWith('/ws/v5/') ? 'unknown' : null);
  }

  connected(client: Client): void {
    this.#sessions.set(client, { loggedIn: false, ops: [] });
    if (client.endpoint !== 'unknown') return;
    this.#error(client, '60017', 'Invalid url path', undefined);
    client.close(1000, 'Invalid url path');
  }

  tend(client: Client, monotonic: number): void {
    if (monotonic - client.lastActive > this.#setup.idleMs) client.close(4004, 'No data received in 30s.');
  }

  announceEnd(client: Client): void {
    client.send(
      `{"event":"notice","code":"64008","msg":"The connection will soon be closed for a service upgrade. Please reconnect.","connId":"${client.connId}"}`,
    );
  }

  sendError(client: Client, fault: Fault): void {
    const named = fault.channel === undefined ? {} : { arg: { channel: fault.channel, instId: fault.symbol } };
    client.send(
      JSON.stringify({
        event: 'error',
        code: fault.code,
        msg: fault.message ?? 'Simulated error',
        ...named,
        connId: client.connId,
      }),
    );
  }

  received(client: Client, text: string): void {
    if (text === 'ping') return client.send('pong');
    const request = parseObject(text);
    const id = typeof request?.id === 'string' ? request.id : undefined;
    const args = request?.args;
    if (
      request === null ||
      !Array.isArray(args) ||
      args.length === 0 ||
      (id !== undefined && !/^[A-Za-z0-9]{1,32}$/.test(id))
    )
      return this.#error(client, '60012', `Invalid request: ${text.slice(0, 500)}`, undefined);
    if (JSON.stringify(args).length > ARGS_LIMIT)
      return this.#error(client, '60012', 'Invalid request: the args are longer than 64 KB', id);
    if (this.#tooManyOps(client)) return this.#error(client, '60014', 'Requests too frequent', id);
    if (request.op === 'login') return this.#login(client, args[0]);
    if (request.op !== 'subscribe' && request.op !== 'unsubscribe')
      return this.#error(client, '60019', `Invalid op: ${String(request.op).slice(0, 80)}`, id);
    for (const arg of args) {
      if (typeof arg !== 'object' || arg === null) this.#error(client, '60013', 'Invalid args', id);
      else if (request.op === 'subscribe') this.#subscribe(client, arg as Arg, id);
      else this.#unsubscribe(client, arg as Arg, id);
    }
  }

  #login(client: Client, arg: unknown): void {
    const { faults, credentials, clock } = this.#setup;
    if (client.endpoint === 'public')
      return this.#error(client, '60008', 'Login is not supported by this URL', undefined);
    const forced = faults.strike('refuse-login', { endpoint: client.endpoint });
    const refusal =
      forced === null
        ? refuseLogin(arg, credentials, clock.now())
        : { code: forced.code ?? '60009', msg: forced.message ?? 'Login failed.' };
    if (refusal !== null) {
      this.#error(client, refusal.code, refusal.msg, undefined);
      return client.close(4001, 'Login failed');
    }
    this.#session(client).loggedIn = true;
    client.send(`{"event":"login","code":"0","msg":"","connId":"${client.connId}"}`);
  }

  #subscribe(client: Client, arg: Arg, id: string | undefined): void {
    const { faults } = this.#setup;
    const [name, symbol] = [String(arg.channel ?? ''), String(arg.instId ?? arg.ccy ?? '')];
    if (name === '') return this.#error(client, '60027', 'Parameter {channel} can not be empty.', id);
    const forced = faults.strike('refuse-subscribe', { symbol, channel: name });
    if (forced !== null) return this.#error(client, forced.code ?? '60018', forced.message ?? absent(name, symbol), id);
    const refusal = this.#misplaced(client, name);
    if (refusal !== null) return this.#error(client, refusal.code, refusal.msg, id);
    const open = this.#opening(name, symbol);
    if (open === null) return this.#error(client, '60018', absent(name, symbol), id);
    client.send(ack('subscribe', arg, client, id));
    this.feed.join(`${name}:${symbol}`, client, open);
  }

  #unsubscribe(client: Client, arg: Arg, id: string | undefined): void {
    const [name, symbol] = [String(arg.channel ?? ''), String(arg.instId ?? arg.ccy ?? '')];
    if (!this.feed.leave(`${name}:${symbol}`, client)) return this.#error(client, '60018', absent(name, symbol), id);
    client.send(ack('unsubscribe', arg, client, id));
  }

  #opening(name: string, symbol: string): (() => Source) | null {
    const { markets, seed, accountEveryMs, clock, replay } = this.#setup;
    if (name === 'account') return () => account(seed, accountEveryMs, clock.now(), symbol);
    if (replay !== undefined) return replay.knows(symbol) && okxChannel(name) !== null ? () => silentSource : null;
    const market = markets.get(symbol);
    const channel = okxChannel(name);
    return market === undefined || channel === null ? null : () => channel.open(market, clock.now(), name);
  }

  /** Why this channel cannot be had on this URL; null when it can. */
  #misplaced(client: Client, name: string): { code: string; msg: string } | null {
    const endpoint = name === 'account' ? 'private' : okxChannel(name)?.endpoint;
    if (endpoint === undefined) return null;
    if (endpoint === client.endpoint)
      return endpoint !== 'private' || this.#session(client).loggedIn ? null : { code: '60011', msg: 'Please log in' };
    if (endpoint === 'business')
      return {
        code: '64001',
        msg: "The channel has been migrated to the '/business' URL. Please subscribe using the new URL.",
      };
    if (client.endpoint === 'business')
      return {
        code: '64002',
        msg: "This channel is not supported by '/business' URL. Please use '/private' URL for private channels, or '/public' URL for public channels.",
      };
    return {
      code: '60028',
      msg: 'The current operation is not supported by this URL. Please use the correct WebSocket URL for the operation.',
    };
  }

  #tooManyOps(client: Client): boolean {
    const session = this.#session(client);
    const now = this.#setup.clock.monotonic();
    session.ops = session.ops.filter((at) => now - at < HOUR).slice(-OPS_PER_HOUR);
    const over = this.#setup.enforceLimits && session.ops.length >= OPS_PER_HOUR;
    session.ops.push(now);
    client.requests += 1;
    return over;
  }

  #session(client: Client): Session {
    const found = this.#sessions.get(client) ?? { loggedIn: false, ops: [] };
    this.#sessions.set(client, found);
    return found;
  }

  #error(client: Client, code: string, msg: string, id: string | undefined): void {
    client.send(
      JSON.stringify({ ...(id === undefined ? {} : { id }), event: 'error', code, msg, connId: client.connId }),
    );
  }
}

const ack = (event: 'subscribe' | 'unsubscribe', arg: Arg, client: Client, id: string | undefined): string =>
  JSON.stringify({ ...(id === undefined ? {} : { id }), event, arg, connId: client.connId });

const absent = (channel: string, symbol: string): string =>
  `Wrong URL or channel:${channel},instId:${symbol} doesn't exist. Please use the correct URL, channel and parameters referring to API document.`;

function parseObject(text: string): Readonly<Record<string, unknown>> | null {
  try {
    const json: unknown = JSON.parse(text);
    return typeof json === 'object' && json !== null && !Array.isArray(json)
      ? (json as Readonly<Record<string, unknown>>)
      : null;
  } catch {
    return null; // the caller answers it as an invalid request
  }
}
