import type { Channel, ExchangeAdapter, Route } from '../exchanges/adapter.ts';
import { DataType } from '../market/data-type.ts';
import type { MarketEvent } from '../market/market-event.ts';

/** Where an exchange spreads its ticker over several channels, each event is completed by the newest payloads of the others. */
export class TickerParts {
  readonly #adapter: ExchangeAdapter;
  readonly #routes: ReadonlyMap<string, Route>;
  readonly #payloads = new Map<string, unknown>();

  constructor(adapter: ExchangeAdapter, routes: readonly Route[]) {
    this.#adapter = adapter;
    const parts = routes.filter(({ channel }) => channel.dataType === DataType.TICKER);
    this.#routes = new Map(parts.map((route) => [route.channel.key, route]));
  }

  /** The event with everything known; one of another kind, or of an exchange with one ticker channel, as it is. */
  complete(channel: Channel, event: MarketEvent): MarketEvent {
    const route = this.#routes.get(channel.key);
    if (!route || event.kind !== 'ticker' || this.#routes.size < 2) return event;
    this.#payloads.set(channel.key, event.raw);
    let payload = {};
    for (const key of this.#routes.keys()) payload = { ...payload, ...(this.#payloads.get(key) as object | undefined) };
    const { exchangeTime } = event;
    return { ...this.#adapter.readPayload(payload, route, event.receivedAt), exchangeTime };
  }
}
