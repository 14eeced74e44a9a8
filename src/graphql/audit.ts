import { defaultFieldResolver, type GraphQLSchema } from 'graphql';
import { AppError } from '../runtime/errors.ts';
import type { StoredAuditEntry } from '../storage/audit.ts';
import { isStorable } from '../storage/storable.ts';
import { builder } from './builder.ts';
import { connectionType, edgeType, readPage, toConnection } from './connection.ts';
import type { GraphQLContext } from './context.ts';
import { timeCursors } from './page-cursor.ts';

const LONGEST_TARGET = 200;
const LONGEST_REASON = 500;

/** An argument of every mutation. */
export const REASON = {
  type: 'String',
  description: `Why, for the audit log; what is beyond ${LONGEST_REASON} characters is cut off.`,
} as const;

const AuditEntryType = builder.objectRef<StoredAuditEntry>('AuditEntry').implement({
  description: 'Something that was done by a mutation.',
  fields: (t) => ({
    at: t.expose('at', { type: 'DateTime', description: 'When it was asked for, by our clock.' }),
    principal: t.exposeString('principal', {
      description: 'Who: the name of a token, the subject of a JWT; "local" on a server without tokens.',
    }),
    principalKind: t.exposeString('principalKind', {
      description: 'How that is known: "token", "jwt", or "open" for whoever reaches a server without tokens.',
    }),
    action: t.exposeString('action', { description: 'The mutation, such as "restartCollector".' }),
    target: t.exposeString('target', {
      nullable: true,
      description: 'What it was done to, such as "okx:BTC-USDT"; null for everything there is.',
    }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why, as was said; null when nothing was.' }),
    outcome: t.exposeString('outcome', { description: 'DONE, or the code of what went wrong.' }),
  }),
});

const readId = (text: string): bigint | null => (/^\d{1,18}$/.test(text) ? BigInt(text) : null);

builder.queryField('auditLog', (t) =>
  t.field({
    type: connectionType('AuditEntry', edgeType('AuditEntry', AuditEntryType)),
    description:
      'Who did what, the newest first; needs the role admin. An entry is there as soon as the database has taken it. ' +
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
      if (![principal, action].every((text) => text === null || isStorable(text)))
        return { edges: [], page, hasMore: false };
      const after = page.after && { at: page.after[0], id: page.after[1] };
      const { entries, hasMore } = await history.listAudit({ principal, action, limit: page.limit, after });
      return toConnection(entries, hasMore, page, cursors, ({ at, id }) => [at, id] as const);
    },
  }),
);

interface Payload {
  readonly userErrors?: readonly { readonly code: string }[];
}

/** Has every mutation of a schema leave an entry, however it ends: none can be forgotten. */
export function audited(schema: GraphQLSchema): GraphQLSchema {
  for (const [action, field] of Object.entries(schema.getMutationType()?.getFields() ?? {})) {
    const resolve = field.resolve ?? defaultFieldResolver;
    field.resolve = async (root: unknown, args: Record<string, unknown>, context: GraphQLContext) => {
      const at = context.clock.now();
      const note = (outcome: string) => {
        const { name: principal, kind: principalKind } = context.principal;
        context.audit.append({ at, principal, principalKind, action, ...asked(args), outcome });
      };
      try {
        const payload = (await resolve(root, args, context, undefined as never)) as Payload;
        note(payload.userErrors?.[0]?.code ?? 'DONE');
        return payload;
      } catch (error) {
        note(error instanceof AppError ? error.code : 'INTERNAL_SERVER_ERROR');
        throw error;
      }
    };
  }
  return schema;
}

/** PostgreSQL keeps no text with a zero byte. */
const kept = (text: unknown, longest: number): string | null =>
  typeof text === 'string' ? text.replaceAll('\0', '').slice(0, longest) : null;

function asked({ input, reason }: Record<string, unknown>) {
  const { name, id, exchange, symbol } = (input ?? {}) as Readonly<Record<string, string | undefined>>;
  const target = name ?? id ?? (exchange === undefined ? null : `${exchange}:${symbol}`);
  return { target: kept(target, LONGEST_TARGET), reason: kept(reason, LONGEST_REASON) };
}
