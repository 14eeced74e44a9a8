import type { IncomingMessage } from 'node:http';
import { type DocumentNode, type GraphQLSchema, parse } from 'graphql';
import { NOBODY, type Principal } from '../access/principal.ts';
import { askedMutations } from '../graphql/asked-mutations.ts';
import type { AuditLog } from '../graphql/context.ts';
import type { Clock } from '../runtime/clock.ts';
import type { Limits } from '../runtime/limits.ts';
import { addressOf } from './address.ts';

interface RefusedPorts {
  readonly schema: GraphQLSchema;
  readonly audit: AuditLog;
  readonly limits: Limits;
  readonly clock: Clock;
}

/** An operation and who asked for it. */
interface Refused {
  readonly document: DocumentNode;
  readonly operationName: unknown;
  readonly variables: unknown;
  readonly principal: Principal;
  readonly address: string;
}

/** Has mutations that are refused to somebody leave an entry too. */
export class RefusedMutations {
  readonly #ports: RefusedPorts;

  constructor(ports: RefusedPorts) {
    this.#ports = ports;
  }

  note({ document, operationName, variables, principal: { name, kind }, address }: Refused): void {
    const { schema, audit, clock } = this.#ports;
    const of = typeof operationName === 'string' ? operationName : null;
    for (const asked of askedMutations(schema, document, of, isObject(variables) ? variables : {}))
      audit.refuse({ at: clock.now(), principal: name, principalKind: kind, address, ...asked });
  }

  /** Of whoever was let in nowhere: what he sent was looked at by nobody yet. */
  noteUnread(sent: unknown, address: string): void {
    const { audit, limits } = this.#ports;
    if (!isObject(sent) || typeof sent.query !== 'string') return;
    if (!audit.mayList(address)) return audit.leaveOut();
    try {
      const document = parse(sent.query, { maxTokens: limits.tokens, noLocation: true });
      const { operationName, variables } = sent;
      this.note({ document, operationName, variables, principal: NOBODY, address });
    } catch {
      // no document, so no mutation
    }
  }

  /** Reads what a turned away request carries, unless nothing more of its address would be listed. Never rejects. */
  async noteRequest(request: IncomingMessage): Promise<void> {
    const address = addressOf(request);
    if (request.method !== 'POST') return;
    if (!this.#ports.audit.mayList(address)) return this.#ports.audit.leaveOut();
    const body = await bodyOf(request, this.#ports.limits.body_bytes);
    this.noteUnread(fromJson(body), address);
  }
}

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
