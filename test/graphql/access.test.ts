import { readFile } from 'node:fs/promises';
import { buildSchema, isInterfaceType, isObjectType, isSpecifiedScalarType, parse } from 'graphql';
import { expect, it } from 'vitest';
import { LOCAL, NOBODY, type Principal, READER } from '../../src/access/principal.ts';
import { grantedBy, ROLES, type Role } from '../../src/access/role.ts';
import { FIELD_ROLES, refusal, TYPE_ROLES } from '../../src/graphql/access.ts';
import { schema } from '../../src/graphql/schema.ts';

const printed = buildSchema(await readFile(new URL('../../schema/schema.graphql', import.meta.url), 'utf8'));
const ROOTS = ['Query', 'Mutation', 'Subscription'];
const withRole = (role: Role): Principal => ({ name: 'x', kind: 'token', roles: grantedBy(role), expiresAt: null });
const codeFor = (document: string, principal: Principal, operationName?: string) =>
  refusal(schema, parse(document), operationName, principal)?.extensions.code ?? null;

it('gives every field at the root a role, and names no other', () => {
  for (const root of ROOTS) {
    const type = printed.getType(root);
    expect(Object.keys(FIELD_ROLES[root] ?? {}).sort()).toEqual(
      isObjectType(type) ? Object.keys(type.getFields()).sort() : [],
    );
  }
});

it('gives every type a role, and names no other', () => {
  const types = Object.values(printed.getTypeMap())
    .filter((type) => !type.name.startsWith('__') && !isSpecifiedScalarType(type))
    .filter((type) => isObjectType(type) || isInterfaceType(type))
    .map(({ name }) => name)
    .filter((name) => !ROOTS.includes(name));
  expect(Object.keys(TYPE_ROLES).sort()).toEqual(types.sort());
});

it('gives every mutation at least control', () => {
  expect(Object.values(FIELD_ROLES.Mutation ?? {}).every((role) => role === 'control' || role === 'admin')).toBe(true);
});

const STOP = 'mutation { stopAllCollectors { userErrors { code } } }';
const BALANCES = '{ balances(exchange: "okx") { total } }';

it.each<[document: string, allowed: readonly Role[]]>([
  ['{ health { status } }', ROLES],
  ['{ __typename }', ROLES],
  ['{ __schema { types { name } } }', ROLES],
  [STOP, ['control', 'admin']],
  [BALANCES, ['account', 'admin']],
  ['subscription { balances(exchange: "okx") { balances { total } } }', ['account', 'admin']],
  [
    '{ health { status } ...more } fragment more on Query { balances(exchange: "okx") { total } }',
    ['account', 'admin'],
  ],
  ['{ a: balances(exchange: "okx") { total } }', ['account', 'admin']],
  ['{ ... on Query { ... @include(if: true) { balances(exchange: "okx") { total } } } }', ['account', 'admin']],
  ['{ collectors { rejections { reason } } }', ROLES],
  ['{ collectors { rejections { sample } } }', ['account', 'admin']],
])('allows %s only to %s', (document, allowed) => {
  for (const role of ROLES) expect(codeFor(document, withRole(role))).toBe(allowed.includes(role) ? null : 'FORBIDDEN');
  expect(codeFor(document, LOCAL)).toBeNull();
  expect(codeFor(document, NOBODY)).toBe('UNAUTHENTICATED');
});

it('looks at the operation that is meant, and at all when none is named', () => {
  const document = `query read { health { status } } mutation stop { stopAllCollectors { userErrors { code } } }`;
  expect(codeFor(document, withRole('read'), 'read')).toBeNull();
  expect(codeFor(document, withRole('read'), 'stop')).toBe('FORBIDDEN');
  expect(codeFor(document, withRole('read'))).toBe('FORBIDDEN');
});

it.each([
  ['{ __schema { types { name } } }'],
  ['{ a: __type(name: "Query") { name } }'],
  ['{ ...f } fragment f on Query { ... { __schema { queryType { name } } } }'],
])('tells an anonymous reader nothing of the schema by %s', (document) => {
  expect(codeFor(document, READER)).toBe('UNAUTHENTICATED');
  expect(codeFor('{ health { status } }', READER)).toBeNull();
});

it('has a field nobody wrote a role for be for nobody', () => {
  const other = buildSchema('type Query { secret: Int, constructor: Query, toString: Int }');
  const admin = withRole('admin');
  for (const text of ['{ secret }', '{ constructor { secret } }', '{ toString }'])
    expect(refusal(other, parse(text), null, admin)?.extensions.code).toBe('FORBIDDEN');
});
