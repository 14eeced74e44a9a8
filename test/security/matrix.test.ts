import { readFile } from 'node:fs/promises';
import { buildSchema, isObjectType } from 'graphql';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Access } from '../../src/access/access.ts';
import { grantedBy, ROLES, type Role } from '../../src/access/role.ts';
import { TokenFile } from '../../src/access/token-file.ts';
import { createToken, revokeToken } from '../../src/access/tokens.ts';
import { FIELD_ROLES } from '../../src/graphql/access.ts';
import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { publicFetch } from '../access/public-fetch.ts';
import { type Served, serve } from '../server/served.ts';
import { temporary } from '../support/temporary.ts';
import { type Asked, documentOf, type Outcome, overHttp, overSocket } from './doors.ts';

/** Every field at the root of the printed schema, whoever asks, over every door. */
const printed = buildSchema(await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
const FIELDS = ['Query', 'Mutation', 'Subscription'].flatMap((root) => {
  const type = printed.getType(root);
  const fields = isObjectType(type) ? Object.values(type.getFields()) : [];
  return fields.map((field) => ({
    name: `${root}.${field.name}`,
    document: documentOf(root, field),
    isSubscription: root === 'Subscription',
    needs: FIELD_ROLES[root]?.[field.name],
  }));
});

const STRANGERS = ['none', 'wrong', 'expired', 'revoked'] as const;

let served: Served;
let access: Access;
const tokens = new Map<string, string | null>([['none', null]]);
beforeAll(async () => {
  const dataDir = temporary();
  const file = new TokenFile(dataDir);
  const now = Date.now();
  const make = (name: string, role: Role, expiresAt: number | null = null) =>
    tokens.set(name, createToken(file, { name, roles: [role], expiresAt }, now).reveal());
  make('expired', 'admin', now - 1);
  make('revoked', 'admin');
  revokeToken(file, 'revoked', now);
  for (const role of ROLES) make(role, role);
  tokens.set('wrong', `${tokens.get('admin')?.slice(0, -4)}AAAA`);
  access = new Access({
    ...{ dataDir, anonymous: null, jwt: null, isLocal: true, fetch: publicFetch },
    clock: systemClock,
    log: silentLog,
  });
  served = await serve({ access });
});
afterAll(async () => {
  await served[Symbol.asyncDispose]();
  access[Symbol.dispose]();
});

const DOORS: Readonly<Record<string, (asked: Asked) => Promise<Outcome>>> = {
  HTTP: (asked) => overHttp(served.url, 'application/json', asked),
  SSE: (asked) => overHttp(served.url, 'text/event-stream', asked),
  WebSocket: (asked) => overSocket(served.url, asked),
};

/** Wrong tokens come from an address each, or they would be refused for their number. */
let addresses = 0;
const nextAddress = () => `127.1.${addresses >> 7}.${(addresses++ & 127) + 1}`;
const stateOf = () =>
  served.market.manager.listCollectors().map((name) => {
    const { status, shouldBeRunning, statistics } = served.market.manager.getCollector(name)?.getStatus() ?? {};
    return [name, status, shouldBeRunning, statistics?.restarts];
  });

it('has a field of every kind to look at', () => {
  expect(FIELDS.length).toBeGreaterThan(35);
  expect(FIELDS.filter(({ needs }) => needs === undefined)).toEqual([]);
});

it.each(Object.keys(DOORS))('over %s refuses everything to whoever has no token that is good', async (door) => {
  const before = stateOf();
  for (const who of STRANGERS) {
    const outcomes = await Promise.all(
      FIELDS.map(async ({ name, document, isSubscription }) => {
        const asked = { document, isSubscription, token: tokens.get(who) ?? null, from: nextAddress() };
        return [name, await DOORS[door]?.(asked)] as const;
      }),
    );
    const code = door === 'WebSocket' ? (who === 'none' ? 'UNAUTHENTICATED' : 'FORBIDDEN') : 'UNAUTHENTICATED';
    const status = door !== 'WebSocket' ? 401 : who === 'none' ? 4401 : 4403;
    expect(outcomes.filter(([, of]) => of?.refusal !== code || of.status !== status)).toEqual([]);
    expect(stateOf()).toEqual(before);
  }
});

it.each(Object.keys(DOORS))('over %s refuses to each role what it may not do, and nothing else', async (door) => {
  for (const role of ROLES) {
    const may = (needs: Role | undefined) => needs !== undefined && grantedBy(role).has(needs);
    const token = tokens.get(role) ?? null;
    const ask = async ({ name, document, isSubscription }: (typeof FIELDS)[number]) =>
      [name, await DOORS[door]?.({ document, isSubscription, token, from: nextAddress() })] as const;
    const before = stateOf();
    const refused = await Promise.all(FIELDS.filter(({ needs }) => !may(needs)).map(ask));
    expect(refused.filter(([, of]) => of?.refusal !== 'FORBIDDEN')).toEqual([]);
    if (door !== 'WebSocket') expect(refused.filter(([, of]) => of?.status !== 403)).toEqual([]);
    expect(stateOf()).toEqual(before);
    const allowed = [];
    for (const field of FIELDS.filter(({ needs }) => may(needs))) allowed.push(await ask(field));
    expect(allowed.filter(([, of]) => of?.refusal !== null || of.status === 401 || of.status === 403)).toEqual([]);
    await served.market.manager.startAll();
  }
});

it.each([['/metrics'], ['/export'], ['/export/manifest']])('answers at %s only who may read', async (path) => {
  for (const [who, token] of tokens) {
    const headers: Record<string, string> = token === null ? {} : { authorization: `Bearer ${token}` };
    const { status } = await fetch(served.server.url + path, { headers });
    if ((STRANGERS as readonly string[]).includes(who)) expect([401, 429]).toContain(status);
    else expect([401, 403, 429]).not.toContain(status);
  }
});
