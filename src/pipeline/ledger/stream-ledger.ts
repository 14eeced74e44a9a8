import type { CoverageEvidence, CoverageStatus, StreamTail, Stretch } from '../../market/coverage.ts';

/** The end of its books, without its name. */
export type Tail = Omit<StreamTail, 'exchange' | 'symbol' | 'dataType'>;

/** How a stream stands now. What is `chained` is proven message by message, what is `connected` or `missing` goes on with the time. */
type Stand =
  | { readonly is: 'unasked' }
  | { readonly is: 'connected' }
  | { readonly is: 'chained' }
  | { readonly is: 'missing'; readonly cause: string; readonly foundAt: number };

/** Both ends in ms, included. */
interface Span {
  readonly first: number;
  readonly last: number;
  readonly stand: Exclude<Stand, { readonly is: 'unasked' }>;
  readonly actual: number;
}

/** Spans kept after they were saved: a sample may be stored a while after it was received. */
const KEPT = 16;
/** Spans that may wait for the database; beyond it the two oldest become one. */
const MOST_WAITING = 256;
const TOO_MANY = 'more interruptions than could be kept apart while the database was away';

/**
 * What is known of one stream without ids, by the ms of our clock: a pure fold of what is heard of it. Time of which nobody has to
 * know anything, since nobody asked for the stream, has no span. Times that go backwards change nothing that was said before the
 * newest span.
 */
export class StreamLedger {
  #spans: Span[] = [];
  #stand: Stand = { is: 'unasked' };
  /** The first ms of which nothing is said. */
  #next: number;
  /** The newest span is of the present stand and grows. */
  #isOpen = false;
  /** From this ms on the database may say something else. */
  #unsaved = Number.POSITIVE_INFINITY;

  /** `last`: what an earlier process said last; null when it said nothing. */
  constructor(last: Pick<Stretch, 'last'> | null) {
    this.#next = last === null ? Number.NEGATIVE_INFINITY : Number(last.last) + 1;
  }

  get isAsked(): boolean {
    return this.#stand.is !== 'unasked';
  }

  /** It should have been carried since the end of what an earlier process said, and was not. */
  absent(cause: string, now: number): void {
    if (this.isAsked || this.#next === Number.NEGATIVE_INFINITY) return;
    this.#stand = { is: 'missing', cause, foundAt: now };
  }

  /** A subscribed channel carries it from `at` on. */
  connected(at: number): void {
    if (this.#stand.is === 'unasked' || this.#stand.is === 'missing') this.#become({ is: 'connected' }, at - 1);
  }

  /** A whole state came that names none before it: what lies between them is not proven. */
  seeded(at: number): void {
    if (this.#stand.is === 'chained') this.#become({ is: 'connected' }, this.#next - 1);
    if (this.#stand.is === 'connected') this.#extend(at);
    else this.connected(at);
  }

  /** A message came that names the one before it, which was here. */
  chained(at: number): void {
    if (this.#stand.is !== 'chained')
      this.#become({ is: 'chained' }, this.#stand.is === 'connected' ? this.#next - 1 : at - 1);
    this.#extend(at);
  }

  /** A message came, at `at`, that does not follow the last one: everything after the last one that did is in doubt. */
  broken(at: number, cause: string, now: number): void {
    if (this.#stand.is === 'chained') this.#become({ is: 'missing', cause, foundAt: now }, this.#next - 1);
    else this.lost(at - 1, cause, now);
  }

  /** Nothing carries it any more; `through` is the last ms at which something did. */
  lost(through: number, cause: string, now: number): void {
    if (this.#stand.is === 'unasked' || this.#stand.is === 'missing') return;
    this.#unchain();
    this.#become({ is: 'missing', cause, foundAt: now }, through);
  }

  /** Nobody asks for it any more. */
  ended(through: number): void {
    if (!this.isAsked) return;
    this.#unchain();
    this.#become({ is: 'unasked' }, through);
  }

  /** The connection stands, or is away, up to here. */
  reach(at: number): void {
    if (this.#stand.is === 'connected' || this.#stand.is === 'missing') this.#extend(at);
  }

  /** So many rows more (or, when negative, less) are stored of what was received then. */
  count(at: number, rows: number): void {
    const index = Math.max(
      0,
      this.#spans.findLastIndex(({ first }) => first <= at),
    );
    const span = this.#spans[index];
    if (!span) return;
    this.#spans[index] = { ...span, actual: span.actual + rows };
    this.#change(span.first);
  }

  /** A row received then will never be stored. Rows that are lost one after the other leave one hole. */
  lose(at: number, cause: string, now: number): void {
    if (this.#stand.is === 'connected' || this.#stand.is === 'chained') this.#extend(at);
    const index = this.#spans.findLastIndex(({ first, last }) => first <= at && at <= last);
    const span = this.#spans[index];
    if (!span || span.stand.is === 'missing') return;
    const before = this.#spans[index - 1];
    const goesOn =
      before?.stand.is === 'missing' &&
      before.stand.cause === cause &&
      before.last === span.first - 1 &&
      span.actual === 0;
    const hole: Span = goesOn
      ? { ...before, last: at }
      : {
          ...{ first: at, last: at, stand: { is: 'missing', cause, foundAt: now } },
          actual: span.first === at ? span.actual : 0,
        };
    const whole = goesOn || span.first === at ? [] : [{ ...span, last: at - 1 }];
    const rest = span.last === at ? [] : [{ ...span, first: at + 1, actual: 0 }];
    const from = goesOn ? index - 1 : index;
    if (rest.length === 0 && index === this.#spans.length - 1) this.#isOpen = false;
    this.#spans.splice(from, index - from + 1, ...whole, hole, ...rest);
    this.#change(Math.min(span.first, hole.first));
  }

  /**
   * What has to be saved, nothing of it beyond `through`; null when that is nothing. `saved` or `failed` has to follow before
   * the next one.
   */
  take(through = Number.POSITIVE_INFINITY): Tail | null {
    const from = this.#unsaved;
    if (from > through || from === Number.POSITIVE_INFINITY) return null;
    const changed = this.#spans.filter(({ first }) => first >= from);
    this.#unsaved = changed.find(({ last }) => last > through)?.first ?? Number.POSITIVE_INFINITY;
    return {
      from: BigInt(from),
      stretches: changed
        .filter(({ first }) => first <= through)
        .map((span) => toStretch({ ...span, last: Math.min(span.last, through) })),
    };
  }

  saved(): void {
    while (this.#spans.length > KEPT && (this.#spans[0]?.last ?? this.#unsaved) < this.#unsaved) this.#spans.shift();
  }

  failed(tail: Tail): void {
    this.#change(Number(tail.from));
  }

  #become(stand: Stand, through: number): void {
    const head = this.#spans.at(-1);
    if (this.#isOpen && head && through < head.last) this.#cut(head, through);
    else this.reach(through);
    this.#stand = stand;
    this.#isOpen = false;
    this.#next = Math.max(this.#next, through + 1);
  }

  /** The newest span went too far: it was found out later that it had ended. */
  #cut(head: Span, through: number): void {
    this.#change(head.first);
    const last = Math.max(through, head.actual > 0 ? head.first : head.first - 1);
    if (last < head.first) this.#spans.pop();
    else this.#spans[this.#spans.length - 1] = { ...head, last };
    this.#next = last + 1;
  }

  /** What came after the last proof was received, and proves nothing. */
  #unchain(): void {
    if (this.#stand.is === 'chained') this.#become({ is: 'connected' }, this.#next - 1);
  }

  #extend(at: number): void {
    if (this.#stand.is === 'unasked' || at < this.#next) return;
    const head = this.#spans.at(-1);
    const span: Span =
      this.#isOpen && head ? { ...head, last: at } : { first: this.#next, last: at, stand: this.#stand, actual: 0 };
    if (this.#isOpen) this.#spans.pop();
    this.#spans.push(span);
    this.#isOpen = true;
    this.#next = at + 1;
    this.#change(span.first);
    if (this.#spans.length > MOST_WAITING) this.#joinOldest();
  }

  #joinOldest(): void {
    const [first, second] = this.#spans;
    if (!first || !second) return;
    const foundAt = first.stand.is === 'missing' ? first.stand.foundAt : second.first;
    const stand = { is: 'missing', cause: TOO_MANY, foundAt } as const;
    this.#spans.splice(0, 2, { ...first, last: second.last, stand, actual: first.actual + second.actual });
    this.#change(first.first);
  }

  #change(first: number): void {
    this.#unsaved = Math.min(this.#unsaved, first);
  }
}

const SAID: Readonly<Record<Span['stand']['is'], { status: CoverageStatus; evidence: CoverageEvidence }>> = {
  connected: { status: 'UNPROVEN', evidence: 'CONNECTION_ONLY' },
  chained: { status: 'PROVEN', evidence: 'SEQUENCE_CHAIN' },
  missing: { status: 'UNFILLABLE', evidence: 'CONNECTION_ONLY' },
};

function toStretch({ first, last, stand, actual }: Span): Stretch {
  const missing = stand.is === 'missing' ? stand : null;
  return {
    ...{ first: BigInt(first), last: BigInt(last), ...SAID[stand.is], from: first, to: last, actual },
    cause: missing?.cause ?? null,
    gap: missing && BigInt(first),
    gapFoundAt: missing?.foundAt ?? null,
  };
}
