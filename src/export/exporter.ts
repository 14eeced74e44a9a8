import type { CandlePorts } from '../candles/candles-request.ts';
import { windowAt } from '../market/candle-window.ts';
import { AppError } from '../runtime/errors.ts';
import type { DecimalBounds, ExportState, MarketRange } from '../storage/export-state.ts';
import type { TextRows, TradeRowsQuery } from '../storage/export-trades.ts';
import { CANDLE_COLUMNS, candlePages, tradesOf } from './candles.ts';
import { EncoderThread } from './encoder-thread.ts';
import { type Manifest, manifestOf } from './manifest.ts';
import { type ExportFormat, type ExportRequest, fileNameOf, readExportRequest } from './request.ts';
import { type StateToken, stateToken } from './state-token.ts';
import type { Table } from './table.ts';
import { TRADE_COLUMNS } from './trades.ts';

/** What files are made of. All may throw {AppError} DATABASE_UNAVAILABLE. */
export interface ExportPorts {
  /** @throws {AppError} EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN. */
  requireMarket(exchange: string, symbol: string): Promise<void>;
  /** Resolves once storage has all that was recorded by a time, ms. */
  storedUpTo(time: number): Promise<void>;
  readState(range: MarketRange): Promise<ExportState>;
  droppedNow(range: MarketRange): Promise<string>;
  decimalBounds(range: MarketRange): Promise<DecimalBounds>;
  tradeRows(query: TradeRowsQuery): AsyncIterable<TextRows>;
  /** Its clock is also ours. */
  readonly candles: CandlePorts;
}

/** A file that is made while it is read. */
export interface ExportFile {
  readonly name: string;
  readonly mediaType: string;
  /** Ends early only by throwing: what ended well is the whole file. A part may be empty, so that whoever gave up is noticed meanwhile. */
  readonly parts: AsyncIterable<Uint8Array>;
}

const MEDIA_TYPES: Readonly<Record<ExportFormat, string>> = {
  csv: 'text/csv; charset=utf-8; header=present',
  ndjson: 'application/x-ndjson; charset=utf-8',
  parquet: 'application/vnd.apache.parquet',
};

/** Makes files of what is stored, and says what of it is proven. */
export class Exporter {
  readonly #ports: ExportPorts;

  constructor(ports: ExportPorts) {
    this.#ports = ports;
  }

  /**
   * What there is now. Read before the rows, of the state they are of: so it never says more than the file holds.
   * @throws {AppError} BAD_USER_INPUT, EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN.
   */
  async manifest(parameters: URLSearchParams): Promise<Manifest> {
    const request = await this.#read(parameters);
    if (request.state !== null)
      throw new AppError('BAD_USER_INPUT', '`state` is for the file; a manifest always tells of what is there now');
    const { token, stretches } = await this.#state(request);
    const range = rangeOf(request, token.takenAt);
    return manifestOf(request, {
      ...{ takenAt: token.takenAt, state: stateToken(token), stretches, range },
      rows: request.type === 'trades' ? null : candlesIn(request, range),
    });
  }

  /**
   * Everything that can be wrong with a request is said before the file begins.
   * @throws {AppError} BAD_USER_INPUT, EXCHANGE_UNKNOWN, SYMBOL_UNKNOWN; CURSOR_EXPIRED when retention took a part of the asked state.
   */
  async open(parameters: URLSearchParams): Promise<ExportFile> {
    const request = await this.#read(parameters);
    const now = await this.#state(request);
    const token = request.state ?? now.token;
    const range = rangeOf(request, token.takenAt);
    if (ahead(token, now.token))
      throw new AppError('BAD_USER_INPUT', '`state` is of another database, or of a later time');
    if (token.dropped !== now.token.dropped) throw expired();
    // Candles are read as of that time; what was recorded by then and is not stored yet would come into some of them.
    if (request.interval !== null) await this.#ports.storedUpTo(token.takenAt);
    const bounds = await this.#ports.decimalBounds(range);
    const table = this.#table(request, range, token);
    const intact = async () => {
      if ((await this.#ports.droppedNow(rangeOf(request, request.to))) !== token.dropped) throw expired();
    };
    return {
      name: fileNameOf(request),
      mediaType: MEDIA_TYPES[request.format],
      parts: encoded(request.format, table, bounds, intact),
    };
  }

  async #read(parameters: URLSearchParams): Promise<ExportRequest> {
    const request = readExportRequest(parameters, this.#ports.candles.clock.now());
    await this.#ports.requireMarket(request.exchange, request.symbol);
    return request;
  }

  async #state(request: ExportRequest) {
    // Up to its end, as what is over is known only when it is read.
    const { position, stretches, dropped } = await this.#ports.readState(rangeOf(request, request.to));
    // Now that it is read: whatever is in it was recorded before.
    const token: StateToken = { takenAt: this.#ports.candles.clock.now(), position, dropped };
    return { stretches, token };
  }

  #table(
    { exchange, symbol, interval, from, to }: ExportRequest,
    range: MarketRange,
    { takenAt, position }: StateToken,
  ): Table {
    if (interval === null) return { columns: TRADE_COLUMNS, pages: this.#ports.tradeRows({ ...range, position }) };
    const candles = { exchange, symbol, interval, from, to, asOf: takenAt };
    return { columns: CANDLE_COLUMNS, pages: candlePages(this.#ports.candles, candles) };
  }
}

/** The trades a request needs. */
function rangeOf({ exchange, symbol, interval, from, to }: ExportRequest, asOf: number): MarketRange {
  return { exchange, symbol, ...(interval === null ? { from, to } : tradesOf({ interval, from, to, asOf })) };
}

/** Months vary, so this is near enough for a bar. */
function candlesIn({ interval }: ExportRequest, range: MarketRange): number {
  if (interval === null || range.from >= range.to) return 0;
  const { openTime, closeTime } = windowAt({ interval, timeZone: 'UTC', anchor: null }, range.from);
  return Math.round((range.to - range.from) / (closeTime - openTime));
}

const ahead = ({ takenAt, position }: StateToken, now: StateToken): boolean =>
  takenAt > now.takenAt || [...position].some(([writer, sequence]) => sequence > (now.position.get(writer) ?? 0n));

const expired = () =>
  new AppError('CURSOR_EXPIRED', 'Retention took trades of the range; ask for a new manifest, or without `state`');

const NOTHING = new Uint8Array();

async function* encoded(
  format: ExportFormat,
  { columns, pages }: Table,
  bounds: DecimalBounds,
  intact: () => Promise<void>,
): AsyncGenerator<Uint8Array, void> {
  await using encoder = new EncoderThread({ format, columns, bounds });
  const begin = await encoder.begin();
  if (begin !== null) yield begin;
  for await (const page of pages) {
    yield (await encoder.encode(page)) ?? NOTHING;
  }
  const end = await encoder.encode(null);
  // Asked after the rows were read and before the end is sent: what was dropped meanwhile is not taken for absent.
  await intact();
  if (end !== null) yield end;
}
