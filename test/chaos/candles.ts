import { systemClock } from '../../src/runtime/clock.ts';
import { silentLog } from '../../src/runtime/log.ts';
import { openDatabase } from '../../src/storage/database.ts';
import { openTradeWriter } from '../../src/storage/trade-writer.ts';
import { type Asked, askMarket } from '../candles/ask.ts';
import { atLeast, atMost } from './result.ts';
import type { Scenario } from './scenario.ts';

export interface CandlesSize {
  /** Questions whose answers are compared. */
  readonly cases: number;
  /** Numbers of markets; all without it. */
  readonly only?: readonly string[];
}

/** Writers that record markets of their own, at the same time. */
const LANES = 8;
/** The embedded database takes one statement at a time: so many times fewer questions. */
const EMBEDDED_SHARE = 5;
const KINDS = [
  ...['COMPLETE', 'UNPROVEN', 'PARTIAL', 'MISSING', 'OMIT', 'INCLUDE_NULL', 'CARRY_FORWARD', 'candleAt'],
  ...['as known now', 'as of a time', 'revised'],
];

/** Random markets through the real writer into the database; what it says of their candles against what the documents define. */
export const candles: Scenario<CandlesSize> = async ({ seed, place, say }, protocol, { cases, only }) => {
  const { url, dataDir } = await place();
  const [most, lanes] = url === null ? [Math.ceil(cases / EMBEDDED_SHARE), 1] : [cases, LANES];
  await using db = await openDatabase({
    ...{ url, dataDir, poolSize: 12, maxOverflow: 0, poolTimeoutMs: 60_000, poolRecycleMs: 3_600_000 },
    tables: { marketData: 'market_data', rawTrades: 'raw_trades', collectorStatus: 'collector_status' },
    ...{ log: silentLog, clock: systemClock },
  });
  const asked: Asked = { cases: 0, repeated: 0, wrong: [], met: {} };
  let market = 0;
  let told = 0;
  const chosen = only?.map(Number);
  const next = () => {
    market += 1;
    return chosen === undefined ? (asked.cases < most ? market : undefined) : chosen[market - 1];
  };
  const lane = async (name: string) => {
    await using writer = await openTradeWriter(db, systemClock, silentLog, { owner: name, writer: null });
    for (let number = next(); number !== undefined; number = next()) {
      await askMarket(db, writer, `${seed} ${number}`, asked);
      if (asked.cases < told + 5_000) continue;
      told = asked.cases;
      say(`${asked.cases} of ${most} answers, ${asked.wrong.length} wrong`);
    }
  };
  await Promise.all(Array.from({ length: lanes }, (_, k) => lane(`candles ${k}`)));
  for (const line of asked.wrong.slice(0, 5)) say(line);
  protocol.count('answers', asked.cases);
  protocol.count('answers of a time, asked again', asked.repeated);
  protocol.count('markets', market - lanes);
  for (const [name, count] of Object.entries(asked.met)) protocol.count(name, count);
  protocol.goals.push(
    atMost('answers that differ from what was traded, or changed later', asked.wrong.length, 0),
    ...(chosen === undefined ? KINDS.map((kind) => atLeast(`met: ${kind}`, asked.met[kind] ?? 0, 1)) : []),
  );
};
