import { describe, expect, it } from 'vitest';
import { readDatabaseUrl } from '../../src/storage/database-url.ts';

describe('what is said of encryption', () => {
  it.each([
    ['postgres://u@db.example.org/d', false],
    ['postgres://u@db.example.org/d?sslmode=disable', false],
    ['postgres://u@127.0.0.1/d?sslmode=prefer', false],
    ['postgres://u@localhost/d?sslmode=allow', false],
    ['postgres://u@[::1]/d?sslmode=prefer', false],
    ['postgres:///d?host=/run/postgresql&sslmode=prefer', false],
    ['postgres://u@%2Frun%2Fpostgresql/d?sslmode=prefer', false],
    ['postgres://u@db.example.org/d?sslmode=require', { minVersion: 'TLSv1.3' }],
    ['postgres://u@db.example.org/d?sslmode=verify-full', { minVersion: 'TLSv1.3' }],
  ])('of %s is kept', (url, ssl) => {
    expect(readDatabaseUrl(url).ssl).toEqual(ssl);
  });

  it.each(['allow', 'prefer'])('must not leave it open to whoever is between: %s', (mode) => {
    for (const at of [
      'u:SECRET@db.example.org/d?',
      'u:SECRET@127.0.0.1/d?host=db.example.org&',
      'u:SECRET@10.0.0.1/d?',
    ])
      expect(() => readDatabaseUrl(`postgres://${at}sslmode=${mode}`)).toThrow(
        /^database\.url \(DATABASE_URL\) leaves it (?!.*SECRET).*sslmode=verify-full/,
      );
  });
});
