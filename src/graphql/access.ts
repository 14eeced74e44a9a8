import {
  type DocumentNode,
  GraphQLError,
  type GraphQLSchema,
  getNamedType,
  isIntrospectionType,
  Kind,
  TypeInfo,
  visit,
  visitWithTypeInfo,
} from 'graphql';
import type { Principal } from '../access/principal.ts';
import type { Role } from '../access/role.ts';
import { AppError } from '../runtime/errors.ts';

/** What the fields at the root ask for, and single fields that ask for more than their type. Whatever stands nowhere here is for nobody. */
export const FIELD_ROLES: Readonly<Record<string, Readonly<Record<string, Role>>>> = {
  Query: {
    ...{
      auditLog: 'admin',
      backfill: 'read',
      balances: 'account',
      candles: 'read',
      candlesAt: 'read',
      collector: 'read',
    },
    ...{ collectors: 'read', coverage: 'read', dataQuality: 'read', exchanges: 'read', gaps: 'read' },
    ...{ health: 'read', instrument: 'read', instruments: 'read', manager: 'read' },
    // Of balances: with account only (market-data.ts).
    ...{ marketData: 'read', node: 'read', nodes: 'read', orderBooks: 'read', tickers: 'read', trades: 'read' },
  },
  Mutation: {
    ...{ addCollector: 'control', removeCollector: 'control', requestBackfill: 'control', cancelBackfill: 'control' },
    ...{ startCollector: 'control', stopCollector: 'control', restartCollector: 'control' },
    ...{ startAllCollectors: 'control', stopAllCollectors: 'control', restartAllCollectors: 'control' },
  },
  Subscription: {
    ...{ balances: 'account', candles: 'read', collectorEvents: 'read', gapChanged: 'read' },
    ...{ orderBook: 'read', tickers: 'read', trades: 'read' },
  },
  // May be a frame of an account.
  Rejection: { sample: 'account' },
};

/** What every field of these types asks for. */
export const TYPE_ROLES: Readonly<Record<string, Role>> = {
  ...{
    AuditEntry: 'admin',
    AuditEntryConnection: 'admin',
    AuditEntryEdge: 'admin',
    Backfill: 'read',
    BackfillPayload: 'control',
    Balance: 'account',
    BalanceStreamPayload: 'account',
  },
  ...{ BackupHealth: 'read', BookLevel: 'read', Candle: 'read', CandleChange: 'read', CandleConnection: 'read' },
  ...{ CandleDifference: 'read', CandleEdge: 'read', CandleStreamPayload: 'read', Collector: 'read' },
  ...{ CollectorEvent: 'read' },
  ...{ CollectorHealth: 'read', CollectorManager: 'read', CollectorPayload: 'control', CollectorStateCount: 'read' },
  ...{ CollectorStatistics: 'read', CoverageInterval: 'read', CoverageShare: 'read', CoverageSummary: 'read' },
  ...{ DataQuality: 'read', Exchange: 'read', ExchangeCandle: 'read', ExchangeCapabilities: 'read', Gap: 'read' },
  ...{ GapConnection: 'read', GapEdge: 'read', Instrument: 'read', InstrumentConnection: 'read' },
  ...{ InstrumentEdge: 'read', ManagerPayload: 'control', MarketData: 'read', MarketDataConnection: 'read' },
  ...{ MarketDataEdge: 'read', Node: 'read', OrderBook: 'read', OrderBookConnection: 'read', OrderBookEdge: 'read' },
  ...{ OrderBookStreamPayload: 'read', PageInfo: 'read', Rejection: 'read', Repairs: 'read', StorageHealth: 'read' },
  ...{ Stream: 'read', StreamCapability: 'read', StreamNotice: 'read', SystemHealth: 'read', Ticker: 'read' },
  ...{ TickerConnection: 'read', TickerEdge: 'read', TickerStreamPayload: 'read', Trade: 'read' },
  ...{ TradeConnection: 'read', TradeEdge: 'read', TradeStreamPayload: 'read', UserError: 'control' },
};

/** What an operation needs: roles, perhaps one nobody has. */
interface Needs {
  readonly roles: ReadonlySet<Role | 'nobody'>;
  /** It asks for what the schema is. */
  readonly introspects: boolean;
}

interface DefinitionNeeds {
  readonly roles: Set<Role | 'nobody'>;
  readonly spreads: Set<string>;
  introspects: boolean;
}

/**
 * Refuses an operation as a whole, before anything of it is executed: who gets an answer gets the same as everybody. Null for what is
 * allowed. The document has to be valid.
 */
export function refusal(
  schema: GraphQLSchema,
  document: DocumentNode,
  operationName: string | null | undefined,
  principal: Principal,
): GraphQLError | null {
  const { roles, introspects } = needsOf(schema, document, operationName ?? null);
  if (introspects && principal.kind === 'anonymous') return unauthenticated('Asking for the schema needs a token');
  for (const role of roles) {
    if (role !== 'nobody' && principal.roles.has(role)) continue;
    if (principal.kind === 'anonymous') return unauthenticated(`This needs a token with the role ${role}`);
    return new GraphQLError(`This needs the role ${role}, which your token does not have`, {
      extensions: { code: 'FORBIDDEN', http: { status: 403 } },
    });
  }
  return null;
}

/** For what depends on an argument. @throws {AppError} UNAUTHENTICATED, FORBIDDEN. */
export function requireRole({ roles, kind }: Principal, role: Role, what: string): void {
  if (roles.has(role)) return;
  if (kind === 'anonymous') throw new AppError('UNAUTHENTICATED', `${what} needs a token with the role ${role}`);
  throw new AppError('FORBIDDEN', `${what} needs the role ${role}, which your token does not have`);
}

const unauthenticated = (message: string): GraphQLError =>
  new GraphQLError(`${message}; send \`Authorization: Bearer <token>\``, {
    extensions: { code: 'UNAUTHENTICATED', http: { status: 401, headers: { 'www-authenticate': 'Bearer' } } },
  });

const known = new WeakMap<DocumentNode, Map<string | null, Needs>>();

function needsOf(schema: GraphQLSchema, document: DocumentNode, name: string | null): Needs {
  const kept = known.get(document)?.get(name);
  if (kept) return kept;
  const needs = findNeeds(schema, document, name);
  const all = known.get(document) ?? new Map<string | null, Needs>();
  // A name the document does not have is the client's text and unbounded: never kept.
  if (all.size < document.definitions.length) known.set(document, all.set(name, needs));
  return needs;
}

/** Of the operation that is meant and the fragments it reaches; without a name of all. */
function findNeeds(schema: GraphQLSchema, document: DocumentNode, name: string | null): Needs {
  const fragments = new Map<string, DefinitionNeeds>();
  const open: DefinitionNeeds[] = [];
  for (const definition of document.definitions) {
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const needs = needsOfDefinition(schema, definition);
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, needs);
    else if (name === null || definition.name?.value === name) open.push(needs);
  }
  const roles = new Set<Role | 'nobody'>(['read']);
  let introspects = false;
  const seen = new Set<DefinitionNeeds>();
  for (let needs = open.pop(); needs; needs = open.pop()) {
    if (seen.has(needs)) continue;
    seen.add(needs);
    for (const role of needs.roles) roles.add(role);
    introspects ||= needs.introspects;
    for (const spread of needs.spreads) open.push(...[fragments.get(spread)].filter((found) => found !== undefined));
  }
  return { roles, introspects };
}

function needsOfDefinition(schema: GraphQLSchema, definition: DocumentNode['definitions'][number]): DefinitionNeeds {
  const needs: DefinitionNeeds = { roles: new Set(), spreads: new Set(), introspects: false };
  const types = new TypeInfo(schema);
  visit(
    definition,
    visitWithTypeInfo(types, {
      FragmentSpread: ({ name }) => void needs.spreads.add(name.value),
      Field: ({ name: { value: field } }) => {
        const parent = types.getParentType();
        if (field === '__typename' || (parent && isIntrospectionType(parent))) return;
        if (field === '__schema' || field === '__type') needs.introspects = true;
        else needs.roles.add(roleOf(parent?.name, field));
        const type = getNamedType(types.getType());
        const ofType = type && Object.hasOwn(TYPE_ROLES, type.name) ? TYPE_ROLES[type.name] : undefined;
        if (ofType !== undefined) needs.roles.add(ofType);
      },
    }),
  );
  return needs;
}

/** Own entries only: a type may be called as what every object has. */
function roleOf(type = '', field: string): Role | 'nobody' {
  const fields = Object.hasOwn(FIELD_ROLES, type) ? FIELD_ROLES[type] : undefined;
  if (fields && Object.hasOwn(fields, field)) return fields[field] ?? 'nobody';
  return (Object.hasOwn(TYPE_ROLES, type) ? TYPE_ROLES[type] : undefined) ?? 'nobody';
}
