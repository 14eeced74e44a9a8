import type { OpenSocket } from '../collectors/connection/socket.ts';
import { ExchangeRest } from '../collectors/rest/exchange-rest.ts';
import type { Fetch } from '../collectors/rest/rest-client.ts';
import type { ExchangeSettings } from '../config/config.ts';
import type { Endpoint, ExchangeAdapter } from '../exchanges/adapter.ts';
import { EXCHANGES } from '../exchanges/registry.ts';
import type { Clock } from '../runtime/clock.ts';
import { messageOf } from '../runtime/errors.ts';
import { untraced } from '../runtime/tracing.ts';
import { type Finding, fail, ok, warn } from './finding.ts';

/** How exchanges are reached: the seams the collectors use. */
export interface Reach {
  readonly fetch: Fetch;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
}

const SOCKET_MS = 10_000;
/** Trades are told by the exchange's time; a login of OKX is refused beyond 30 s. */
const SKEW_WARN_MS = 1_000;
const SKEW_FAIL_MS = 25_000;
const UNREACHED = 'Look at the network, a firewall or proxy, and whether the exchange serves your country.';

/** REST, clock, symbols and sockets of one configured exchange. */
export async function checkExchange(settings: ExchangeSettings, reach: Reach): Promise<readonly Finding[]> {
  const adapter: ExchangeAdapter = EXCHANGES[settings.exchange];
  const pairs = settings.trading_pairs.filter(({ enabled }) => enabled);
  if (pairs.length === 0) return [];
  const rest = new ExchangeRest({ adapter, connection: settings.connection, tracer: untraced, ...reach });
  const [clock, symbols, ...sockets] = await Promise.all([
    checkClock(rest, reach.clock),
    checkSymbols(rest, settings),
    ...endpointsOf(adapter, settings).map((endpoint) => checkSocket(adapter, settings, endpoint, reach)),
  ]);
  return [...clock, ...symbols, ...sockets];
}

async function checkClock(rest: ExchangeRest, clock: Clock): Promise<readonly Finding[]> {
  const { id, rest: api } = rest.adapter;
  const begun = clock.monotonic();
  try {
    const body = await rest.client.get(api.time());
    const tookMs = clock.monotonic() - begun;
    const time = api.readTime(body);
    // What the exchange printed was true about half-way.
    const skew = clock.now() - tookMs / 2 - time;
    return [ok('exchange-rest', `answered in ${Math.round(tookMs)} ms`, id), skewOf(skew, tookMs, id)];
  } catch (error) {
    return [fail('exchange-rest', messageOf(error), UNREACHED, id)];
  }
}

function skewOf(skew: number, tookMs: number, id: string): Finding {
  const found = `ours is ${Math.abs(Math.round(skew))} ms ${skew < 0 ? 'behind' : 'ahead'}, give or take ${Math.ceil(tookMs / 2)}`;
  const sure = Math.max(0, Math.abs(skew) - tookMs / 2);
  const advice = 'Let the clock be set by NTP (timedatectl set-ntp true, chrony).';
  if (sure > SKEW_FAIL_MS) return fail('exchange-clock', found, advice, id);
  return sure > SKEW_WARN_MS ? warn('exchange-clock', found, advice, id) : ok('exchange-clock', found, id);
}

/** What a list leaves out, as OKX's options, is asked for by its trades. */
async function checkSymbols(rest: ExchangeRest, settings: ExchangeSettings): Promise<readonly Finding[]> {
  const { id } = rest.adapter;
  const symbols = settings.trading_pairs.filter(({ enabled }) => enabled).map(({ symbol }) => symbol);
  try {
    const trading = await tradingOf(rest);
    const wrong: Finding[] = [];
    for (const symbol of symbols) {
      const said = trading.get(symbol) ?? ((await hasTrades(rest, symbol)) ? true : null);
      if (said === null)
        wrong.push(fail('exchange-symbols', `${symbol} is not listed`, 'Correct it in the configuration.', id));
      if (said === false)
        wrong.push(warn('exchange-symbols', `${symbol} is not traded now`, 'Set "enabled": false for it.', id));
    }
    return wrong.length > 0 ? wrong : [ok('exchange-symbols', `${symbols.join(', ')}: traded`, id)];
  } catch (error) {
    return [warn('exchange-symbols', `not known: ${messageOf(error)}`, UNREACHED, id)];
  }
}

/** Whether a listed symbol is being traded. */
async function tradingOf({ adapter, client }: ExchangeRest): Promise<ReadonlyMap<string, boolean>> {
  const trading = new Map<string, boolean>();
  for (const request of adapter.rest.instruments())
    for (const listed of adapter.rest.readInstruments(await client.get(request)))
      trading.set(listed.symbol, listed.trading);
  return trading;
}

const hasTrades = (rest: ExchangeRest, symbol: string): Promise<boolean> =>
  rest
    .trades(symbol, (native, { rest: api }) => api.recentTrades(native))
    .then(({ trades }) => trades.length > 0)
    .catch(() => false);

/** Those of its sockets the configured channels live on. */
function endpointsOf(adapter: ExchangeAdapter, { trading_pairs: pairs }: ExchangeSettings): readonly Endpoint[] {
  const endpoints = new Set<Endpoint>();
  for (const { symbol, data_types: types, channels, enabled } of pairs)
    for (const type of enabled ? types : [])
      for (const { endpoint } of adapter.channels(symbol, type, channels[type])) endpoints.add(endpoint);
  return [...endpoints].sort();
}

async function checkSocket(
  adapter: ExchangeAdapter,
  { connection }: ExchangeSettings,
  endpoint: Endpoint,
  { openSocket, clock }: Reach,
): Promise<Finding> {
  const of = `${adapter.id} ${endpoint}`;
  const begun = clock.monotonic();
  const giveUp = new AbortController();
  const { promise, resolve } = Promise.withResolvers<string | null>();
  const socket = openSocket(
    connection[`${endpoint}_ws_url`],
    { maxFrameBytes: adapter.maxFrameBytes },
    {
      opened: () => resolve(null),
      arrived: () => {},
      frame: () => {},
      binary: () => {},
      alive: () => {},
      violated: () => {},
      closed: (code, reason) => resolve(reason === '' ? `closed with ${code}` : reason),
    },
  );
  clock.sleep(SOCKET_MS, giveUp.signal).then(
    () => resolve(`no answer within ${SOCKET_MS / 1_000} s`),
    () => {},
  );
  const refused = await promise;
  giveUp.abort();
  socket.terminate();
  if (refused !== null) return fail('exchange-socket', refused, UNREACHED, of);
  return ok('exchange-socket', `opened in ${Math.round(clock.monotonic() - begun)} ms`, of);
}
