import { join } from 'node:path';
import { type Simulator, type SimulatorOptions, startSimulator } from '../../src/simulator/simulator.ts';
import { connectDirectly, type Place } from './direct.ts';
import { startEventSource } from './event-source.ts';
import { FaultProxy } from './fault-proxy.ts';
import type { Findings } from './findings.ts';
import { type Expected, judgeStored } from './oracle.ts';
import { GIVEN_TRADE, type GivenTrade, judgeLog, judgePages, says, type TradesFilter } from './published.ts';
import { intersect, subtract, union } from './runs.ts';
import { ServerUnderTest } from './server.ts';
import { readStored, type Stored, type StoredTrade } from './stored.ts';
import { type Subscriber, startSubscriber } from './subscriber.ts';
import { until, within } from './wait.ts';

export const SYMBOLS = ['BTC-USDT', 'ETH-USDT', 'SOL-USDT', 'DOGE-USDT'];
/** Ids that no float can hold. */
const FIRST_ID = 9_007_199_254_740_993n;

export interface GroundOptions {
  readonly place: Place;
  readonly seed: string;
  /** Trades per second of each of the four symbols. */
  readonly rate: number;
  readonly simulator?: Partial<SimulatorOptions>;
  readonly connection?: object;
  readonly collection?: object;
  /** Of a pair, beside its symbol; default: only trades. */
  readonly pairs?: Readonly<Record<string, object>>;
  /** Symbols whose trades are compared with the tape in the end; default: all. */
  readonly judged?: readonly string[];
  /** Where the servers reach the database; the place's own address unless something is in between. */
  readonly databaseUrl?: string;
  readonly servers?: number;
  /** More exchanges the servers collect from, each with one trading pair; they are not judged. */
  readonly beside?: readonly object[];
  /** Of the servers' log, instead of INFO to their output. */
  readonly logging?: object;
  /** Beside what every server has. */
  readonly env?: Readonly<Record<string, string>>;
}

/** A simulated exchange behind a fault proxy, servers that collect from it, clients, and what judges them in the end. */
export class Ground implements AsyncDisposable {
  readonly place: Place;
  readonly simulator: Simulator;
  /** Between the servers and the exchange. */
  readonly proxy: FaultProxy;
  readonly servers: readonly ServerUnderTest[];
  readonly subscribers: Subscriber[] = [];
  readonly #judged: readonly string[];
  readonly #owned: AsyncDisposableStack;

  private constructor(
    { place, judged = SYMBOLS }: GroundOptions,
    simulator: Simulator,
    proxy: FaultProxy,
    servers: readonly ServerUnderTest[],
    owned: AsyncDisposableStack,
  ) {
    this.place = place;
    this.#judged = judged;
    this.simulator = simulator;
    this.proxy = proxy;
    this.servers = servers;
    this.#owned = owned;
  }

  /** Nothing runs yet but the exchange. */
  static async open(options: GroundOptions): Promise<Ground> {
    const { place, seed, rate, beside = [] } = options;
    await using opening = new AsyncDisposableStack();
    const simulator = opening.use(
      await startSimulator({ exchange: 'okx', symbols: SYMBOLS, rate, seed, firstId: FIRST_ID, ...options.simulator }),
    );
    const proxy = opening.use(
      await FaultProxy.start({ target: () => ({ host: simulator.host, port: simulator.port }) }),
    );
    const config = {
      logging: { level: 'INFO', file_output: false, format: 'json', ...options.logging },
      exchanges: [
        {
          exchange: simulator.exchange,
          connection: { ...proxy.connectionThrough(simulator.connection), ...options.connection },
          data_collection: { store_raw_data: false, ...options.collection },
          trading_pairs: SYMBOLS.map((symbol) => ({ symbol, data_types: ['trade'], ...options.pairs?.[symbol] })),
        },
        ...beside,
      ],
    };
    const reached = options.databaseUrl === undefined ? place : { ...place, url: options.databaseUrl };
    const servers: ServerUnderTest[] = [];
    for (let i = 0; i < (options.servers ?? 1); i += 1)
      servers.push(
        opening.use(
          await ServerUnderTest.create({
            config,
            place: reached,
            env: options.env ?? {},
            collectors: SYMBOLS.length + beside.length,
            dataDir: join(place.dataDir, i === 0 ? 'data' : `data-${i}`),
          }),
        ),
      );
    return new Ground(options, simulator, proxy, servers, opening.move());
  }

  get server(): ServerUnderTest {
    const [server] = this.servers;
    if (server === undefined) throw new Error('There is at least one server');
    return server;
  }

  /** Comes back by itself for as long as the ground is open. */
  subscribe(
    name: string,
    options: { filter?: TradesFilter; kind?: 'ws' | 'sse'; server?: ServerUnderTest } = {},
  ): Subscriber {
    const { filter = {}, kind = 'ws', server = this.server } = options;
    const start = kind === 'ws' ? startSubscriber : startEventSource;
    const subscriber = this.#owned.use(start({ name, filter, url: () => server.url }));
    this.subscribers.push(subscriber);
    return subscriber;
  }

  /** Resolves when a trade of every symbol is stored: from then on the tape has a beginning. */
  async begun(): Promise<void> {
    await until('first trades stored', 20_000, async () => {
      const newest = await Promise.all(SYMBOLS.map((symbol) => this.newestStored(symbol)));
      return newest.every((id) => id > 0n);
    });
  }

  /** By what the API says, the highest trade id of a symbol; 0 before the first. */
  async newestStored(symbol: string): Promise<bigint> {
    const { data } = await this.server.ask(
      'query ($symbol: String!) { trades(exchange: "okx", symbol: $symbol, first: 1, order: DESC) { edges { node { tradeId } } } }',
      { symbol },
      3_000,
    );
    const [edge] = (data?.trades as { edges: readonly { node: { tradeId: string } }[] } | undefined)?.edges ?? [];
    return BigInt(edge?.node.tradeId ?? 0);
  }

  /** What must be stored or declared by now. */
  expected(): readonly Expected[] {
    const judged = this.simulator.state().instruments.filter(({ symbol }) => this.#judged.includes(symbol));
    return judged.map(({ symbol, sentRange, count }) => {
      const window = { first: sentRange?.first ?? 0, last: sentRange?.last ?? -1 };
      return { tape: this.simulator.tape(symbol), window, made: { first: window.first, last: count - 1 } };
    });
  }

  /** As of now, read past the server; only where the database has room for a second one. */
  async stored(): Promise<Stored> {
    await using database = await connectDirectly(this.place);
    return await readStored(database, this.simulator.exchange);
  }

  /**
   * Waits until all that was made by the time of the call is stored, and no gap of it is open: how many ms. Null when it gives up.
   * `byDatabase` reads every trade to know, which takes its time; otherwise what the server says counts.
   */
  async settle(ms: number, { byDatabase = true } = {}): Promise<number | null> {
    const startedAt = performance.now();
    const expected = this.expected();
    const settled = await within(
      ms,
      async () => {
        for (const { tape, window } of expected)
          if ((await this.newestStored(tape.instrument.symbol)) < tape.firstId + BigInt(window.last)) return false;
        if (this.place.url === null || !byDatabase) return (await this.#openGaps()) === 0;
        const { stretches } = await this.stored();
        return expected.every(({ tape, window }) => {
          const all = stretches
            .filter(({ symbol }) => symbol === tape.instrument.symbol)
            .map(({ status, first, last }) => ({
              open: status === 'GAP',
              first: Number(first - tape.firstId),
              last: Number(last - tape.firstId),
            }));
          // What one writer lacks another may have.
          const closed = union(all.filter(({ open }) => !open));
          const open = subtract(union(all.filter((stretch) => stretch.open)), closed);
          return intersect(open, [window]).length === 0;
        });
      },
      200,
    );
    return settled ? performance.now() - startedAt : null;
  }

  /**
   * The end of every scenario: what was made until now is given time to be stored, the subscribers to get it, the API to show it;
   * then the servers end as a supervisor ends them, and the oracle speaks. `exitMs`: how long the slowest took to end.
   */
  async judge(findings: Findings, settleMs = 30_000): Promise<{ readonly exitMs: number }> {
    const expected = this.expected();
    await this.settle(settleMs);
    const before = this.place.url === null ? null : await this.stored();
    if (before !== null) await this.#caughtUp(before.trades, findings);
    const pages = new Map<string, readonly GivenTrade[]>();
    const bounds = new Map(
      expected.map(({ tape, window }) => [tape.instrument.symbol, tape.firstId + BigInt(window.last)]),
    );
    for (const [symbol, last] of bounds)
      pages.set(
        symbol,
        (await this.#pages(symbol)).filter(({ tradeId }) => BigInt(tradeId) <= last),
      );
    let exitMs = 0;
    for (const server of this.servers) {
      const toldAt = performance.now();
      const code = await server.end('SIGTERM');
      exitMs = Math.max(exitMs, performance.now() - toldAt);
      if (code !== 0) throw new Error(`The server ended with ${code}: ${server.output.slice(-2_000)}`);
    }
    for (const subscriber of this.subscribers) await subscriber[Symbol.asyncDispose]();
    const stored = await this.stored();
    const made = this.expected();
    judgeStored(
      expected.map((each, i) => ({ ...each, made: made[i]?.made ?? each.made })),
      stored,
      findings,
    );
    for (const [symbol, given] of pages)
      judgePages(
        symbol,
        given,
        stored.trades.filter(({ tradeId }) => BigInt(tradeId) <= (bounds.get(symbol) ?? 0n)),
        findings,
      );
    for (const subscriber of this.subscribers) judgeLog(subscriber.log(), stored.trades, findings);
    return { exitMs };
  }

  /** By what the API says; the embedded database cannot be asked while its server runs. */
  async #openGaps(): Promise<number> {
    const { data } = await this.server.ask('{ health { openGaps } }');
    return (data?.health as { readonly openGaps: number } | undefined)?.openGaps ?? Number.NaN;
  }

  async #caughtUp(trades: readonly StoredTrade[], findings: Findings): Promise<void> {
    const newest = new Map<number, bigint>();
    for (const { writer, sequence } of trades) if (sequence > (newest.get(writer) ?? 0n)) newest.set(writer, sequence);
    for (const subscriber of this.subscribers) {
      const reached = await within(15_000, () =>
        [...newest].every(([writer, sequence]) => (subscriber.position?.get(writer) ?? 0n) >= sequence),
      );
      if (!reached)
        findings.add(
          'NOT_CAUGHT_UP',
          subscriber.name,
          `stands at ${says(subscriber.position)}, stored is ${says(newest)}`,
        );
    }
  }

  async #pages(symbol: string): Promise<readonly GivenTrade[]> {
    const all: GivenTrade[] = [];
    let after: string | null = null;
    for (let page = 0; page < 2_000; page += 1) {
      const { data, errors } = await this.server.ask(
        `query ($symbol: String!, $after: Cursor) {
          trades(exchange: "okx", symbol: $symbol, after: $after, first: 1000, order: ASC) {
            edges { node { ${GIVEN_TRADE} } } pageInfo { hasNextPage endCursor } } }`,
        { symbol, after },
      );
      if (!data) throw new Error(`A page of trades failed: ${JSON.stringify(errors)}`);
      const { edges, pageInfo } = data.trades as {
        readonly edges: readonly { readonly node: GivenTrade }[];
        readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string | null };
      };
      for (const { node } of edges) all.push(node);
      if (!pageInfo.hasNextPage) return all;
      after = pageInfo.endCursor;
    }
    throw new Error('The pages of trades do not end');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#owned.disposeAsync();
  }
}
