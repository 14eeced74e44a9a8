import type { Endpoint, ExchangeAdapter } from '../../exchanges/adapter.ts';
import type { Tracer } from '../../runtime/tracing.ts';
import type { Link } from './link.ts';
import type { LinkHandlers } from './link-handlers.ts';

interface ConnectSpanOptions {
  readonly adapter: Pick<ExchangeAdapter, 'id'>;
  readonly endpoint: Endpoint;
  readonly tracer: Tracer;
}

/** The same handlers for one link, whose first steps are a span: from now until every channel it first asked for was answered. */
export function withConnectSpan(
  { adapter, endpoint, tracer }: ConnectSpanOptions,
  handlers: LinkHandlers,
): LinkHandlers {
  if (!tracer.isOn) return handlers;
  const attributes = { 'tcp_dashboard.exchange': adapter.id, 'tcp_dashboard.endpoint': endpoint };
  const span = tracer.start(`connect ${adapter.id}`, { kind: 'client', attributes });
  let channels = 0;
  const settle = (link: Link) => {
    if (!link.settled) return;
    span.set({ 'tcp_dashboard.channels': channels });
    span.end();
  };
  return {
    ...handlers,
    ready: (link) => {
      handlers.ready(link);
      settle(link);
    },
    subscribed: (link, keys) => {
      handlers.subscribed(link, keys);
      channels += keys.length;
      settle(link);
    },
    refused: (link, key, code, message) => {
      handlers.refused(link, key, code, message);
      span.fail('EXCHANGE_REFUSED');
      settle(link);
    },
    ended: (link, end) => {
      span.fail('SOCKET_CLOSED');
      span.end();
      handlers.ended(link, end);
    },
    closed: (link) => {
      span.end();
      handlers.closed(link);
    },
  };
}
