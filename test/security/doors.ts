import { request } from 'node:http';
import type { GraphQLField, GraphQLInputType } from 'graphql';
import { getNamedType, isEnumType, isInputObjectType, isLeafType, isListType, isNonNullType } from 'graphql';
import { WebSocket } from 'ws';

/** How a request ended: with a code of access, or not. */
export interface Outcome {
  /** Of HTTP, or of how the socket was closed; 0 while it is open. */
  readonly status: number;
  /** UNAUTHENTICATED or FORBIDDEN; null for anything else, also for other errors. */
  readonly refusal: string | null;
}

export interface Asked {
  readonly document: string;
  readonly isSubscription: boolean;
  readonly token: string | null;
  /** The address of this machine it comes from. */
  readonly from: string;
}

const REFUSAL = /"code":"(UNAUTHENTICATED|FORBIDDEN)"/;

/** By POST; the answer is read to its end, of a subscription that was begun only the beginning. */
export const overHttp = (url: string, accept: string, { document, token, from }: Asked): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const headers = {
      ...{ 'content-type': 'application/json', accept },
      ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    };
    const outgoing = request(url, { method: 'POST', headers, localAddress: from, agent: false }, (response) => {
      let text = '';
      const done = () => {
        resolve({ status: response.statusCode ?? 0, refusal: REFUSAL.exec(text)?.[1] ?? null });
        outgoing.destroy();
      };
      response.setEncoding('utf8').on('end', done);
      response.on('data', (chunk: string) => {
        text += chunk;
        // A stream that has begun goes on for ever, and whoever is refused has no stream.
        if (text.startsWith(':\nretry:') && response.statusCode === 200) done();
      });
    });
    outgoing.on('error', reject).end(JSON.stringify({ query: document }));
  });

/** Over a socket of its own, which says who it is and asks without waiting to be let in. */
export const overSocket = (url: string, { document, token, from }: Asked): Promise<Outcome> =>
  new Promise((resolve, reject) => {
    const socket = new WebSocket(url.replace('http', 'ws'), 'graphql-transport-ws', { localAddress: from });
    let status = 0;
    const done = (refusal: string | null) => {
      resolve({ status, refusal });
      socket.terminate();
    };
    const ask = () => socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query: document } }));
    socket.on('error', reject).on('open', () => {
      const payload = token === null ? undefined : { authorization: `Bearer ${token}` };
      socket.send(JSON.stringify({ type: 'connection_init', payload }));
      if (token === null) ask();
    });
    socket.on('message', (data) => {
      const text = String(data);
      const { type } = JSON.parse(text) as { readonly type: string };
      if (type === 'connection_ack') {
        ask();
        // Answered in order: when this comes back, a refusal has come, or it runs.
        setImmediate(() => socket.ping());
      } else if (REFUSAL.test(text)) done(REFUSAL.exec(text)?.[1] ?? null);
      else if (type === 'complete' || type === 'next' || type === 'error') done(null);
    });
    let pongs = 0;
    socket.on('pong', () => {
      pongs += 1;
      if (pongs < 20) socket.ping();
      else done(null);
    });
    socket.on('close', (code) => {
      status = code;
      done(code === 4401 ? 'UNAUTHENTICATED' : code === 4403 ? 'FORBIDDEN' : null);
    });
  });

/** The shortest document that asks for a field at the root. */
export function documentOf(root: string, field: GraphQLField<unknown, unknown>): string {
  const required = field.args.filter(({ type, defaultValue }) => isNonNullType(type) && defaultValue === undefined);
  const args = required.map(({ name, type }) => `${name}: ${literalOf(type)}`).join(', ');
  const selection = isLeafType(getNamedType(field.type)) ? '' : ' { __typename }';
  return `${root.toLowerCase()} { ${field.name}${args === '' ? '' : `(${args})`}${selection} }`;
}

const LITERALS: Readonly<Record<string, string>> = {
  ...{
    ID: '"QmFja2ZpbGw6MQ"',
    String: '"okx:BTC-USDT"',
    Int: '1',
    Boolean: 'true',
    DateTime: '"2026-01-01T00:00:00Z"',
  },
  ...{ Date: '"2026-01-01"', Cursor: '"x"', BigInt: '"1"', Decimal: '"1"' },
};

function literalOf(type: GraphQLInputType): string {
  if (isNonNullType(type)) return literalOf(type.ofType);
  if (isListType(type)) return `[${literalOf(type.ofType)}]`;
  if (isEnumType(type)) return type.getValues().at(-1)?.name ?? ''; // the first kind of data is a balance
  if (!isInputObjectType(type)) return LITERALS[type.name] ?? 'null';
  const required = Object.values(type.getFields()).filter(
    (one) => isNonNullType(one.type) && one.defaultValue === undefined,
  );
  return `{ ${required.map((one) => `${one.name}: ${literalOf(one.type)}`).join(', ')} }`;
}
