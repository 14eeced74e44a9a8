import { expect, it } from 'vitest';
import { AppError } from '../../src/runtime/errors.ts';
import { networkTroubleOf } from '../../src/runtime/network-trouble.ts';

const coded = (code: string, message = 'getaddrinfo ENOTFOUND db.internal') =>
  Object.assign(new Error(message), { code });

it.each([
  ['known', coded('ENOTFOUND'), 'its name is not known here (ENOTFOUND)'],
  [
    'known, and deep inside',
    new TypeError('fetch failed', { cause: coded('ECONNREFUSED') }),
    'nobody listens there (ECONNREFUSED)',
  ],
  ['not known', coded('EWHATEVER'), 'EWHATEVER'],
  [
    'ours, which says it in words itself',
    new TypeError('fetch failed', { cause: new AppError('UPSTREAM_UNSAFE', 'It is in a private network') }),
    'It is in a private network',
  ],
  ['the name of what every object has', coded('toString'), 'toString'],
])('tells trouble whose code is %s without what Node says of it', (_code, error, told) => {
  expect(networkTroubleOf(error)).toBe(told);
});

it.each([[new Error('socket hang up')], ['text'], [null]])('has no words for %s', (error) => {
  expect(networkTroubleOf(error)).toBeNull();
});
