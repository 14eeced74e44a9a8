import { TRADE_FIELDS } from '../storage/export-trades.ts';
import { type Column, column } from './table.ts';

const KINDS = {
  ...{ exchange_time: 'time', price: 'decimal', size: 'decimal', side: 'text', fill_count: 'integer' },
  ...{ received_at: 'time', recorded_at: 'time', provenance: 'text', writer: 'integer', sequence: 'integer' },
  trade_id: 'text',
} as const satisfies Record<(typeof TRADE_FIELDS)[number], Column['kind']>;

export const TRADE_COLUMNS: readonly Column[] = TRADE_FIELDS.map((name) => column(KINDS[name], name));
