import type { Decimal } from '../../market/decimal.ts';
import type { RecordedTrade } from '../../market/recorded-trade.ts';

/** Bytes of a place for id, price and size; nearly all need half of it. */
const TEXT_BYTES = 64;
const [DEL, NEWLINE] = [0x7f, 0x0a];
const BUY = 1;
const PROVENANCES = ['LIVE', 'BACKFILL', 'RECONCILED'] as const;

interface Market {
  readonly exchange: string;
  readonly symbol: string;
  readonly place: number;
}

/**
 * Trades without an object for any of them, by place. Tens of thousands of objects that live for a while are what a garbage collector is
 * worst at: it copies each twice before it lets them be. Numbers and short texts in flat memory cost it nothing.
 */
export class PackedEntries {
  readonly #market: Uint32Array;
  readonly #exchangeTime: Float64Array;
  readonly #receivedAt: Float64Array;
  readonly #recordedAt: Float64Array;
  readonly #fillCount: Uint32Array;
  /** Side, and the provenance above it. */
  readonly #flags: Uint8Array;
  /** Id, price and size with a line feed after each, unless they are among the long ones. */
  readonly #text: Buffer;
  readonly #longTexts = new Map<number, readonly [tradeId: string, price: string, size: string]>();
  readonly #payloads = new Map<number, unknown>();
  readonly #markets: Market[] = [];
  readonly #exchanges = new Map<string, Map<string, Market>>();

  constructor(places: number) {
    this.#market = new Uint32Array(places);
    this.#exchangeTime = new Float64Array(places);
    this.#receivedAt = new Float64Array(places);
    this.#recordedAt = new Float64Array(places);
    this.#fillCount = new Uint32Array(places);
    this.#flags = new Uint8Array(places);
    this.#text = Buffer.alloc(places * TEXT_BYTES);
  }

  put(place: number, { trade, recordedAt, provenance }: RecordedTrade): void {
    this.#market[place] = this.#placeOf(trade.exchange, trade.symbol);
    this.#exchangeTime[place] = trade.exchangeTime;
    this.#receivedAt[place] = trade.receivedAt;
    this.#recordedAt[place] = recordedAt;
    this.#fillCount[place] = trade.fillCount;
    this.#flags[place] = (trade.side === 'buy' ? BUY : 0) | (PROVENANCES.indexOf(provenance) << 1);
    if (this.#longTexts.size > 0) this.#longTexts.delete(place);
    if (this.#payloads.size > 0) this.#payloads.delete(place);
    if (trade.raw !== null) this.#payloads.set(place, trade.raw);
    const { tradeId, price, size } = trade;
    const isShort = tradeId.length + price.length + size.length + 3 <= TEXT_BYTES;
    let at = place * TEXT_BYTES;
    if (isShort) at = this.#write(this.#write(this.#write(at, tradeId), price), size);
    if (isShort && at > 0) return;
    this.#longTexts.set(place, [tradeId, price, size]);
  }

  /** Another object each time, equal to what was put there, but for the number, which is not kept here. */
  get(place: number, { writer, sequence }: Pick<RecordedTrade, 'writer' | 'sequence'>): RecordedTrade {
    const { exchange, symbol } = this.#markets[this.#market[place] as number] as Market;
    const flags = this.#flags[place] as number;
    const [tradeId, price, size] = this.#longTexts.get(place) ?? this.#read(place);
    return {
      trade: {
        kind: 'trade',
        exchange,
        symbol,
        exchangeTime: this.#exchangeTime[place] as number,
        receivedAt: this.#receivedAt[place] as number,
        raw: this.#payloads.get(place) ?? null,
        tradeId,
        fillCount: this.#fillCount[place] as number,
        price: price as Decimal,
        size: size as Decimal,
        side: (flags & BUY) === BUY ? 'buy' : 'sell',
      },
      writer,
      sequence,
      recordedAt: this.#recordedAt[place] as number,
      provenance: PROVENANCES[flags >> 1] as RecordedTrade['provenance'],
    };
  }

  /** Lets go of payloads and long texts. */
  clear(): void {
    this.#longTexts.clear();
    this.#payloads.clear();
  }

  /** Where the text ends; negative where a character does not fit a byte or is no sign, which stays so for what is written after it. */
  #write(from: number, text: string): number {
    if (from < 0) return from;
    const bytes = this.#text;
    let at = from;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      if (code >= DEL || code <= NEWLINE) return -1;
      bytes[at] = code;
      at += 1;
    }
    bytes[at] = NEWLINE;
    return at + 1;
  }

  #read(place: number): readonly [tradeId: string, price: string, size: string] {
    const from = place * TEXT_BYTES;
    const [tradeId = '', price = '', size = ''] = this.#text.toString('latin1', from, from + TEXT_BYTES).split('\n', 3);
    return [tradeId, price, size];
  }

  #placeOf(exchange: string, symbol: string): number {
    const known = this.#exchanges.get(exchange)?.get(symbol);
    if (known) return known.place;
    const symbols = this.#exchanges.get(exchange) ?? new Map<string, Market>();
    const market = { exchange, symbol, place: this.#markets.length };
    this.#exchanges.set(exchange, symbols.set(symbol, market));
    this.#markets.push(market);
    return market.place;
  }
}
