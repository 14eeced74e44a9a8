import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createSecureServer } from 'node:https';
import { type AddressInfo, Server as Listener } from 'node:net';
import type { Duplex } from 'node:stream';
import type { GraphQLSchema } from 'graphql';
import type { Access } from '../access/access.ts';
import type { Services } from '../graphql/context.ts';
import { exposeErrors } from '../graphql/errors.ts';
import { atMost, type Clock } from '../runtime/clock.ts';
import { AppError, messageOf } from '../runtime/errors.ts';
import type { Limits } from '../runtime/limits.ts';
import type { Log } from '../runtime/log.ts';
import { isLoopback } from '../runtime/loopback.ts';
import { Refusals } from '../runtime/refusals.ts';
import { type Tracer, untraced } from '../runtime/tracing.ts';
import { capConnections, PATIENCE } from './connection-caps.ts';
import { isEventStream } from './event-stream.ts';
import { type ExportSource, exportRoute } from './export.ts';
import { graphiql } from './graphiql.ts';
import { httpHandler } from './http.ts';
import { openLandingPage } from './landing.ts';
import { metricsOf } from './metrics.ts';
import { OpenOperations } from './open-operations.ts';
import { originRule } from './origin.ts';
import { Overload } from './overload.ts';
import { RefusedMutations } from './refused-mutations.ts';
import { followIdentity, readIdentity, type TlsFiles } from './tls.ts';
import { together } from './together.ts';
import { readTrustedDocuments } from './trusted-documents.ts';
import { upgrade } from './upgrade.ts';
import { webSocketEndpoint } from './web-socket.ts';
import { whenClosed } from './when-closed.ts';
import { createPipeline } from './yoga.ts';

export interface ServerOptions {
  readonly schema: GraphQLSchema;
  readonly services: Services;
  readonly exports: ExportSource;
  /** Who may do what. */
  readonly access: Access;
  /** Whether GraphiQL is there also where tokens are needed; by default not. */
  readonly alwaysGraphiql?: boolean;
  /** An address or a name; one that others reach only where tokens are needed. */
  readonly host: string;
  /** 0 = any free port; `url` names it. */
  readonly port: number;
  /** Origins of web pages that may use the API, besides our own. */
  readonly allowedOrigins: readonly string[];
  readonly limits: Limits;
  /** Null: without encryption. */
  readonly tls?: TlsFiles | null;
  /** Path of a JSON object of ids and the only documents that are taken; null: all are. */
  readonly trustedDocuments?: string | null;
  /** Whether work can be taken, for /readyz; a throw means no. */
  readonly checkReady: () => Promise<boolean>;
  readonly clock: Clock;
  /** For one span an operation; by default none. */
  readonly tracer?: Tracer;
  readonly log: Log;
  /** For operations that fail inside. */
  readonly graphqlLog: Log;
}

export interface RunningServer extends AsyncDisposable {
  /** e.g. "http://127.0.0.1:4000" */
  readonly url: string;
  readonly port: number;
}

/** For what subscribers are told before they are cut off to leave. */
const LAST_WORD_MS = 50;
/** Answers in flight are waited for this long when the server goes. */
const DRAIN_MS = 2_000;
const READY_TIMEOUT_MS = 3_000;

/**
 * Serves the schema over HTTP, server-sent events and WebSocket on one port. Disposing says at once that it is not ready and takes no new connection,
 * tells subscribers, ends subscriptions (sockets with 1001), lets answers in flight finish and is done within 4 s.
 * @throws {AppError} CONFIG_INVALID when the address is taken, or others reach it without tokens, or the certificate cannot be used.
 */
export async function startServer(options: ServerOptions): Promise<RunningServer> {
  const { access, schema, services, host, allowedOrigins, limits, clock, tracer = untraced, log } = options;
  const isLocal = isLoopback(host);
  if (!isLocal && access.isOpen)
    throw new AppError(
      'CONFIG_INVALID',
      `server.host is ${host}, but without access tokens only a loopback address is served: use 127.0.0.1`,
    );
  let disposing = false;
  let port = options.port;
  const identity = options.tls ? await readIdentity(options.tls) : null;
  const scheme = identity ? 'https' : 'http';
  const origins = originRule({ scheme, host, isLocal, port: () => port, allowedOrigins });
  const expose = exposeErrors(options.graphqlLog);
  const refusals = new Refusals();
  const trusted = options.trustedDocuments ? await readTrustedDocuments(options.trustedDocuments, schema) : null;
  const refusedMutations = new RefusedMutations({ schema, audit: services.audit, limits, clock });
  const open = new OpenOperations(limits, refusals);
  const common = { access, refusedMutations, open, expose, clock, limits, refusals, tracer };
  const pipeline = createPipeline(schema, services, { ...common, trusted });
  const sockets = webSocketEndpoint({ ...common, pipeline, services, log });
  // Anybody may ask, as often as he likes: the database is asked once at a time.
  const checked = together(() => within(READY_TIMEOUT_MS, clock, options.checkReady));
  const isReady = async () => !disposing && !overload.isOverloaded && (await checked());
  const landingPage = await openLandingPage();
  const answers = new Set<ServerResponse>();
  let handle: (request: IncomingMessage, response: ServerResponse) => Promise<void> = async () => {};

  const serve = (request: IncomingMessage, response: ServerResponse) => {
    if (disposing) response.setHeader('connection', 'close');
    answers.add(response);
    response.once('close', () => answers.delete(response));
    void handle(request, response);
  };
  const secure = identity && createSecureServer({ ...PATIENCE, ...identity }, serve);
  const server: Server = secure ?? createServer(PATIENCE, serve);
  using opening = new DisposableStack();
  const overload = opening.use(new Overload(clock));
  if (options.tls && secure) opening.use(followIdentity(options.tls, identity, { server: secure, clock, log }));
  capConnections(server, limits, refusals);
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) =>
    upgrade({ origins, access, accept: sockets.accept, log }, request, socket, head),
  );
  port = await listen(server, options.port, host);
  const url = `${scheme}://${host.includes(':') && !host.startsWith('[') ? `[${host}]` : host}:${port}`;
  handle = httpHandler({
    scheme,
    access,
    pipeline,
    refusedMutations,
    services,
    graphiql: graphiql(),
    alwaysGraphiql: options.alwaysGraphiql ?? false,
    serveExport: exportRoute({ exports: options.exports, clock, log }),
    landingPage,
    metrics: metricsOf(services, refusals, access.refusals, tracer),
    limits,
    refusals,
    origins,
    isReady,
    tracer,
    log,
  });

  log.info('The API answers', { url });
  const watching = opening.move();
  return {
    url,
    port,
    async [Symbol.asyncDispose]() {
      if (disposing) return;
      disposing = true;
      watching[Symbol.dispose]();
      // The listener alone: `server.close` would cut kept connections as well, on which a probe or a question may be coming.
      const closed = new Promise<void>((resolve) => Listener.prototype.close.call(server, () => resolve()));
      services.trades.drain();
      services.live.drain();
      if (answers.size > 0 || sockets.sockets > 0) await clock.sleep(LAST_WORD_MS);
      // Cut, not completed: an event source then comes again, a client library resumes.
      for (const response of answers) if (isEventStream(response)) response.destroy();
      await sockets[Symbol.asyncDispose]();
      await atMost(clock, DRAIN_MS, allSent(answers));
      server.close(); // ends what Node keeps for time-outs of requests
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Also those that are begun meanwhile. */
async function allSent(answers: ReadonlySet<ServerResponse>): Promise<void> {
  while (answers.size > 0)
    await Promise.all([...answers].map((response) => new Promise<void>((sent) => whenClosed(response, sent))));
}

async function within(ms: number, clock: Clock, check: () => Promise<boolean>): Promise<boolean> {
  const patience = new AbortController();
  const late = clock.sleep(ms, patience.signal).then(
    () => false,
    () => false,
  );
  try {
    return await Promise.race([check(), late]);
  } catch {
    return false;
  } finally {
    patience.abort();
  }
}

async function listen(server: Server, port: number, host: string): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.listen({ port, host: host.replace(/^\[|\]$/g, '') }, resolve);
  try {
    await promise;
  } catch (error) {
    throw new AppError(
      'CONFIG_INVALID',
      `Cannot listen on ${host}:${port} (${messageOf(error)}); choose another with --port`,
      { cause: error },
    );
  }
  return (server.address() as AddressInfo).port;
}
