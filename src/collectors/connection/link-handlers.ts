import type { Frame } from '../../exchanges/adapter.ts';
import type { Link } from './link.ts';

/** Data of one channel. */
export type DataFrame = Extract<Frame, { kind: 'events' | 'book' }>;

/** Why a link is over, and whether trying again can help. */
export interface LinkEnd {
  readonly message: string;
  readonly retry: boolean;
  /** The exchange told us to keep away, for so many ms where it named them (else 0); null where it did not. */
  readonly turnedAway: { readonly forMs: number } | null;
}

export interface LinkHandlers {
  /** Open and, where needed, logged in: channels can be asked for. */
  ready(link: Link): void;
  data(link: Link, frame: DataFrame): void;
  subscribed(link: Link, keys: readonly string[]): void;
  refused(link: Link, key: string, code: string, message: string): void;
  /** A frame that could not be read at all; the link lives on, unless `ended` follows. */
  unreadable(link: Link, reason: string, detail: string): void;
  closingSoon(link: Link, reason: string): void;
  ended(link: Link, end: LinkEnd): void;
  /** We closed it ourselves. */
  closed(link: Link): void;
}
