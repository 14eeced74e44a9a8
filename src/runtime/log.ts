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

/** For library use without a configured logger: says nothing. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
