import { GraphQLError } from 'graphql';
import { isDecimal } from '../market/decimal.ts';
import { builder } from './builder.ts';
import { formatTime, parseTime } from './date-time.ts';

const wrong = (message: string) => new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } });

builder.scalarType('DateTime', {
  description:
    'An instant in UTC, ISO-8601 with milliseconds: "2026-01-31T12:00:00.000Z". Input may leave out the fraction or name an offset; ' +
    'a time without zone or finer than a millisecond is refused.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => formatTime(Number(value)),
  parseValue: (value) => {
    const ms = typeof value === 'string' ? parseTime(value) : null;
    if (ms === null) throw wrong('A DateTime is written like "2026-01-31T12:00:00.000Z"');
    return ms;
  },
});

builder.scalarType('Decimal', {
  description: 'An exact decimal as text, as the exchange printed it: "0.10000000". Never a float, never rounded.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (isDecimal(value)) return value;
    throw wrong('A Decimal is a string of plain digits with an optional fraction, like "0.00012"');
  },
});

builder.scalarType('BigInt', {
  description: 'An integer of any size as text: "9007199254740993".',
  serialize: (value) => String(value),
  parseValue: (value) => {
    if (typeof value === 'string' && /^-?\d{1,40}$/.test(value)) return BigInt(value);
    if (Number.isSafeInteger(value)) return BigInt(value as number);
    throw wrong('A BigInt is a string of digits, like "9007199254740993"');
  },
});

builder.scalarType('Cursor', {
  description: 'A place in a list or a stream. Opaque; good for the same field with the same filter.',
  serialize: (value) => value,
  parseValue: (value) => {
    if (typeof value === 'string') return value;
    throw wrong('A Cursor is a string, as it was given');
  },
});

builder.scalarType('JSON', {
  description: "Any JSON value: an exchange's own payload.",
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
});
