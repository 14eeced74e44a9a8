import { formatTime } from '../runtime/date-time.ts';
import { AppError } from '../runtime/errors.ts';
import { builder } from './builder.ts';
import { pageArgs } from './connection.ts';
import type { GraphQLContext, History, Services } from './context.ts';

export const OrderEnum = builder.enumType('Order', {
  description: 'Direction of time in a list.',
  values: {
    ASC: { value: 'ASC', description: 'Oldest first.' },
    DESC: { value: 'DESC', description: 'Newest first.' },
  } as const,
});

/** What every list of stored market data takes. */
export const historyArgs = () => ({
  ...marketArgs(),
  ...builder.args((t) => ({
    from: t.field({
      type: 'DateTime',
      description: 'Start of the range by exchange time, inclusive; without it from the beginning.',
    }),
    to: t.field({
      type: 'DateTime',
      description: 'End of the range by exchange time, exclusive; without it up to now.',
    }),
    order: t.field({ type: OrderEnum, defaultValue: 'DESC', description: 'Oldest or newest first.' }),
  })),
  ...pageArgs(),
});

export const marketArgs = () =>
  builder.args((t) => ({
    exchange: t.string({ required: true, description: 'Exchange id, such as "okx"; `exchanges` lists them.' }),
    symbol: t.string({ required: true, description: 'Canonical BASE-QUOTE, such as "BTC-USDT".' }),
  }));

export interface Range {
  readonly from: Date | null;
  readonly to: Date | null;
  readonly order: 'ASC' | 'DESC';
}

/** As GraphQL hands them over; times in ms. */
export interface RangeArgs {
  readonly from?: number | null | undefined;
  readonly to?: number | null | undefined;
  readonly order?: Range['order'] | null | undefined;
}

/** @throws {AppError} BAD_USER_INPUT when `from` is after `to`. */
export function readRange(args: RangeArgs): Range {
  const { from = null, to = null } = args;
  if (from !== null && to !== null && from > to)
    throw new AppError(
      'BAD_USER_INPUT',
      `\`from\` (${formatTime(from)}) is after \`to\` (${formatTime(to)}); the range is [from, to)`,
    );
  return { from: toDate(from), to: toDate(to), order: args.order ?? 'DESC' };
}

/**
 * Resolves when what is known at a time can be answered, and will be answered the same ever after; null is now.
 * @throws {AppError} BAD_USER_INPUT for a time that is to come, DATABASE_UNAVAILABLE when what was recorded by then is long in coming.
 */
export async function requireKnown(
  { clock, recorder }: GraphQLContext,
  asOf: number | null | undefined,
): Promise<void> {
  if (asOf == null) return;
  const now = clock.now();
  if (asOf > now)
    throw new AppError(
      'BAD_USER_INPUT',
      `Nobody knows yet what is known at ${formatTime(asOf)}; give a time up to now (${formatTime(now)})`,
    );
  await recorder.storedUpTo(asOf);
}

const toDate = (ms: number | null): Date | null => (ms === null ? null : new Date(ms));

/** What tells which markets there are. */
interface Markets extends Pick<Services, 'exchanges' | 'collectors'> {
  readonly history: Pick<History, 'hasInstrument'>;
}

/** @throws {AppError} EXCHANGE_UNKNOWN when there is no adapter of that id. */
export function requireExchange({ exchanges }: Pick<Services, 'exchanges'>, exchange: string): void {
  if (Object.hasOwn(exchanges, exchange)) return;
  throw new AppError(
    'EXCHANGE_UNKNOWN',
    `There is no exchange "${shown(exchange)}"; supported are ${Object.keys(exchanges).join(', ')}`,
  );
}

/** @throws {AppError} EXCHANGE_UNKNOWN, or SYMBOL_UNKNOWN when neither a collector nor stored data has that symbol. */
export async function requireMarket(context: Markets, exchange: string, symbol: string): Promise<void> {
  requireExchange(context, exchange);
  if (!(await isMarket(context, exchange, symbol))) throw unknownSymbol(symbol, exchange);
}

async function isMarket({ collectors, history }: Markets, exchange: string, symbol: string): Promise<boolean> {
  return (
    collectors.getCollector(`${exchange}:${symbol}`) !== undefined || (await history.hasInstrument(exchange, symbol))
  );
}

const unknownSymbol = (symbol: string, where: string) =>
  new AppError(
    'SYMBOL_UNKNOWN',
    `Nothing is collected or stored of "${shown(symbol)}" on ${where}; symbols are BASE-QUOTE, such as BTC-USDT, and \`instruments\` lists what is here`,
  );

const shown = (text: string): string => (text.length > 40 ? `${text.slice(0, 40)}…` : text);

const MAX_SYMBOLS = 100;

/**
 * Refuses a stream that could never carry anything.
 * @throws {AppError} EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN, or BAD_USER_INPUT for an empty or overlong list of symbols.
 */
export async function requireStreamed(
  context: GraphQLContext,
  {
    exchange,
    symbols,
  }: { readonly exchange?: string | null | undefined; readonly symbols?: readonly string[] | null | undefined },
): Promise<void> {
  if (exchange != null) requireExchange(context, exchange);
  if (symbols == null) return;
  if (symbols.length < 1 || symbols.length > MAX_SYMBOLS)
    throw new AppError(
      'BAD_USER_INPUT',
      `\`symbols\` names 1 to ${MAX_SYMBOLS} symbols, or is left out for all; it named ${symbols.length}`,
    );
  const ids = exchange == null ? Object.keys(context.exchanges) : [exchange];
  for (const symbol of symbols) {
    const known = await Promise.all(ids.map((id) => isMarket(context, id, symbol)));
    if (!known.includes(true)) throw unknownSymbol(symbol, exchange ?? 'any exchange');
  }
}
