import { expect, it } from 'vitest';
import { validateMarketDataPoint } from '../../src/market/market-data-point.ts';

const point = { exchange: 'okx', symbol: 'BTC-USDT', timestamp: new Date(0), dataType: 'trade', data: {} };

it('accepts a complete data point', () => {
  expect(() => validateMarketDataPoint(point)).not.toThrow();
});

it.each(['exchange', 'symbol', 'timestamp', 'dataType', 'data'])('names the missing field %s', (field) => {
  expect(() => validateMarketDataPoint({ ...point, [field]: undefined })).toThrow(`Missing required field: ${field}`);
});

it.each([
  ['dataType', 'trades'],
  ['timestamp', new Date(Number.NaN)],
  ['timestamp', '2026-01-01'],
  ['exchange', ''],
  ['symbol', 7],
  ['data', 'text'],
])('names the wrong field %s', (field, value) => {
  expect(() => validateMarketDataPoint({ ...point, [field]: value })).toThrow(field);
});

it.each([null, 7, 'text'])('refuses %j as a data point', (value) => {
  expect(() => validateMarketDataPoint(value)).toThrow(expect.objectContaining({ code: 'DATA_POINT_INVALID' }));
});
