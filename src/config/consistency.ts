import { z } from 'zod';
import type { ExchangeAdapter } from '../exchanges/adapter.ts';
import { EXCHANGES, isExchangeId } from '../exchanges/registry.ts';
import { DataType, isDataType, PUBLIC_DATA_TYPES } from '../market/data-type.ts';
import { dataTypeOfChannelKey } from './channels.ts';
import { closest } from './problems.ts';

/** What is legible of a configuration; the schema reports the rest, and these checks still find what does not fit together. */
const LEGIBLE = z.object({
  tables: z
    .object({
      market_data: z.string().default('market_data').catch(''),
      raw_trades: z.string().default('raw_trades').catch(''),
      collector_status: z.string().default('collector_status').catch(''),
    })
    .prefault({})
    .catch({ market_data: '', raw_trades: '', collector_status: '' }),
  exchanges: legibleList(
    z.object({
      exchange: z.string().catch(''),
      connection: z.object({ ping_interval: z.number().optional().catch(undefined) }).catch({}),
      trading_pairs: legibleList(
        z.object({
          symbol: z.string().catch(''),
          enabled: z.boolean().catch(true),
          data_types: legibleList(z.string()).optional(),
          channels: z.record(z.string(), z.unknown()).catch({}),
        }),
      ),
    }),
  ),
});

type LegibleExchange = z.infer<typeof LEGIBLE>['exchanges'][number];
type LegiblePair = NonNullable<LegibleExchange>['trading_pairs'][number];

/** Keeps the places of a list, so that paths stay right: null where an element is not legible. */
function legibleList<T extends z.ZodType>(element: T) {
  return z.array(element.nullable().catch(() => null)).catch([]);
}

/** Problems no single setting has: what is named twice, and what an exchange does not offer. `hasCredentials` by exchange id. */
export function consistencyProblems(input: unknown, hasCredentials: (exchange: string) => boolean): readonly string[] {
  const { data } = LEGIBLE.safeParse(input);
  if (!data) return [];
  const exchangeIds = data.exchanges.map((exchange) => exchange?.exchange ?? '');
  return [
    ...repeats(Object.values(data.tables), Object.keys(data.tables)).map(
      ({ at, first, value }) =>
        `tables.${at}: "${value}" is the name of tables.${first} already; give each table its own`,
    ),
    ...repeats(exchangeIds).map(
      ({ at, first, value }) =>
        `exchanges[${at}].exchange: ${value} is configured at exchanges[${first}] already; move its trading pairs there`,
    ),
    ...data.exchanges.flatMap((exchange, index) => exchangeProblems(exchange, `exchanges[${index}]`, hasCredentials)),
  ];
}

function exchangeProblems(
  exchange: LegibleExchange,
  path: string,
  hasCredentials: (exchange: string) => boolean,
): readonly string[] {
  if (!exchange || !isExchangeId(exchange.exchange)) return [];
  const adapter: ExchangeAdapter = EXCHANGES[exchange.exchange];
  const symbols = exchange.trading_pairs.map((pair) => pair?.symbol ?? '');
  return [
    ...heartbeatProblems(adapter, exchange, path),
    ...repeats(symbols).map(
      ({ at, first, value }) =>
        `${path}.trading_pairs[${at}].symbol: ${value} is collected by trading_pairs[${first}] already; put all its data types there`,
    ),
    ...exchange.trading_pairs.flatMap((pair, index) =>
      pair ? pairProblems(adapter, pair, `${path}.trading_pairs[${index}]`, hasCredentials(adapter.id)) : [],
    ),
  ];
}

function heartbeatProblems(
  adapter: ExchangeAdapter,
  { connection }: NonNullable<LegibleExchange>,
  path: string,
): readonly string[] {
  const { heartbeat } = adapter;
  if (heartbeat.by !== 'client' || connection.ping_interval === undefined) return [];
  const idleCut = heartbeat.idleCutMs / 1_000;
  if (connection.ping_interval < idleCut) return [];
  return [
    `${path}.connection.ping_interval: must be under ${idleCut} s, after which ${adapter.name} cuts a silent socket, was ${connection.ping_interval}`,
  ];
}

function pairProblems(
  adapter: ExchangeAdapter,
  pair: NonNullable<LegiblePair>,
  path: string,
  hasCredentials: boolean,
): readonly string[] {
  const types = pair.data_types ?? PUBLIC_DATA_TYPES.filter((type) => adapter.dataTypes.includes(type));
  const problems: string[] = [];
  for (const [index, type] of types.entries()) {
    if (!isDataType(type)) continue;
    const at = `${path}.data_types[${index}]`;
    if (!adapter.dataTypes.includes(type))
      problems.push(`${at}: ${adapter.name} has no ${type}; choose from ${adapter.dataTypes.join(', ')}`);
    else if (type === DataType.BALANCE && pair.enabled && !hasCredentials)
      problems.push(
        `${at}: balance needs ${credentialNames(adapter.id).join(', ')} in the environment (read-only keys)`,
      );
  }
  return [...problems, ...channelProblems(adapter, pair.channels, `${path}.channels`)];
}

function channelProblems(
  adapter: ExchangeAdapter,
  channels: Readonly<Record<string, unknown>>,
  path: string,
): readonly string[] {
  const problems: string[] = [];
  const named = new Map<DataType, string>();
  for (const [key, name] of Object.entries(channels)) {
    const type = dataTypeOfChannelKey(key);
    if (type === null || typeof name !== 'string' || name === '') continue;
    const other = named.get(type);
    if (other !== undefined) problems.push(`${path}.${key}: says the same as ${other}; keep one of them`);
    named.set(type, key);
    const names = adapter.channelNames[type] ?? [];
    if (names.includes(name)) continue;
    const owner = Object.entries(adapter.channelNames).find(([, all]) => all.includes(name))?.[0];
    const near = closest(name, names);
    problems.push(
      `${path}.${key}: ${adapter.name} has no ${type} channel "${name.slice(0, 60)}"` +
        (owner === undefined ? '' : `, that is one for ${owner}`) +
        (near === null ? `; choose from ${names.join(', ')}` : `; did you mean ${near}?`),
    );
  }
  return problems;
}

/** Where an exchange's keys come from: the environment, never the file. */
export const credentialNames = (exchange: string) =>
  ['KEY', 'SECRET', 'PASSPHRASE'].map((part) => `${exchange.toUpperCase()}_API_${part}`) as [string, string, string];

/** Every value that stands earlier in the list too, with the labels of both places (by default their positions). */
function repeats(values: readonly string[], labels: readonly (string | number)[] = values.map((_, index) => index)) {
  return values.flatMap((value, index) => {
    const first = values.indexOf(value);
    return value === '' || first === index ? [] : [{ value, at: labels[index], first: labels[first] }];
  });
}
