import { AppError, messageOf } from '../runtime/errors.ts';

/** Codes of Node's sockets and names, of Postgres' SQLSTATE, that mean: not now, perhaps later. */
const SOCKET_CODES =
  /^(ECONNREFUSED|ECONNRESET|ECONNABORTED|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT|EADDRNOTAVAIL)$/;
/** 08 connection, 53 resources, 57P shutdown, 57014 statement time-out, 58 system, 40001/40P01/55P03 contention, 25006 read-only, 28/3D no access. */
const SQL_STATES = /^(08...|53...|57P..|57014|58...|40001|40P01|55P03|25006|28...|3D000|42501)$/;
/** A statement ended by its time-out. */
const TOO_SLOW = '57014';
/** What node-postgres says without any code. */
const DRIVER_MESSAGES =
  /^(Connection terminated|timeout expired|timeout exceeded when trying to connect|Query read timeout|Client (has encountered|was closed)|Cannot use a pool after calling end|The server does not support SSL|There was an error establishing an SSL)/;

/** The error of the driver or the server under whatever wraps it. */
export function rootOf(thrown: unknown): unknown {
  let root = thrown;
  while (root instanceof Error && root.cause instanceof Error && !(root instanceof AppError)) root = root.cause;
  if (root instanceof AggregateError && root.errors.length > 0) return root.errors[0];
  return root;
}

export function codeOf(thrown: unknown): string {
  const root = rootOf(thrown);
  const code = root instanceof Error && 'code' in root ? root.code : undefined;
  return typeof code === 'string' ? code : '';
}

/**
 * Whether the values of a row are what the database does not take: 22 data, 23 constraints, 54 its limits. All else may be mended; 23P01 is the
 * ledger's own rule that stretches do not overlap, and no trade is to blame for it.
 */
export const isOfTheRow = (thrown: unknown): boolean =>
  thrown instanceof AppError ? thrown.code === 'DATA_POINT_INVALID' : /^(22|23(?!P01)|54)/.test(codeOf(thrown));

export function isUnavailable(thrown: unknown): boolean {
  const root = rootOf(thrown);
  if (root instanceof AppError) return root.code === 'DATABASE_UNAVAILABLE';
  const code = codeOf(root);
  return SOCKET_CODES.test(code) || SQL_STATES.test(code) || DRIVER_MESSAGES.test(messageOf(root));
}

/** Whether a call of ours failed because nothing is answered now; not because its statement took too long, as another may not. */
export const isAway = (thrown: unknown): boolean =>
  thrown instanceof AppError && thrown.code === 'DATABASE_UNAVAILABLE' && codeOf(thrown.cause) !== TOO_SLOW;

/** DATABASE_UNAVAILABLE for everything that may pass with time; what is wrong with the call itself stays as it is. */
export function translated(thrown: unknown): unknown {
  const root = rootOf(thrown);
  if (root instanceof AppError || !isUnavailable(root)) return root;
  return new AppError('DATABASE_UNAVAILABLE', `The database cannot answer now: ${messageOf(root)}`, { cause: root });
}

/** Runs the work and throws the error of the driver as ours. */
export async function reached<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw translated(error);
  }
}
