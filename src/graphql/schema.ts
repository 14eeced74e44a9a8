import './scalars.ts';
import './trade.ts';
import './trade-stream.ts';
import './market-data.ts';
import './candle.ts';
import './candle-stream.ts';
import './data-quality.ts';
import './ticker.ts';
import './order-book.ts';
import './balance.ts';
import './exchange.ts';
import './instrument.ts';
import './collector.ts';
import './collector-events.ts';
import './collector-mutations.ts';
import './manager.ts';
import './health.ts';
import './coverage.ts';
import './gap.ts';
import './backfill.ts';
import { audited } from './audit.ts';
import { builder } from './builder.ts';

/** Everything above, as one executable schema. */
export const schema = audited(builder.toSchema());
