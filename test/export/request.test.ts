import { describe, expect, it } from 'vitest';
import { fileNameOf, readExportRequest, toParameters } from '../../src/export/request.ts';
import { readStateToken, stateToken } from '../../src/export/state-token.ts';

const NOW = Date.parse('2026-11-20T12:00:00.000Z');
const GOOD = {
  ...{ exchange: 'okx', symbol: 'BTC-USDT', type: 'candles', interval: '1m', format: 'csv' },
  ...{ from: '2026-11-01T00:00:00Z', to: '2026-11-02T00:00:00Z' },
};
const TRADES = { ...GOOD, type: 'trades', interval: undefined };
const read = (own: Readonly<Record<string, string | undefined>>) =>
  readExportRequest(
    new URLSearchParams(Object.entries(own).filter((pair): pair is [string, string] => pair[1] !== undefined)),
    NOW,
  );

describe('the request of an export', () => {
  it('is read, up to now without an end', () => {
    const request = read({ ...TRADES, to: undefined });
    expect(request).toEqual({
      ...{ exchange: 'okx', symbol: 'BTC-USDT', type: 'trades', interval: null, format: 'csv', state: null },
      ...{ from: Date.parse('2026-11-01T00:00:00Z'), to: NOW },
    });
    expect(fileNameOf(request)).toBe('okx_BTC-USDT_trades_20261101T000000Z_20261120T120000Z.csv');
    expect(fileNameOf(read({ ...GOOD, symbol: '../"a', format: 'parquet' }))).toBe(
      'okx_.._a_candles_1m_20261101T000000Z_20261102T000000Z.parquet'.replace('.._a', '..__a'),
    );
  });

  it.each([
    [{ exchange: undefined }, /`exchange` is missing/],
    [{ symbol: '' }, /`symbol` is missing/],
    [{ symbol: 'a\0' }, /`symbol` is missing/],
    [{ type: 'ticks' }, /`type` should be one of trades, candles, was "ticks"/],
    [{ format: 'xlsx' }, /`format` should be one of csv, ndjson, parquet, was "xlsx"/],
    [{ interval: undefined }, /`interval` is missing/],
    [{ interval: '7m' }, /`interval` should be one of 1s, .* was "7m"/],
    [{ type: 'trades' }, /`interval` is of candles/],
    [{ from: 'yesterday' }, /`from` should be an ISO-8601 time with a zone.* was "yesterday"/],
    [{ from: '2026-02-30T00:00:00Z' }, /`from` should be an ISO-8601 time/],
    [{ to: '2026-11-02' }, /`to` should be an ISO-8601 time/],
    [{ to: GOOD.from }, /`from` \(2026-11-01T00:00:00.000Z\) should be before `to`/],
    [{ form: 'csv' }, /There is no parameter `form`/],
    [{ state: 'x' }, /`state` should be exactly what a manifest gave/],
  ])('is refused with what to mend: %j', (own, message) => {
    expect(() => read({ ...GOOD, ...own })).toThrow(expect.objectContaining({ code: 'BAD_USER_INPUT' }));
    expect(() => read({ ...GOOD, ...own })).toThrow(message);
  });

  it('names each parameter once', () => {
    expect(() => readExportRequest(new URLSearchParams('format=csv&format=ndjson'), NOW)).toThrow(
      '`format` should be given once',
    );
  });

  it('goes with a state into an address and back', () => {
    const state = {
      takenAt: NOW,
      position: new Map([
        [3, 7n],
        [4, 2n ** 47n],
      ]),
      dropped: 'abcdefghi-_',
    };
    const token = stateToken(state);
    expect(readStateToken(token)).toEqual(state);
    const request = read(GOOD);
    expect(readExportRequest(toParameters(request, token), NOW)).toEqual({ ...request, state });
    const [time, dropped, cursor] = token.split('.');
    for (const changed of [`${Number(time) + 1}.${dropped}.${cursor}`, `${time}.abcdefghi--.${cursor}`, `${token}A`])
      expect(() => readStateToken(changed)).toThrow('exactly what a manifest gave');
  });
});
