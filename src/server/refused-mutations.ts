import type { IncomingMessage } from 'node:http';
import { type DocumentNode, type GraphQLSchema, parse } from 'graphql';
import { NOBODY, type Principal } from '../access/principal.ts';
import { askedMutations } from '../graphql/asked-mutations.ts';
import { beginsMutation } from '../graphql/begins-mutation.ts';
import type { AuditLog } from '../graphql/context.ts';
import { isTooManyTokens } from '../graphql/limits/too-many-tokens.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Limits } from '../runtime/limits.ts';
import { addressOf } from './address.ts';

interface RefusedPorts {
  readonly schema: GraphQLSchema;
  readonly audit: AuditLog;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** Who asks, and from where. */
export interface Asker {
  readonly principal: Principal;
  readonly address: string;
}

/** An operation and who asked for it. */
interface Refused extends Asker {
  readonly document: DocumentNode;
  readonly operationName: unknown;
  readonly variables: unknown;
}

/** In place of the mutation, of a document too long to be parsed. */
const UNREAD = 'unread';

/** Has mutations that are refused to somebody leave an entry too. */
export class RefusedMutations {
  readonly #ports: RefusedPorts;

  constructor(ports: RefusedPorts) {
    this.#ports = ports;
  }

  /** `code` is why, where it is not that he may not: it takes the place of the reason that was given. */
  note({ document, operationName, variables, principal: { name, kind }, address }: Refused, code?: string): void {
    const { schema, audit, clock } = this.#ports;
    const own = code === undefined ? {} : { reason: code };
    for (const asked of askedMutations(schema, document, nameOf(operationName), isObject(variables) ? variables : {}))
      audit.refuse({ at: clock.now(), principal: name, principalKind: kind, address, ...asked, ...own });
  }

  /** Of a document with more tokens than are parsed: of what they show, only that it is a mutation. */
  noteTooLong(query: string, operationName: unknown, { principal, address }: Asker, reason: string | null): void {
    const { audit, clock, limits } = this.#ports;
    if (!audit.mayList(address)) return audit.leaveOut();
    if (!beginsMutation(query, nameOf(operationName), limits.tokens)) return;
    const { name, kind } = principal;
    const who = { at: clock.now(), principal: name, principalKind: kind, address };
    audit.refuse({ ...who, action: UNREAD, target: null, reason });
  }

  /** Of what was looked at by nobody yet. */
  noteUnread(sent: unknown, { principal, address }: Asker, code?: string): void {
    const { audit, limits } = this.#ports;
    if (!isObject(sent) || typeof sent.query !== 'string') return;
    if (!audit.mayList(address)) return audit.leaveOut();
    const { query, operationName, variables } = sent;
    let document: DocumentNode;
    try {
      document = parse(query, { maxTokens: limits.tokens, noLocation: true });
    } catch (error) {
      if (isTooManyTokens(error, limits.tokens))
        this.noteTooLong(query, operationName, { principal, address }, code ?? null);
      return; // else no document, so no mutation
    }
    this.note({ document, operationName, variables, principal, address }, code);
  }

  /** Reads what a turned away request carries, unless nothing more of its address would be listed. Never rejects. */
  async noteRequest(request: IncomingMessage): Promise<void> {
    const address = addressOf(request);
    if (request.method !== 'POST') return;
    if (!this.#ports.audit.mayList(address)) return this.#ports.audit.leaveOut();
    const body = await bodyOf(request, this.#ports.limits.body_bytes);
    this.noteUnread(fromJson(body), { principal: NOBODY, address });
  }
}

const nameOf = (operationName: unknown): string | null => (typeof operationName === 'string' ? operationName : null);

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null;

/** Empty for one that is too long or breaks off. */
function bodyOf(request: IncomingMessage, most: number): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const chunks: Buffer[] = [];
  let bytes = 0;
  request.on('data', (chunk: Buffer) => {
    bytes += chunk.length;
    if (bytes <= most) chunks.push(chunk);
    else resolve('');
  });
  request.once('end', () => resolve(Buffer.concat(chunks).toString()));
  request.once('close', () => resolve(''));
  return promise;
}

function fromJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
