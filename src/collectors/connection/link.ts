import type {
  Channel,
  ConnectionConfig,
  Credentials,
  Endpoint,
  ExchangeAdapter,
  Frame,
  OutFrame,
  Route,
} from '../../exchanges/adapter.ts';
import type { Clock } from '../../runtime/clock.ts';
import { AppError, messageOf } from '../../runtime/errors.ts';
import { HourlyRequests } from '../pacing/hourly-requests.ts';
import { RateLimit } from '../pacing/rate-limit.ts';
import { Heartbeat } from './heartbeat.ts';
import type { LinkEnd, LinkHandlers } from './link-handlers.ts';
import type { HandshakeRefusal, OpenSocket, Socket } from './socket.ts';
import { Unanswered } from './unanswered.ts';

export interface LinkOptions {
  readonly adapter: ExchangeAdapter;
  readonly connection: ConnectionConfig;
  readonly endpoint: Endpoint;
  readonly credentials: Credentials | null;
  readonly openSocket: OpenSocket;
  readonly clock: Clock;
  /** How often `tick` is called. */
  readonly tickMs: number;
  /** Shared with the connection: what the frames belong to. */
  readonly routes: ReadonlyMap<string, Route>;
  readonly handlers: LinkHandlers;
}

const LOGIN_TIMEOUT_MS = 10_000;
const MAX_TRIES = 3;
/** Too many requests, banned: coming back at once makes it worse. */
const TURNED_AWAY: ReadonlySet<number> = new Set([403, 418, 429]);

/** One socket from open to close: login, requests within the exchange's limits, heartbeat, and what its frames mean. */
export class Link {
  readonly #options: LinkOptions;
  readonly #socket: Socket;
  readonly #pace: RateLimit;
  readonly #unanswered = new Unanswered();
  readonly #ending = new AbortController();
  #requests = 0;
  readonly #asked: HourlyRequests;
  readonly #heartbeat: Heartbeat;
  #ready = false;
  #closingReason: string | null = null;
  /** Monotonic ms. */
  readonly openedAt: number;
  /** When the last data came, at first `openedAt`; monotonic ms. In `data` of the handlers: when this did. */
  dataAt: number;

  constructor(options: LinkOptions) {
    const { adapter, connection, endpoint, clock } = options;
    this.#options = options;
    this.#pace = new RateLimit(clock, { amount: adapter.limits.framesPerSecond, perMs: 1_000 });
    this.#asked = new HourlyRequests(clock);
    this.openedAt = clock.monotonic();
    this.dataAt = this.openedAt;
    this.#heartbeat = new Heartbeat({
      clock,
      connection,
      tickMs: options.tickMs,
      ping: () => this.#ping(),
      bytesRead: () => this.#socket.bytesRead,
    });
    this.#socket = options.openSocket(
      connection[`${endpoint}_ws_url`],
      { maxFrameBytes: adapter.maxFrameBytes },
      {
        opened: () => this.#opened(),
        arrived: () => this.#heartbeat.heard(),
        frame: (text) => this.#read(text),
        binary: (bytes) => options.handlers.unreadable(this, 'binary', `a binary frame of ${bytes} bytes`),
        alive: () => this.#heartbeat.heard(),
        violated: (what) => options.handlers.unreadable(this, 'refused-frame', what),
        closed: (code, reason, refusal) =>
          this.#end(`closed with ${code}${reason ? `: ${reason}` : ''}`, true, turnedAwayBy(refusal)),
      },
    );
  }

  get ready(): boolean {
    return this.#ready;
  }

  /** Wall time in ms of the last sign of life; null before the first. */
  get lastInboundAt(): number | null {
    return this.#heartbeat.lastAt;
  }

  /** Why the exchange will close it soon; null where it has not said so. */
  get closingReason(): string | null {
    return this.#closingReason;
  }

  /** Ready, and every channel asked for so far was answered. */
  get settled(): boolean {
    return this.#ready && this.#unanswered.size === 0;
  }

  /** Whether the answer for a channel is awaited. */
  awaits(key: string): boolean {
    return this.#unanswered.has(key);
  }

  /** Keys of the channels whose answer is awaited. */
  get unanswered(): readonly string[] {
    return this.#unanswered.keys;
  }

  /** Requests of the last hour; the exchange allows `limits.requestsPerHour`. */
  get requestsThisHour(): number {
    return this.#asked.count;
  }

  /** Asks for channels; the answers arrive as `subscribed` or `refused`. One frame for many where the exchange allows it. */
  subscribe(channels: readonly Channel[]): void {
    if (channels.length === 0) return;
    for (const frame of this.#options.adapter.subscribeFrames(channels, this.#nextRequest))
      this.#unanswered.add(channels, frame, this.#send(frame));
  }

  unsubscribe(channels: readonly Channel[]): void {
    if (channels.length === 0) return;
    this.#unanswered.take(
      null,
      channels.map(({ key }) => key),
    );
    for (const frame of this.#options.adapter.unsubscribeFrames(channels, this.#nextRequest)) this.#send(frame);
  }

  /** Called about once a second: heartbeat, unanswered requests. */
  tick(): void {
    const { clock, handlers } = this.#options;
    if (!this.#heartbeat.punctual()) return; // what came meanwhile is still unread
    if (!this.#ready && this.lastInboundAt !== null && this.#heartbeat.silenceMs > LOGIN_TIMEOUT_MS)
      return this.#fail('no answer to the login', true);
    const dead = this.#ready ? this.#heartbeat.check() : null;
    if (dead !== null) return this.#fail(dead, true);
    const now = clock.monotonic();
    const late = this.#unanswered.late(now);
    if (late.tries >= MAX_TRIES) return this.#fail('subscriptions stay unanswered', true);
    if (late.channels.length > 0) {
      handlers.unreadable(
        this,
        'unanswered',
        `${late.channels.length} subscriptions had no answer and are asked again`,
      );
      this.subscribe(late.channels);
    }
  }

  setReading(reading: boolean): void {
    if (reading) {
      this.#heartbeat.restart();
      this.#socket.resume();
    } else this.#socket.pause();
  }

  /** Ends as if it had been lost. */
  abandon(reason: string): void {
    this.#fail(reason, true);
  }

  /** Ends without telling `ended`. */
  close(): void {
    if (!this.#ending.signal.aborted) this.#options.handlers.closed(this);
    this.#ending.abort(new AppError('SOCKET_CLOSED', 'closed by us'));
    this.#socket.close();
  }

  readonly #nextRequest = () => {
    this.#asked.add();
    return String(++this.#requests);
  };

  /** Sends in its turn; returns when that is, in monotonic ms. */
  #send(frame: OutFrame): number {
    const { clock } = this.#options;
    const wait = this.#pace.reserve();
    if (wait <= 0) this.#socket.send(frame.text);
    else
      clock.sleep(wait, this.#ending.signal).then(
        () => this.#socket.send(frame.text),
        () => undefined, // the link ended first; its channels are asked for again on the next one
      );
    return clock.monotonic() + wait;
  }

  #opened(): void {
    const { adapter, credentials, clock, endpoint, handlers } = this.#options;
    this.#heartbeat.heard();
    if (endpoint !== 'private') return this.#becomeReady();
    const login = credentials && adapter.loginFrame(credentials, clock.now());
    if (login) {
      this.#asked.add();
      return this.#socket.send(login);
    }
    handlers.unreadable(
      this,
      'no-credentials',
      `${adapter.id} needs keys for private data; set them in the environment`,
    );
    this.#fail('no credentials for the private endpoint', false);
  }

  #becomeReady(): void {
    this.#ready = true;
    this.#options.handlers.ready(this);
  }

  #ping(): void {
    const { heartbeat } = this.#options.adapter;
    if (heartbeat.by === 'client') this.#socket.send(heartbeat.text);
    else this.#socket.ping();
  }

  #read(text: string): void {
    if (this.#ending.signal.aborted) return;
    const { adapter, routes, handlers } = this.#options;
    let frame: Frame;
    try {
      frame = adapter.readFrame(text, this.lastInboundAt ?? 0, routes);
    } catch (error) {
      const reason = error instanceof AppError ? 'malformed' : 'reader-failed'; // a stranger's frame must not end the process
      return handlers.unreadable(this, reason, `${messageOf(error)} in ${JSON.stringify(text.slice(0, 200))}`);
    }
    this.#understand(frame);
  }

  #understand(frame: Frame): void {
    const { handlers } = this.#options;
    switch (frame.kind) {
      case 'events':
      case 'book':
        if (this.#unanswered.size > 0) this.#acknowledge(null, [frame.channel]); // data may come before its acknowledgement
        this.dataAt = this.#heartbeat.heardAt;
        return handlers.data(this, frame);
      case 'subscribed':
        return this.#acknowledge(frame.request, frame.channels);
      case 'logged-in':
        return this.#becomeReady();
      case 'closing-soon':
        this.#closingReason = frame.reason;
        return handlers.closingSoon(this, frame.reason);
      case 'error':
        return this.#react(frame);
      case 'unsubscribed':
      case 'pong':
      case 'ignored':
        return;
      default:
        return frame satisfies never;
    }
  }

  #acknowledge(request: string | null, named: readonly string[]): void {
    const news = this.#unanswered.take(request, named);
    if (news.length > 0) this.#options.handlers.subscribed(this, news);
  }

  #react({ reaction, code, message, request, channels }: Extract<Frame, { kind: 'error' }>): void {
    const { handlers } = this.#options;
    const reason = `${code}: ${message}`;
    if (reaction === 'drop-channel') {
      const refusal = this.#unanswered.refuse(request, channels);
      // The exchange does not say which of them is bad; asked for each alone, one cannot stop the others.
      if ('suspects' in refusal) for (const channel of refusal.suspects) this.subscribe([channel]);
      else if (refusal.refused.length === 0) handlers.unreadable(this, 'exchange-error', reason);
      else for (const key of refusal.refused) handlers.refused(this, key, code, message);
      return;
    }
    handlers.unreadable(this, 'exchange-error', reason);
    switch (reaction) {
      case 'stop-login':
        return this.#fail(`login refused, ${reason}`, false);
      case 'retry-login':
      case 'reconnect':
        return this.#fail(reason, true);
      case 'retry':
        return; // still unanswered, so `tick` asks again
      default:
        return reaction satisfies never;
    }
  }

  #fail(message: string, retry: boolean): void {
    this.#socket.terminate();
    this.#end(message, retry);
  }

  #end(message: string, retry: boolean, turnedAway: LinkEnd['turnedAway'] = null): void {
    if (this.#ending.signal.aborted) return;
    this.#ending.abort(new AppError('SOCKET_CLOSED', message));
    this.#ready = false;
    this.#options.handlers.ended(this, { message, retry, turnedAway });
  }
}

const turnedAwayBy = (refusal: HandshakeRefusal | undefined): LinkEnd['turnedAway'] =>
  refusal && TURNED_AWAY.has(refusal.status) ? { forMs: refusal.retryAfterMs } : null;
