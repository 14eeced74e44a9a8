import { Received, type Subscriber, type SubscriberOptions, TRADES_STREAM, type TradesPayload } from './subscriber.ts';

/**
 * Over server-sent events, as a browser's EventSource: the same address every time, and where it stood only in the header
 * Last-Event-ID, taken from the ids of events.
 */
export function startEventSource(options: SubscriberOptions): Subscriber {
  const { name, url, filter = {}, waitMs = () => 50 + Math.random() * 100 } = options;
  const received = new Received();
  const leaving = new AbortController();
  let lastEventId = '';
  let session: AbortController | null = null;

  const take = (event: ReadonlyMap<string, string>): boolean => {
    lastEventId = event.get('id') ?? lastEventId;
    const { data, errors } = JSON.parse(event.get('data') || '{}') as {
      readonly data?: { readonly trades: TradesPayload };
      readonly errors?: readonly { readonly extensions?: { readonly code?: string } }[];
    };
    for (const error of errors ?? []) received.errors.push(String(error.extensions?.code));
    if (!data?.trades) return false;
    received.take(data.trades);
    return true;
  };

  const stream = async (signal: AbortSignal): Promise<void> => {
    const variables = encodeURIComponent(JSON.stringify(filter));
    const response = await fetch(`${url()}/graphql?query=${encodeURIComponent(TRADES_STREAM)}&variables=${variables}`, {
      headers: { accept: 'text/event-stream', ...(lastEventId === '' ? {} : { 'last-event-id': lastEventId }) },
      signal,
    });
    let text = '';
    let first = true;
    for await (const piece of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
      const blocks = (text + piece).split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        if (!take(fieldsOf(block)) || !first) continue;
        received.sessions += 1;
        first = false;
      }
    }
  };

  const life = (async () => {
    while (!leaving.signal.aborted) {
      session = new AbortController();
      await stream(AbortSignal.any([leaving.signal, session.signal])).catch(() => {}); // however it ended, it comes back
      session = null;
      if (!leaving.signal.aborted) await new Promise((resolve) => setTimeout(resolve, waitMs()));
    }
  })();

  return {
    name,
    entries: received.entries,
    errors: received.errors,
    get sessions() {
      return received.sessions;
    },
    get position() {
      return received.position;
    },
    log: () => received.log(name, filter),
    cut: () => {
      const open = session !== null;
      session?.abort();
      return open;
    },
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      await life;
    },
  };
}

/** One event: the value of each field, several lines of data as one. */
function fieldsOf(block: string): ReadonlyMap<string, string> {
  const fields = new Map<string, string>();
  for (const line of block.split('\n')) {
    const [, name, value] = /^(\w+): ?(.*)$/.exec(line) ?? [];
    if (name !== undefined && value !== undefined)
      fields.set(name, fields.has(name) ? `${fields.get(name)}\n${value}` : value);
  }
  return fields;
}
