import { type IdRange, sizeOf } from '../../market/coverage.ts';
import type { GapLedger } from '../../market/gap-ledger.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import type { Log } from '../../runtime/log.ts';
import type { ExchangeRest } from '../rest/exchange-rest.ts';
import type { BackfillStatus } from './backfill-worker.ts';
import { min } from './trade-search.ts';
import { idsIn } from './trade-times.ts';

export interface BackfillRequestPorts {
  readonly ledger: GapLedger;
  /** How many ids of a range may be asked for, and how many of them were given up. */
  readonly countIds: (
    exchange: string,
    symbol: string,
    range: IdRange,
  ) => { readonly askable: bigint; readonly unfillable: bigint };
  /** @throws {AppError} EXCHANGE_UNKNOWN */
  readonly restOf: (exchange: string, symbol: string) => ExchangeRest;
  readonly backfiller: {
    watch(exchange: string, symbol: string): void;
    statusOf(exchange: string, symbol: string): BackfillStatus | null;
  };
  readonly clock: Clock;
  readonly log: Log;
}

export interface BackfillInput {
  readonly exchange: string;
  readonly symbol: string;
  /** Exchange time, ms, inclusive. */
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  readonly dryRun: boolean;
}

/** Trades of the past that somebody asked for. Times in ms; counts of trades are of single fills. */
export interface BackfillRequest {
  readonly id: string;
  readonly exchange: string;
  readonly symbol: string;
  readonly from: number;
  /** Exclusive. */
  readonly to: number;
  /** Null when the exchange has no trade there. */
  readonly firstId: bigint | null;
  readonly lastId: bigint | null;
  /** REST calls so far; of a dry run those it would take. Others for the same market count as well. */
  readonly requests: number;
  /** Ids of which nothing was known before, or that had been given up. */
  readonly trades: bigint;
  /** Ids that were here or being fetched before. */
  readonly covered: bigint;
  /** So far; of a dry run what it would take by the rate budget. */
  readonly seconds: number;
  readonly filled: bigint;
  readonly unfillable: bigint;
  readonly remaining: bigint;
  /** PLANNED: a dry run, which is never more than that. RUNNING also while it waits for its turn. */
  readonly status: 'PLANNED' | 'RUNNING' | 'DONE' | 'CANCELLED';
}

/** What does not change about a request. All of it is in its id, so that a request is found again after a restart. */
interface Asked {
  readonly exchange: string;
  readonly symbol: string;
  readonly from: number;
  readonly to: number;
  readonly ids: IdRange | null;
  readonly trades: bigint;
  readonly askedAt: number;
}

interface Progress {
  readonly requestsBefore: number;
  readonly cancelled: boolean;
  readonly ended: { readonly at: number; readonly requests: number } | null;
}

const MAX_REMEMBERED = 1_000;

/** Fetches trades of the past on request: declares them missing, and the backfill does the rest. */
export class BackfillRequests implements Disposable {
  readonly #ports: BackfillRequestPorts;
  readonly #progress = new Map<string, Progress>();
  readonly #listening: Disposable;
  #askedLast = 0;

  constructor(ports: BackfillRequestPorts) {
    this.#ports = ports;
    this.#listening = ports.ledger.onChange(({ exchange, symbol }) => this.#noteEnds(exchange, symbol));
  }

  /**
   * Resolves when it is known what there is to fetch; fetching goes on in the background. Repeating fetches nothing twice.
   * @throws {AppError} EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, BAD_USER_INPUT, BACKFILL_REFUSED for what the exchange cannot give,
   * EXCHANGE_REST_FAILED.
   */
  async request(input: BackfillInput, signal?: AbortSignal): Promise<BackfillRequest> {
    const { exchange, symbol, from, to, dryRun } = input;
    const { ledger, countIds, backfiller, log } = this.#ports;
    this.#check(input);
    const rest = this.#ports.restOf(exchange, symbol);
    const { name, capabilities } = rest.adapter;
    if (capabilities.tradeBackfill.by === 'none')
      throw new AppError(
        'BACKFILL_REFUSED',
        `${name} cannot be asked for past trades (${capabilities.tradeBackfill.reach})`,
      );
    const ids = await idsIn(rest, symbol, { from, to }, signal).catch(coded);
    const askable = ids ? countIds(exchange, symbol, ids).askable : 0n;
    const common = { exchange, symbol, from, to, ids, askedAt: this.#now() };
    if (dryRun || ids === null) return this.#plan(rest, { ...common, trades: askable }, dryRun);
    const cause = causeOf(common);
    const requestsBefore = backfiller.statusOf(exchange, symbol)?.requests ?? 0;
    const trades = ledger.declare(exchange, symbol, ids, { from, to, cause });
    await ledger.settled();
    const asked: Asked = { ...common, trades };
    const id = toId(asked);
    this.#remember(id, { requestsBefore, cancelled: false, ended: null });
    log.info('Trades of the past are asked for', { exchange, symbol, id, trades: String(trades) });
    backfiller.watch(exchange, symbol);
    if (this.#remaining(asked) === 0n) this.#end(id, asked);
    return this.#describe(id, asked);
  }

  /** Null when there is none of that id. */
  find(id: string): BackfillRequest | null {
    const asked = fromId(id);
    return asked ? this.#describe(id, asked) : null;
  }

  /**
   * Ends it: what it asked for and is still missing counts as missing for good. What was fetched stays, and so do gaps that were
   * there before. Repeating changes nothing.
   * @throws {AppError} BACKFILL_UNKNOWN; BACKFILL_REFUSED while too much waits.
   */
  async cancel(id: string, by = 'request'): Promise<BackfillRequest> {
    const asked = fromId(id);
    if (!asked) throw new AppError('BACKFILL_UNKNOWN', `There is no backfill "${id.slice(0, 80)}"`);
    const { ledger } = this.#ports;
    const own = this.#open(asked);
    for (const range of own)
      if (!ledger.giveUp(asked.exchange, asked.symbol, range, `cancelled by ${by}`))
        throw new AppError('BACKFILL_REFUSED', 'Too many trades wait to become durable; cancel again in a moment');
    if (own.length > 0) {
      this.#remember(id, { requestsBefore: 0, ended: null, ...this.#progress.get(id), cancelled: true });
      await ledger.settled();
      this.#end(id, asked);
    }
    return this.#describe(id, asked);
  }

  [Symbol.dispose](): void {
    this.#listening[Symbol.dispose]();
  }

  /** Wall time, ms; of two requests never the same, as they are told apart by it. */
  #now(): number {
    this.#askedLast = Math.max(Math.trunc(this.#ports.clock.now()), this.#askedLast + 1);
    return this.#askedLast;
  }

  #check({ from, to }: BackfillInput): void {
    const now = this.#ports.clock.now();
    for (const [name, time] of Object.entries({ from, to }))
      if (!Number.isSafeInteger(time) || Math.abs(time) > MAX_TIME)
        throw new AppError('BAD_USER_INPUT', `\`${name}\` should be a time, such as 2026-01-01T00:00:00Z`);
    if (from >= to)
      throw new AppError('BAD_USER_INPUT', `\`from\` (${iso(from)}) should be before \`to\` (${iso(to)})`);
    if (to > now)
      throw new AppError('BAD_USER_INPUT', `\`to\` (${iso(to)}) should not be in the future (it is ${iso(now)})`);
  }

  /** Of a dry run, or of a time without a trade. */
  #plan(rest: ExchangeRest, asked: Asked, dryRun: boolean): BackfillRequest {
    const { tradeBackfill } = rest.adapter.capabilities;
    const requests = Math.ceil(Number(asked.trades) / (tradeBackfill.pageSize - 1));
    const pageMs = rest.paceOf(rest.adapter.rest.tradesPage('', { afterId: '0', beforeId: '2' }));
    return {
      ...this.#common(dryRun ? `plan-${asked.askedAt.toString(36)}` : toId(asked), asked),
      ...{ requests, seconds: (requests * pageMs) / 1_000, filled: 0n, unfillable: 0n, remaining: asked.trades },
      status: dryRun ? 'PLANNED' : 'DONE',
    };
  }

  #describe(id: string, asked: Asked): BackfillRequest {
    const { clock, backfiller, countIds } = this.#ports;
    const { exchange, symbol, ids, trades } = asked;
    const progress = this.#progress.get(id);
    const remaining = this.#remaining(asked);
    const unfillable = ids ? min(countIds(exchange, symbol, ids).unfillable, trades - remaining) : 0n;
    const running = remaining > 0n && !progress?.cancelled;
    const now = { at: clock.now(), requests: backfiller.statusOf(exchange, symbol)?.requests ?? 0 };
    const until = progress?.ended ?? (running ? now : { at: asked.askedAt, requests: progress?.requestsBefore ?? 0 });
    return {
      ...this.#common(id, asked),
      requests: Math.max(0, until.requests - (progress?.requestsBefore ?? 0)),
      seconds: Math.max(0, until.at - asked.askedAt) / 1_000,
      ...{ filled: trades - remaining - unfillable, unfillable, remaining },
      status: running ? 'RUNNING' : progress?.cancelled ? 'CANCELLED' : 'DONE',
    };
  }

  #common(id: string, { exchange, symbol, from, to, ids, trades }: Asked) {
    const covered = ids ? sizeOf(ids) - trades : 0n;
    return { id, exchange, symbol, from, to, firstId: ids?.first ?? null, lastId: ids?.last ?? null, trades, covered };
  }

  /** What it declared missing and still is. A gap that was there before has another cause. */
  #open(asked: Asked): readonly IdRange[] {
    const { exchange, symbol, ids } = asked;
    if (!ids) return [];
    const cause = causeOf(asked);
    return this.#ports.ledger
      .openGaps(exchange, symbol)
      .filter((gap) => gap.cause === cause && gap.first <= ids.last && gap.last >= ids.first);
  }

  #remaining(asked: Asked): bigint {
    return this.#open(asked).reduce((sum, range) => sum + sizeOf(range), 0n);
  }

  #noteEnds(exchange: string, symbol: string): void {
    for (const [id, { ended }] of this.#progress) {
      const asked = ended === null ? fromId(id) : null;
      if (asked?.exchange !== exchange || asked.symbol !== symbol) continue;
      if (this.#remaining(asked) === 0n) this.#end(id, asked);
    }
  }

  #end(id: string, { exchange, symbol }: Asked): void {
    const { clock, backfiller, log } = this.#ports;
    const progress = this.#progress.get(id);
    if (!progress || progress.ended) return;
    const requests = backfiller.statusOf(exchange, symbol)?.requests ?? 0;
    this.#progress.set(id, { ...progress, ended: { at: clock.now(), requests } });
    log.info('What was asked for of the past is done', { exchange, symbol, id, cancelled: progress.cancelled });
  }

  #remember(id: string, progress: Progress): void {
    this.#progress.set(id, progress);
    for (const oldest of this.#progress.keys()) {
      if (this.#progress.size <= MAX_REMEMBERED) return;
      this.#progress.delete(oldest);
    }
  }
}

const MAX_TIME = 8_640_000_000_000_000;

const iso = (time: number): string => new Date(time).toISOString();

const causeOf = ({ askedAt, from, to }: Pick<Asked, 'askedAt' | 'from' | 'to'>): string =>
  `asked for at ${iso(askedAt)}: trades of ${iso(from)} to ${iso(to)}`;

/** What cannot be understood is the exchange's failure, whoever asked. */
function coded(error: unknown): never {
  if (error instanceof AppError && error.code === 'FRAME_MALFORMED')
    throw new AppError('EXCHANGE_REST_FAILED', error.message, { cause: error });
  throw error;
}

function toId({ exchange, symbol, from, to, ids, trades, askedAt }: Asked): string {
  const numbers = [from, to, ids?.first ?? '', ids?.last ?? '', trades, askedAt];
  return Buffer.from([exchange, symbol, ...numbers].join(' ')).toString('base64url');
}

function fromId(id: string): Asked | null {
  const text = Buffer.from(id.slice(0, 1_000), 'base64url').toString();
  const found = /^(\S+) (\S+) (-?\d{1,16}) (-?\d{1,16}) (\d{0,40}) (\d{0,40}) (\d{1,40}) (\d{1,16})$/.exec(text);
  if (!found) return null;
  const [, exchange = '', symbol = '', from, to, first = '', last = '', trades = '', askedAt] = found;
  const ids = first === '' || last === '' ? null : { first: BigInt(first), last: BigInt(last) };
  return {
    ...{ exchange, symbol, from: Number(from), to: Number(to), ids },
    ...{ trades: BigInt(trades), askedAt: Number(askedAt) },
  };
}
