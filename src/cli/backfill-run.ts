import { messageOf } from '../runtime/errors.ts';
import type { ClientSurroundings } from './client-command.ts';
import { refusedText } from './refused.ts';
import { unreached } from './unreached.ts';

export interface BackfillFlags {
  readonly exchange: string;
  readonly symbol: string;
  /** ISO-8601, UTC. */
  readonly from: string;
  readonly to: string;
  readonly dryRun: boolean;
  /** Where the server listens, e.g. "http://127.0.0.1:4000". */
  readonly url: string;
}

interface Backfill {
  readonly id: string;
  readonly requests: number;
  readonly trades: bigint;
  readonly seconds: number;
  readonly firstId: string | null;
  readonly lastId: string | null;
  readonly filled: bigint;
  readonly unfillable: bigint;
  readonly remaining: bigint;
  readonly status: string;
}

type Answer = Readonly<Record<string, unknown>>;

const FIELDS = 'id requests trades seconds firstId lastId filled unfillable remaining status';
const REQUEST = `mutation ($input: RequestBackfillInput!) {
  requestBackfill(input: $input) { backfill { ${FIELDS} } userErrors { code message } }
}`;
const FOLLOW = `query ($id: ID!) { backfill(id: $id) { ${FIELDS} } }`;
const CANCEL = `mutation ($input: CancelBackfillInput!) {
  cancelBackfill(input: $input) { backfill { ${FIELDS} } userErrors { code message } }
}`;

const POLL_MS = 500;
const ANSWER_MS = 30_000;
/** A server that is being restarted comes back within this. */
const AWAY_MS = 60_000;
const INTERRUPTED = 130;

/**
 * Asks a running server for trades of the past and follows it to the end. Returns the exit code: 0 when everything that can be had is
 * there, 1 when it failed, 130 after Ctrl-C, which cancels it.
 */
export async function runBackfill(flags: BackfillFlags, around: ClientSurroundings): Promise<number> {
  const { print, view, interrupted } = around;
  const server = new Server(flags.url, around);
  try {
    const { exchange, symbol, from, to } = flags;
    const plan = await server.request({ exchange, symbol, from, to, dryRun: true });
    print(planned(flags, plan));
    if (flags.dryRun || plan.trades === 0n) return 0;
    if (interrupted.aborted) return INTERRUPTED;
    const begun = await server.request({ exchange, symbol, from, to, dryRun: false });
    const ended = await follow(server, begun, around);
    view.stop();
    if (ended === null) return await cancel(server, begun.id, flags, print);
    print(done(ended));
    return ended.status === 'DONE' ? 0 : 1;
  } catch (error) {
    view.stop();
    print(`backfill: ${messageOf(error)}`);
    return 1;
  }
}

/** Null when it was interrupted. */
async function follow(
  server: Server,
  begun: Backfill,
  { clock, view, interrupted }: ClientSurroundings,
): Promise<Backfill | null> {
  let known = begun;
  let answeredAt = clock.monotonic();
  while (known.status === 'RUNNING') {
    view.show({ done: known.trades - known.remaining, total: known.trades, note: noteOf(known) });
    const stopped = await clock.sleep(POLL_MS, interrupted).then(
      () => false,
      () => true,
    );
    if (stopped) return null;
    try {
      known = await server.find(begun.id);
      answeredAt = clock.monotonic();
    } catch (error) {
      if (clock.monotonic() - answeredAt > AWAY_MS)
        throw new Error(`${messageOf(error)}. The server goes on with it by itself when it is back.`, { cause: error });
      view.show({ done: known.trades - known.remaining, total: known.trades, note: 'the server does not answer' });
    }
  }
  view.show({ done: known.trades - known.remaining, total: known.trades, note: noteOf(known) });
  return known;
}

async function cancel(
  server: Server,
  id: string,
  flags: BackfillFlags,
  print: (line: string) => void,
): Promise<number> {
  const { filled, unfillable } = await server.cancel(id);
  print(`Cancelled: ${count(filled)} trades were fetched and stay, ${count(unfillable)} were not.`);
  print(`Resume with: ${commandOf(flags)}`);
  return INTERRUPTED;
}

const count = (number: bigint | number): string => number.toLocaleString('en-US');

const commandOf = ({ exchange, symbol, from, to, url }: BackfillFlags): string =>
  `npm run backfill -- --exchange ${exchange} --symbol ${symbol} --from ${from} --to ${to} --url ${url}`;

function planned({ exchange, symbol, from, to }: BackfillFlags, plan: Backfill): string {
  const what = `${exchange} ${symbol}, ${from} to ${to}`;
  if (plan.firstId === null) return `${what}: the exchange has no trades there.`;
  const ids = `ids ${plan.firstId} to ${plan.lastId}`;
  if (plan.trades === 0n) return `${what} (${ids}): nothing is missing.`;
  return `${what} (${ids}): ${count(plan.trades)} trades to fetch, about ${count(plan.requests)} requests and ${duration(plan.seconds)}.`;
}

function done({ filled, unfillable, seconds, status }: Backfill): string {
  const gone = unfillable > 0n ? `; ${count(unfillable)} the exchange does not give, see \`gaps\` for the cause` : '';
  const end = status === 'DONE' ? 'Done' : `Ended (${status.toLowerCase()})`;
  return `${end}: ${count(filled)} trades in ${duration(seconds)}${gone}.`;
}

const noteOf = ({ unfillable }: Backfill): string =>
  unfillable > 0n ? `${count(unfillable)} not to be had` : 'fetching';

function duration(seconds: number): string {
  if (seconds < 120) return `${Math.max(1, Math.round(seconds))} s`;
  return seconds < 7_200 ? `${Math.round(seconds / 60)} min` : `${(seconds / 3_600).toFixed(1)} h`;
}

/** The part of the API this needs. All throw {Error} with what the server, or the way to it, said. */
class Server {
  readonly #url: string;
  readonly #fetch: ClientSurroundings['fetch'];

  constructor(url: string, { fetch }: Pick<ClientSurroundings, 'fetch'>) {
    this.#url = new URL('/graphql', url).href;
    this.#fetch = fetch;
  }

  async request(input: Omit<BackfillFlags, 'url'>): Promise<Backfill> {
    return backfillOf(payloadOf(await this.#ask(REQUEST, { input }), 'requestBackfill'));
  }

  async find(id: string): Promise<Backfill> {
    const { backfill } = await this.#ask(FOLLOW, { id });
    return backfillOf(backfill);
  }

  async cancel(id: string): Promise<Backfill> {
    return backfillOf(payloadOf(await this.#ask(CANCEL, { input: { id } }), 'cancelBackfill'));
  }

  async #ask(query: string, variables: Answer): Promise<Answer> {
    const body = JSON.stringify({ query, variables });
    const headers = { 'content-type': 'application/json' };
    const answer = await this.#fetch(this.#url, {
      method: 'POST',
      headers,
      body,
      signal: AbortSignal.timeout(ANSWER_MS),
    }).then(
      (response) => response.json() as Promise<unknown>,
      (error: unknown) => {
        throw unreached(this.#url, error);
      },
    );
    const { data, errors } = isAnswer(answer) ? answer : {};
    if (Array.isArray(errors) && errors.length > 0)
      throw new Error(errors.map((error: Parameters<typeof refusedText>[0]) => refusedText(error)).join('; '));
    if (isAnswer(data)) return data;
    throw new Error(`${this.#url} does not answer like a TCP Dashboard server`);
  }
}

const isAnswer = (value: unknown): value is Answer => typeof value === 'object' && value !== null;

function payloadOf(data: Answer, field: string): unknown {
  const payload = data[field];
  const { backfill, userErrors } = isAnswer(payload) ? payload : {};
  const [error] = Array.isArray(userErrors) ? (userErrors as readonly Answer[]) : [];
  if (error) throw new Error(`${String(error.code)}: ${String(error.message)}`);
  return backfill;
}

function backfillOf(found: unknown): Backfill {
  if (!isAnswer(found)) throw new Error('the server knows no such backfill');
  const text = (name: string) => (found[name] === null || found[name] === undefined ? null : String(found[name]));
  const number = (name: string) => BigInt(text(name) ?? 0);
  return {
    ...{ id: text('id') ?? '', requests: Number(found.requests), seconds: Number(found.seconds) },
    ...{ firstId: text('firstId'), lastId: text('lastId'), status: text('status') ?? '' },
    ...{ trades: number('trades'), filled: number('filled') },
    ...{ unfillable: number('unfillable'), remaining: number('remaining') },
  };
}
