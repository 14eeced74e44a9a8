import type { ConnectionConfig, ExchangeAdapter, RestRequest } from '../../exchanges/adapter.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError } from '../../runtime/errors.ts';
import { networkTroubleOf } from '../../runtime/network-trouble.ts';
import { readBounded } from '../../runtime/outgoing-fetch.ts';
import { RateLimit } from '../pacing/rate-limit.ts';

/** The seam through which every REST answer comes; production passes `outgoingFetch`. */
export type Fetch = (url: URL, init: { readonly signal: AbortSignal; readonly redirect: 'error' }) => Promise<Response>;

export interface RestClientOptions {
  readonly adapter: ExchangeAdapter;
  readonly connection: ConnectionConfig;
  readonly fetch: Fetch;
  readonly clock: Clock;
}

const TIMEOUT_MS = 10_000;
/** Unpacked; a thousand rows have 300 kB. */
const MAX_BODY_BYTES = 2 * 1024 * 1024;
const DEFAULT_RETRY_AFTER_S = 2;
/** The longest ban of Binance; anything above is not meant. */
const MAX_RETRY_AFTER_S = 3 * 86_400;

/** Public REST calls of one exchange within its one rate budget. */
export class RestClient {
  readonly #options: RestClientOptions;
  readonly #budget: RateLimit;

  constructor(options: RestClientOptions) {
    this.#options = options;
    const { weight, perMs, burst } = options.adapter.rest.budget;
    this.#budget = new RateLimit(options.clock, { amount: weight, perMs, burst });
  }

  /** Whether the rate budget is hardly used at the moment. */
  get idle(): boolean {
    return this.#budget.idle;
  }

  /**
   * The body of a successful answer. Waits for the rate budget first.
   * @throws {AppError} EXCHANGE_REST_FAILED for anything else; after "too many requests" nobody calls before Retry-After is over.
   */
  async get(request: RestRequest, signal?: AbortSignal): Promise<string> {
    await this.#budget.take(request.weight, signal);
    const { adapter, connection } = this.#options;
    const url = new URL(request.path, connection.rest_url);
    for (const [name, value] of Object.entries(request.query)) url.searchParams.set(name, value);
    const { status, body, retryAfterS } = await this.#fetch(url, request.maxBytes ?? MAX_BODY_BYTES, signal);
    if (status === 429 || status === 418) this.#budget.block(retryAfterS * 1_000);
    if (status === 200) return body;
    const { code, message } = adapter.rest.readFailure(status, body);
    throw new AppError(
      'EXCHANGE_REST_FAILED',
      `${adapter.id} answered ${status} (${code}: ${message}) to ${request.path}`,
    );
  }

  async #fetch(url: URL, maxBytes: number, signal: AbortSignal | undefined) {
    const timeout = AbortSignal.timeout(TIMEOUT_MS);
    try {
      const response = await this.#options.fetch(url, {
        signal: signal ? AbortSignal.any([signal, timeout]) : timeout,
        redirect: 'error',
      });
      const retryAfterS = secondsOf(response.headers.get('retry-after'));
      const body = await readBounded(response, maxBytes);
      if (body === null) throw new AppError('EXCHANGE_REST_FAILED', `an answer is larger than ${maxBytes} bytes`);
      return { status: response.status, body, retryAfterS };
    } catch (error) {
      if (error instanceof AppError) throw error;
      const { id } = this.#options.adapter;
      throw new AppError('EXCHANGE_REST_FAILED', `${id} did not answer ${url.pathname}: ${whyNot(error)}`, {
        cause: error,
      });
    }
  }
}

function whyNot(error: unknown): string {
  const isLate = error instanceof Error && error.name === 'TimeoutError';
  return isLate ? 'no answer in time' : (networkTroubleOf(error) ?? 'the connection failed');
}

function secondsOf(retryAfter: string | null): number {
  const seconds = Number(retryAfter);
  return seconds > 0 ? Math.min(seconds, MAX_RETRY_AFTER_S) : DEFAULT_RETRY_AFTER_S;
}
