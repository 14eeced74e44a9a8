import { GraphQLError, print, type ValueNode, valueFromASTUntyped } from 'graphql';
import { isDecimal } from '../market/decimal.ts';
import { formatTime, parseTime } from '../runtime/date-time.ts';
import { builder } from './builder.ts';

const MAX_SHOWN = 60;
/** Of "2026-01-31". */
const DAY_LENGTH = 10;

/** How a scalar is read from variables and from documents; `read` returns null for what breaks the rule. */
function input<T>(rule: string, read: (value: unknown) => T | null) {
  const extensions = { code: 'BAD_USER_INPUT' };
  return {
    parseValue: (value: unknown): T => {
      const found = read(value);
      if (found === null) throw new GraphQLError(rule, { extensions }); // GraphQL adds which variable it was
      return found;
    },
    parseLiteral: (node: ValueNode): T => {
      const found = read(valueFromASTUntyped(node));
      if (found === null)
        throw new GraphQLError(`${rule}, was ${print(node).slice(0, MAX_SHOWN)}`, { nodes: node, extensions });
      return found;
    },
  };
}

builder.scalarType('DateTime', {
  description:
    'An instant in UTC, ISO-8601 with milliseconds: "2026-01-31T12:00:00.000Z". Input may leave out the fraction or name an offset; ' +
    'a time without zone or finer than a millisecond is refused.',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => formatTime(Number(value)),
  ...input('A DateTime is written like "2026-01-31T12:00:00.000Z"', (value) =>
    typeof value === 'string' ? parseTime(value) : null,
  ),
});

builder.scalarType('Date', {
  description: 'A day in UTC: "2026-01-31".',
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc3339',
  serialize: (value) => formatTime(Number(value)).slice(0, DAY_LENGTH),
  ...input('A Date is a day written like "2026-01-31"', (value) =>
    typeof value === 'string' && value.length === DAY_LENGTH ? parseTime(`${value}T00:00:00Z`) : null,
  ),
});

builder.scalarType('Decimal', {
  description: 'An exact decimal as text, as the exchange printed it: "0.10000000". Never a float, never rounded.',
  serialize: (value) => value,
  ...input('A Decimal is a string of plain digits with an optional fraction, like "0.00012"', (value) =>
    isDecimal(value) ? value : null,
  ),
});

builder.scalarType('BigInt', {
  description: 'An integer of any size as text: "9007199254740993".',
  serialize: (value) => String(value),
  ...input('A BigInt is a string of digits, like "9007199254740993"', (value) => {
    if (typeof value === 'string' && /^-?\d{1,40}$/.test(value)) return BigInt(value);
    return Number.isSafeInteger(value) ? BigInt(value as number) : null;
  }),
});

builder.scalarType('Cursor', {
  description: 'A place in a list or a stream. Opaque; good for the same field with the same filter.',
  serialize: (value) => value,
  ...input('A Cursor is a string, as it was given', (value) => (typeof value === 'string' ? value : null)),
});

builder.scalarType('JSON', {
  description: "Any JSON value: an exchange's own payload.",
  specifiedByURL: 'https://www.rfc-editor.org/rfc/rfc8259',
  serialize: (value) => value,
});
