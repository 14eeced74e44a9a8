import { defaultFieldResolver, type GraphQLSchema } from 'graphql';
import { AppError } from '../runtime/errors.ts';
import type { StoredAuditEntry } from '../storage/audit.ts';
import { LONGEST_REASON, saidBy } from './asked-mutations.ts';
import { builder } from './builder.ts';
import { connectionType, edgeType, readPage, toConnection } from './connection.ts';
import type { GraphQLContext } from './context.ts';
import { timeCursors } from './page-cursor.ts';

/** An argument of every mutation. */
export const REASON = {
  type: 'String',
  description: `Why, for the audit log; what is beyond ${LONGEST_REASON} characters is cut off.`,
} as const;

const AuditEntryType = builder.objectRef<StoredAuditEntry>('AuditEntry').implement({
  description: 'A mutation somebody asked for.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was asked for, by our clock.' }),
    principal: t.exposeString('principal', {
      description:
        'Who: the name of a token, the subject of a JWT; "local" on a server without tokens, "anonymous" where no token, or none that is good, was shown.',
    }),
    principalKind: t.exposeString('principalKind', {
      description:
        'How that is known: "token", "jwt", "anonymous", or "open" for whoever reaches a server without tokens.',
    }),
    address: t.exposeString('address', {
      nullable: true,
      description: "The address it came from; behind a proxy the proxy's. Null where that is not known.",
    }),
    action: t.exposeString('action', {
      description: 'The mutation, such as "restartCollector"; "unread" of one too long to be parsed.',
    }),
    target: t.exposeString('target', {
      nullable: true,
      description: 'What it was done to, such as "okx:BTC-USDT"; null for everything there is.',
    }),
    reason: t.exposeString('reason', {
      nullable: true,
      description: 'Why, as was said; the code of what broke a limit; null when nothing was said.',
    }),
    outcome: t.exposeString('outcome', {
      description:
        'DONE, the code of what went wrong, or REFUSED: to whoever may not, and of what breaks a limit. UNKNOWN while it is being done, and for ever where the server was killed before it knew.',
    }),
  }),
});

const readId = (text: string): bigint | null => (/^\d{1,18}$/.test(text) ? BigInt(text) : null);

builder.queryField('auditLog', (t) =>
  t.field({
    type: connectionType('AuditEntry', edgeType('AuditEntry', AuditEntryType)),
    description:
      'Who did what or was refused, the newest first; needs the role admin. An entry is there as soon as the database has taken it. ' +
      'Codes: BAD_USER_INPUT, CURSOR_INVALID.',
    args: {
      principal: t.arg.string({ description: 'Only by this one; without it by all.' }),
      action: t.arg.string({ description: 'Only this mutation; without it all.' }),
      first: t.arg.int({ description: 'At most this many, 1 to 1000; without it 50.' }),
      after: t.arg({ type: 'Cursor', description: 'Only what follows this cursor, exclusive.' }),
    },
    resolve: async (_root, { principal = null, action = null, ...args }, { history }) => {
      const cursors = timeCursors('auditLog', [principal, action], readId);
      const page = readPage(args, cursors);
      const after = page.after && { at: page.after[0], id: page.after[1] };
      const { entries, hasMore } = await history.listAudit({ principal, action, limit: page.limit, after });
      return toConnection(entries, hasMore, page, cursors, ({ at, id }) => [at, id] as const);
    },
  }),
);

interface Payload {
  readonly userErrors?: readonly { readonly code: string }[];
}

/** Has every mutation of a schema leave an entry before it is done, and its outcome afterwards: none can be forgotten. */
export function audited(schema: GraphQLSchema): GraphQLSchema {
  for (const [action, field] of Object.entries(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = async (root: unknown, args: Record<string, unknown>, context: GraphQLContext) => {
      const { clock, principal, address, audit } = context;
      const said = { ...saidBy(args), action, address };
      const end = audit.begin({ at: clock.now(), principal: principal.name, principalKind: principal.kind, ...said });
      try {
        const payload = (await resolve(root, args, context, undefined as never)) as Payload;
        end(payload.userErrors?.[0]?.code ?? 'DONE');
        return payload;
      } catch (error) {
        end(error instanceof AppError ? error.code : 'INTERNAL_SERVER_ERROR');
        throw error;
      }
    };
  }
  return schema;
}
