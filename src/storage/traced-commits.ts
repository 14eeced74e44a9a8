import { type Tracer, traced } from '../runtime/tracing.ts';
import type { TradeCommit, TradeWriter } from './trade-writer.ts';

/** The same, with a span for every commit of trades. */
export const tracedCommits = (tracer: Tracer, write: TradeWriter['write']): TradeWriter['write'] =>
  tracer.isOn
    ? (commit) =>
        traced(tracer, 'commit trades', { kind: 'client', attributes: attributesOf(commit) }, () => write(commit))
    : write;

const attributesOf = ({ trades, changes }: TradeCommit) => ({
  'db.system.name': 'postgresql',
  'tcp_dashboard.rows': trades.length,
  'tcp_dashboard.markets': new Set(trades.map(({ trade: { exchange, symbol } }) => `${exchange}:${symbol}`)).size,
  'tcp_dashboard.ledger_changes': changes.length,
});
