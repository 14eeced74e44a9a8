/** An event and its place: numbers rise by one and are never given twice. */
export interface LoggedEvent<T> {
  readonly number: number;
  readonly event: T;
}

/** Events that outlive the process, the newest of them. One is told of only when it is durable. */
export interface EventLog<T> {
  /** Names this log among all there ever were; a number means nothing in another one. */
  readonly id: string;
  /** Numbers of the oldest and the newest event that are kept; without any `oldest` is `newest` + 1. */
  readonly oldest: number;
  readonly newest: number;
  /** Cheap, never waits. Listeners are told in order, each event once it is durable. */
  append(event: T): void;
  /** Up to `limit` events after a number, in order. */
  after(number: number, limit: number): readonly LoggedEvent<T>[];
  onEvent(listener: (logged: LoggedEvent<T>) => void): Disposable;
}
