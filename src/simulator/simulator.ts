import type { ConnectionConfig, Credentials } from '../exchanges/adapter.ts';
import { type Clock, systemClock } from '../runtime/clock.ts';
import { AppError } from '../runtime/errors.ts';
import { answer } from './answer.ts';
import { BinanceDialect } from './binance-server.ts';
import type { Dialect } from './dialect.ts';
import { Faults } from './faults.ts';
import { Host } from './host.ts';
import type { SimulatedExchange } from './instrument.ts';
import { Market } from './market.ts';
import { TEST_CREDENTIALS } from './okx-account.ts';
import { OkxDialect } from './okx-server.ts';
import { readRecording } from './recording.ts';
import { Replay } from './replay.ts';
import type { SimulatorState } from './simulator-state.ts';
import { openTape, type Tape } from './tape.ts';

/** Every option but `exchange` has a default. */
export interface SimulatorOptions {
  readonly exchange: SimulatedExchange;
  /** 0 (default): any free one. */
  readonly port?: number;
  /** Default 127.0.0.1. */
  readonly host?: string;
  /** Default "1". The same seed gives the same tape. */
  readonly seed?: string;
  /** Canonical; default BTC-USDT and ETH-USDT. */
  readonly symbols?: readonly string[];
  /** Trades per second and symbol; default 10. */
  readonly rate?: number;
  /** Other rates of single symbols, e.g. 0 for one that never trades. */
  readonly rates?: Readonly<Record<string, number>>;
  /** Id of the first trade of the tape; default 100000000. Beyond 2^53 is fine. */
  readonly firstId?: bigint;
  /** Time of the first trade of the tape, ms; default 2020-01-01. */
  readonly startTime?: number;
  /** How far back REST reaches; default 90 days on OKX, everything on Binance. */
  readonly historyMs?: number;
  /** Whether connection, request and weight limits refuse; default false. */
  readonly enforceLimits?: boolean;
  /** How often what is due is sent; default 5 ms. */
  readonly tickMs?: number;
  /** OKX: a silent socket is closed after this; default 30 s. */
  readonly idleMs?: number;
  /** OKX: the account channel pushes this often; default 5 s. */
  readonly accountEveryMs?: number;
  /** OKX: the only key that may log in; default TEST_CREDENTIALS. */
  readonly credentials?: Credentials;
  /** Binance: the server pings this often (default 20 s) and closes without a pong for so long (default 60 s). */
  readonly pingMs?: number;
  readonly pongTimeoutMs?: number;
  /** Binance: sockets are closed at this age; default 24 h. */
  readonly connectionLifeMs?: number;
  /** Default 256; more are answered 503. */
  readonly maxSockets?: number;
  /** Bytes that may wait for one socket that does not read, before it is cut; default 16 MiB. */
  readonly maxWaitingBytes?: number;
  /** Serves recordings instead of a tape: `symbols`, `rate` and `seed` do not matter then. */
  readonly replay?: {
    /** JSONL: wrapper lines {ts, dir, conn, raw} or {url, ts, body}, or bare frames. */
    readonly files: readonly string[];
    /** 1 (default) as recorded, 0 as fast as clients read. */
    readonly speed?: number;
  };
  readonly clock?: Clock;
}

export interface Simulator extends AsyncDisposable {
  readonly exchange: SimulatedExchange;
  readonly host: string;
  readonly port: number;
  /** For the configuration of a collector: every URL points here. */
  readonly connection: ConnectionConfig;
  readonly faults: Faults;
  /** @throws {AppError} SYMBOL_UNKNOWN for a symbol that is not simulated. */
  tape(symbol: string): Tape;
  state(): SimulatorState;
}

const DAY = 86_400_000;

/**
 * Starts one simulated exchange; disposing it resets its sockets and frees the port.
 * @throws {AppError} SYMBOL_UNKNOWN, or BAD_USER_INPUT for a rate or port that cannot be.
 */
export async function startSimulator(options: SimulatorOptions): Promise<Simulator> {
  const { exchange, host: address = '127.0.0.1', clock = systemClock } = options;
  const replay = await openReplay(options);
  const markets = openMarkets(replay === undefined ? options : { ...options, symbols: [] }, clock.now());
  const bySymbol = new Map([...markets.values()].map((market) => [market.tape.instrument.symbol, market]));
  const locate = (symbol: string) => {
    if (replay?.knows(symbol) === true) return { nativeSymbol: symbol, next: 0 };
    const market = bySymbol.get(symbol) ?? markets.get(symbol);
    if (market !== undefined) return { nativeSymbol: market.tape.instrument.nativeSymbol, next: market.count };
    throw new AppError(
      'SYMBOL_UNKNOWN',
      `"${symbol.slice(0, 80)}" is not simulated; these are: ${[...bySymbol.keys()].join(', ')}`,
    );
  };
  const faults: Faults = new Faults(clock, {
    locate,
    strike: (fault) => host.strike(fault),
    mend: (kind) => host.mend(kind),
  });
  const dialect = openDialect(options, { markets, faults, clock, ...(replay === undefined ? {} : { replay }) });
  let restRequests = 0;
  const state = (): SimulatorState => ({
    exchange,
    now: clock.now(),
    instruments: [...markets.values()].map((market) => market.state()),
    sockets: [...host.clients].map((client) => client.state()),
    counters: { ...host.counters, restRequests },
    faults: faults.active,
    ...(replay === undefined ? {} : { replay: replay.state() }),
  });
  const onRest = () => {
    restRequests += 1;
  };
  const host = new Host({
    dialect,
    faults,
    clock,
    enforceLimits: options.enforceLimits ?? false,
    answer: (request, response) => void answer({ dialect, faults, clock, state, onRest }, request, response),
    maxSockets: options.maxSockets ?? 256,
    maxWaitingBytes: options.maxWaitingBytes ?? 16 * 1024 * 1024,
  });
  const port = await host.listen(address, options.port ?? 0);
  const ticking = clock.every(options.tickMs ?? 5, () => {
    const now = clock.now();
    for (const market of markets.values()) market.advance(now);
    host.tick(now);
    replay?.tick(dialect.feed, clock.monotonic(), host.congested);
  });
  return {
    exchange,
    host: address,
    port,
    connection: dialect.connection(`${address.includes(':') ? `[${address}]` : address}:${port}`),
    faults,
    tape(symbol) {
      const market = markets.get(locate(symbol).nativeSymbol);
      if (market === undefined) throw new AppError('SYMBOL_UNKNOWN', `"${symbol}" is not simulated`);
      return market.tape;
    },
    state,
    async [Symbol.asyncDispose]() {
      ticking[Symbol.dispose]();
      await host[Symbol.asyncDispose]();
    },
  };
}

async function openReplay({ exchange, replay }: SimulatorOptions): Promise<Replay | undefined> {
  if (replay === undefined) return undefined;
  return new Replay(await readRecording(exchange, replay.files), replay.speed ?? 1);
}

function openDialect(
  options: SimulatorOptions,
  parts: { markets: ReadonlyMap<string, Market>; faults: Faults; clock: Clock; replay?: Replay },
): Dialect {
  const enforceLimits = options.enforceLimits ?? false;
  if (options.exchange === 'binance')
    return new BinanceDialect({
      ...parts,
      enforceLimits,
      historyMs: options.historyMs ?? Number.POSITIVE_INFINITY,
      pingMs: options.pingMs ?? 20_000,
      pongTimeoutMs: options.pongTimeoutMs ?? 60_000,
      connectionLifeMs: options.connectionLifeMs ?? DAY,
    });
  return new OkxDialect({
    ...parts,
    enforceLimits,
    seed: options.seed ?? '1',
    credentials: options.credentials ?? TEST_CREDENTIALS,
    historyMs: options.historyMs ?? 90 * DAY,
    idleMs: options.idleMs ?? 30_000,
    accountEveryMs: options.accountEveryMs ?? 5_000,
  });
}

function openMarkets(options: SimulatorOptions, now: number): ReadonlyMap<string, Market> {
  const {
    exchange,
    seed = '1',
    symbols = ['BTC-USDT', 'ETH-USDT'],
    rate = 10,
    rates = {},
    firstId,
    startTime,
  } = options;
  const markets = new Map<string, Market>();
  for (const symbol of symbols) {
    const own = Object.hasOwn(rates, symbol) ? rates[symbol] : undefined;
    const tape = openTape({
      seed,
      exchange,
      symbol,
      rate: own ?? rate,
      ...(firstId === undefined ? {} : { firstId }),
      ...(startTime === undefined ? {} : { startTime }),
    });
    markets.set(tape.instrument.nativeSymbol, new Market(tape, now));
  }
  return markets;
}
