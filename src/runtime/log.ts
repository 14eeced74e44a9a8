/** What a component logs through. Fields are data, the message is a constant sentence. */
export interface Log {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Component names a configuration can set a level for. */
export type LogComponent = 'server' | 'data_collectors' | 'websocket_clients' | 'storage' | 'graphql';

export type OpenLog = (component: LogComponent) => Log;

/** The same log; every line also carries these fields. */
export const withFields = (log: Log, always: LogFields): Log => ({
  debug: (message, fields) => log.debug(message, { ...always, ...fields }),
  info: (message, fields) => log.info(message, { ...always, ...fields }),
  warn: (message, fields) => log.warn(message, { ...always, ...fields }),
  error: (message, fields) => log.error(message, { ...always, ...fields }),
});

/** For library use without a configured logger: says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
