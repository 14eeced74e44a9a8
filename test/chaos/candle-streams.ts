import {
  CANDLE_FIELDS,
  type CandleSubscriber,
  keyOf,
  type ShownCandle,
  startCandleSubscriber,
} from './candle-subscriber.ts';
import { connectDirectly, type Place } from './direct.ts';
import { Ground, SYMBOLS } from './ground.ts';
import { atLeast } from './result.ts';
import type { Protocol, Scenario } from './scenario.ts';
import type { ServerUnderTest } from './server.ts';
import { sleep, within } from './wait.ts';

export interface CandleStreamsSize {
  /** Trades the exchange makes. */
  readonly trades: number;
  /** Of them a second, of each of four symbols. */
  readonly rate: number;
  /** Sockets to the exchange cut, and how often it is out of reach for a second. */
  readonly cuts: number;
  readonly kills: number;
}

const LENGTHS = { S1: 1_000, S10: 10_000, M1: 60_000 } as const;
type Interval = keyof typeof LENGTHS;
/** Until then what was stored has been told of. */
const TOLD_MS = 2_000;

/** As many trades the oracle reads in a few seconds. */
const JUDGED = 100_000;

const lastEnd = (interval: Interval, time: number): number => Math.floor(time / LENGTHS[interval]) * LENGTHS[interval];

/** The clock closes candles of a second so long after their end, and a little more. */
const CLOSED_BY_THEN_MS = 4_000;

/** Candles of the stream are those of the query, to the last digit, whatever happened while they came about. */
export const candleStreams: Scenario<CandleStreamsSize> = async (setting, protocol, size) => {
  const { random, say, seed } = setting;
  const place = await setting.place();
  await using ground = await Ground.open({ place, seed, rate: size.rate });
  const { proxy, server, simulator } = ground;
  await server.start();
  await ground.begun();
  await using clients = new AsyncDisposableStack();
  const followers = (Object.keys(LENGTHS) as Interval[]).flatMap((interval) =>
    [true, false].map((forming) =>
      clients.use(startCandleSubscriber(() => server.url, { symbols: SYMBOLS, interval, forming })),
    ),
  );

  const away = async (ms: number) => {
    await proxy.door('refuse');
    protocol.count('cuts', proxy.cut('rst') > 0 ? 1 : 0);
    await sleep(ms);
    await proxy.door('open');
  };
  const made = () => simulator.state().instruments.reduce((sum, { count }) => sum + count, 0);
  const begun = made();
  const steps = size.cuts + size.kills;
  for (let step = 1; step <= steps; step += 1) {
    while (made() - begun < (size.trades * step) / (steps + 1)) await sleep(50);
    const kills = Math.floor((step * size.kills) / steps) > Math.floor(((step - 1) * size.kills) / steps);
    if (kills) {
      await server.end('SIGKILL');
      protocol.count('kills');
      await sleep(random() * 2_000);
      await server.start();
    } else {
      await away(random() * 1_000);
    }
    if (random() < 0.5) for (const follower of followers) protocol.count('clientsCut', follower.cut() ? 1 : 0);
    say(`${made() - begun} of ${size.trades} trades made`);
  }
  while (made() - begun < size.trades) await sleep(50);
  // What is fetched quickly comes before its candles are closed.
  const isRevised = () => followers.some(({ changes }) => changes.REVISED > 0);
  for (let more = 0; more < 5 && !isRevised(); more += 1) {
    await away(CLOSED_BY_THEN_MS);
    await within(5_000, isRevised, 200);
  }
  const until = Date.now();
  const settledMs = await ground.settle(120_000, { byDatabase: false });
  // What was fetched last is told as soon as it is stored.
  await within(20_000, () => followers.every((follower) => newest(follower) >= lastEnd(follower.interval, until)), 200);
  await sleep(TOLD_MS);

  for (const follower of followers) {
    const first = Math.min(...[...follower.closed.keys()].map((key) => Date.parse(key.split(' ')[1] ?? '')));
    for (const symbol of SYMBOLS) {
      const history = await candlesOf(server, symbol, follower.interval, first, until);
      for (const candle of history) judge(follower, candle, protocol);
    }
    for (const what of follower.strangePrevious)
      protocol.findings.add('CANDLE_PREVIOUS_DIFFERENT', follower.interval, what);
    for (const code of follower.errors) protocol.count(`answered ${code}`);
    for (const [type, count] of Object.entries(follower.changes)) protocol.count(type.toLowerCase(), count);
  }
  // Where there are millions the trades themselves are left to the other scenarios.
  if (size.trades <= JUDGED) await ground.judge(protocol.findings);
  else if ((await server.end('SIGTERM')) !== 0) throw new Error('The server ended with an error');
  const fetched = await countFetched(place);
  Object.assign(protocol.counts, { tradesMade: made() - begun, fetched });
  Object.assign(protocol.figures, { settledMs: Math.round(settledMs ?? Number.POSITIVE_INFINITY) });
  protocol.goals.push(
    atLeast('trades made', made() - begun, size.trades),
    atLeast('trades fetched to fill gaps', fetched, 1),
    atLeast('servers killed', protocol.counts.kills ?? 0, size.kills),
    atLeast('candles compared', protocol.counts.compared ?? 0, 50),
    atLeast('candles revised', protocol.counts.revised ?? 0, 1),
    atLeast(
      'sessions of the client with the fewest',
      Math.min(...followers.map(({ sessions }) => sessions)),
      1 + size.kills,
    ),
  );
};

async function countFetched(place: Place): Promise<number> {
  await using database = await connectDirectly(place);
  const [row] = await database.query<{ fetched: number }>(
    "select count(*)::int as fetched from tcp_dashboard.trade where provenance <> 'l'",
  );
  return row?.fetched ?? 0;
}

const newest = ({ candles }: CandleSubscriber): number =>
  Math.max(0, ...[...candles.values()].map(({ closeTime }) => Date.parse(closeTime)));

/** All candles of a market that end in (from, to], page by page. */
async function candlesOf(server: ServerUnderTest, symbol: string, interval: string, from: number, to: number) {
  const candles: ShownCandle[] = [];
  if (from > to) return candles; // none has ended yet
  const query = `query ($symbol: String!, $interval: CandleInterval!, $from: DateTime!, $to: DateTime!, $after: Cursor) {
    candles(exchange: "okx", symbol: $symbol, interval: $interval, from: $from, to: $to, first: 1000, after: $after) {
      edges { node { ${CANDLE_FIELDS} } } pageInfo { hasNextPage endCursor } } }`;
  for (let after: string | null = null, more = true; more; ) {
    const [begin, end] = [new Date(from - 1).toISOString(), new Date(to).toISOString()];
    const { data, errors } = await server.ask(query, { symbol, interval, from: begin, to: end, after }, 10_000);
    if (!data) throw new Error(`The query of candles was refused: ${JSON.stringify(errors)}`);
    const page = data.candles as {
      edges: readonly { node: ShownCandle }[];
      pageInfo: { hasNextPage: boolean; endCursor: string };
    };
    candles.push(...page.edges.map(({ node }) => node));
    [after, more] = [page.pageInfo.endCursor, page.pageInfo.hasNextPage];
  }
  return candles;
}

/** What a client was told of a candle is what is stored. That more is known of it by now, it may not have heard. */
function judge(follower: CandleSubscriber, candle: ShownCandle, protocol: Protocol): void {
  const key = keyOf(candle);
  const told = follower.candles.get(key);
  const where = follower.interval;
  protocol.count('compared');
  const times = follower.closed.get(key) ?? 0;
  if (times !== 1) protocol.findings.add('CANDLE_NOT_CLOSED_ONCE', where, `${key} ${times} times`);
  if (told === undefined) return;
  const [values, known] = [valuesOf(candle), valuesOf(told)];
  if (values !== known) protocol.findings.add('CANDLE_DIFFERENT', where, `${known} instead of ${values}`);
  if (told.state === 'FINAL' && candle.state !== 'FINAL')
    protocol.findings.add('CANDLE_FALSE_FINAL', where, `${key} is ${candle.completeness}`);
  if (told.state !== 'FINAL' && candle.state === 'FINAL') protocol.count('finalOnlyByQuery');
}

const valuesOf = (candle: ShownCandle): string =>
  JSON.stringify({ ...candle, state: undefined, completeness: undefined });
