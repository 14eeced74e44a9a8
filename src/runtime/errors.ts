/**
 * Every error this project throws on purpose. docs/errors.md lists the same codes; a test compares them.
 * `retry`: the same call may succeed later. `public`: an API client may read code and message.
 */
export const ERRORS = {
  CONFIG_INVALID: { retry: false, public: false, hint: 'Correct every listed path; nothing was started.' },
  DATA_DIR_IN_USE: { retry: false, public: false, hint: 'Stop the named process or choose another --data-dir.' },
  DATABASE_UNAVAILABLE: { retry: true, public: true, hint: 'The database does not answer; the server keeps trying.' },
  DATABASE_TOO_OLD: { retry: false, public: false, hint: 'Use PostgreSQL 15 or newer.' },
  SPOOL_UNAVAILABLE: {
    retry: false,
    public: false,
    hint: 'The disk under --data-dir failed or is not ours: nothing is recorded until the server is started on a sound one.',
  },
  SPOOL_FULL: { retry: true, public: false, hint: 'Free disk space, or raise database.spool_limit_mb.' },
  WRITER_FENCED: {
    retry: true,
    public: false,
    hint: 'The writer slot is held by another connection; it is claimed again.',
  },
  WRITER_BEHIND: {
    retry: true,
    public: false,
    hint: 'The database lost commits (failover, restore); what the spool still holds is committed again, the rest is a gap.',
  },
  FRAME_MALFORMED: {
    retry: false,
    public: false,
    hint: 'The exchange changed its format: compare with the adapter docs.',
  },
  SOCKET_CLOSED: { retry: true, public: false, hint: 'Reconnects on its own; look at the close code.' },
  EXCHANGE_REFUSED: { retry: false, public: true, hint: 'The exchange refused the subscription; look at its code.' },
  EXCHANGE_REST_FAILED: {
    retry: true,
    public: true,
    hint: 'The exchange REST call failed; it is repeated with back-off.',
  },
  UPSTREAM_UNSAFE: {
    retry: true,
    public: true,
    hint: 'An exchange or identity provider is where nothing may be sent to, or cannot prove who it is; the message says which rule.',
  },
  EXCHANGE_UNKNOWN: { retry: false, public: true, hint: 'Query `exchanges` for the supported ids.' },
  SYMBOL_UNKNOWN: { retry: false, public: true, hint: 'Symbols are canonical BASE-QUOTE, such as BTC-USDT.' },
  COLLECTOR_UNKNOWN: { retry: false, public: true, hint: 'Query `collectors` for the names.' },
  COLLECTOR_EXISTS: { retry: false, public: true, hint: 'A collector of this exchange and symbol is already there.' },
  COLLECTOR_CONFIG_INVALID: { retry: false, public: true, hint: 'Correct the named field.' },
  COLLECTOR_START_FAILED: { retry: true, public: true, hint: 'Read `health.issues` of the collector.' },
  DATA_POINT_INVALID: { retry: false, public: false, hint: 'Correct the named field of the data point.' },
  DECIMAL_INVALID: { retry: false, public: true, hint: 'Write a plain decimal, such as 0.00012.' },
  BAD_USER_INPUT: { retry: false, public: true, hint: 'Correct the named argument.' },
  CURSOR_INVALID: { retry: false, public: true, hint: 'Use a cursor of the same field and filter, as it was given.' },
  CURSOR_EXPIRED: {
    retry: false,
    public: true,
    hint: 'What followed the cursor is no longer kept: read what there is by query, and subscribe without `after`.',
  },
  BACKFILL_UNKNOWN: { retry: false, public: true, hint: 'Use the id that `requestBackfill` gave.' },
  BACKFILL_REFUSED: {
    retry: false,
    public: true,
    hint: 'Ask for what the exchange can give: `exchanges { capabilities }`.',
  },
  EXPORTS_BUSY: { retry: true, public: true, hint: 'Wait for an export to end; `retry-after` says how long at least.' },
  BACKUP_REFUSED: {
    retry: false,
    public: false,
    hint: 'There is nothing to back up: name the right --data-dir or DATABASE_URL.',
  },
  BACKUP_KEY_WRONG: {
    retry: false,
    public: false,
    hint: 'Give the passphrase or the age identity the backup was made for; nothing was changed.',
  },
  BACKUP_DAMAGED: {
    retry: false,
    public: false,
    hint: 'The file is not as it was written: use another copy or another backup; nothing was changed.',
  },
  RESTORE_REFUSED: {
    retry: false,
    public: false,
    hint: 'Stop the server, name an empty target or say --replace, or use the version that made the backup; nothing was changed.',
  },
  AUDIT_UNAVAILABLE: {
    retry: true,
    public: true,
    hint: 'The disk takes no entry of the audit log, so nothing was done: free disk space under --data-dir.',
  },
  UNAUTHENTICATED: {
    retry: false,
    public: true,
    hint: 'Send `Authorization: Bearer <token>` with a token that is valid; `npm run token` makes one.',
  },
  FORBIDDEN: { retry: false, public: true, hint: 'Use a token with the named role.' },
  TOO_MANY_FAILURES: { retry: true, public: true, hint: 'Wait a minute, and send a token that is right.' },
  ACCESS_UNAVAILABLE: {
    retry: true,
    public: true,
    hint: 'The identity provider does not give the keys of its tokens; the log says why.',
  },
  TOKEN_REFUSED: { retry: false, public: false, hint: 'Do what the message says; no token was changed.' },
  FORBIDDEN_ORIGIN: { retry: false, public: true, hint: 'Add the origin to server.allowed_origins.' },
} as const satisfies Record<string, { retry: boolean; public: boolean; hint: string }>;

export type ErrorCode = keyof typeof ERRORS;

/** An error with a code of the table above. Its message names the thing, the rule and the way out; never a secret. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Whether the same call may succeed later; of what is not ours nobody knows. */
export const isRetryable = (thrown: unknown): boolean => thrown instanceof AppError && ERRORS[thrown.code].retry;

/** The message of anything that was thrown. */
export const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));
