import { FaultProxy } from './fault-proxy.ts';
import { Ground, SYMBOLS } from './ground.ts';
import { atLeast, atMost, greatest, inTime, quantile } from './result.ts';
import type { Scenario } from './scenario.ts';
import { sleep, until } from './wait.ts';

export interface PostgresSize {
  readonly kills: number;
  readonly rate: number;
  /** How long it is away in the end. */
  readonly awayMs: number;
}

/**
 * Of a commit that is under way: it never leaves us, it is on its way, or it is done and we are not told. The writer cannot tell
 * the last two apart.
 */
const MOMENTS = ['never sent', 'under way', 'answer lost'] as const;

/** Postgres is killed in the middle of commits, and in the end is away for long. */
export const postgres: Scenario<PostgresSize> = async (setting, protocol, { kills, rate, awayMs }) => {
  const { cluster, random, say, seed } = setting;
  const place = await setting.place();
  if (cluster === null || place.url === null) throw new Error('This scenario kills a Postgres of its own');

  let armed: (typeof MOMENTS)[number] | null = null;
  let answerOf: object | null = null;
  let struck = Promise.withResolvers<void>();
  const kill = async () => {
    await cluster.kill();
    between.cut(); // also what was held back: a machine that is gone holds nothing open
  };
  const strike = () => void kill().then(struck.resolve, struck.reject);
  await using between = await FaultProxy.start({
    target: () => ({ host: '127.0.0.1', port: cluster.port }),
    tap: (bytes, direction, link) => {
      if (answerOf === link && direction === 'down') {
        answerOf = null;
        strike();
        return 'hold';
      }
      if (armed === null || direction === 'down' || !COMMIT.test(bytes.toString('latin1'))) return 'pass';
      const moment = armed;
      armed = null;
      if (moment === 'answer lost') answerOf = link;
      else if (moment === 'under way') setTimeout(strike, random() * 3);
      else strike();
      return moment === 'never sent' ? 'hold' : 'pass';
    },
  });
  await using ground = await Ground.open({ place, seed, rate, databaseUrl: between.through(place.url) });
  await ground.server.start();
  await ground.begun();
  const live = ground.subscribe('everything');
  ground.subscribe('one side of two', { filter: { symbols: ['ETH-USDT', 'SOL-USDT'], side: 'BUY' } });
  await using api = watchApi(ground);

  const drainMs: number[] = [];
  const back = async () => {
    await cluster.start();
    const known = ground.expected();
    const startedAt = performance.now();
    await until('drained', 30_000, async () => {
      const newest = await Promise.all(SYMBOLS.map((symbol) => ground.newestStored(symbol)));
      return newest.every((id, i) => id >= (known[i]?.tape.firstId ?? 0n) + BigInt(known[i]?.window.last ?? 0));
    });
    drainMs.push(performance.now() - startedAt);
  };
  for (let kill = 1; kill <= kills; kill += 1) {
    struck = Promise.withResolvers();
    armed = MOMENTS[kill % MOMENTS.length] ?? null;
    const moment = String(armed);
    await Promise.race([
      struck.promise,
      sleep(5_000).then(() => Promise.reject(new Error('nothing was committed for 5 s'))),
    ]);
    protocol.count(moment);
    await sleep(random() * 1_200);
    await back();
    if (kill % 10 === 0) say(`${kill} of ${kills} kills, drained after at most ${greatest(drainMs)} ms`);
  }
  await kill();
  say(`away for ${awayMs} ms`);
  const [seen, leftAt] = [live.entries.length, performance.now()];
  await sleep(awayMs);
  const arrivals = live.entries.slice(seen).map(({ at }) => at);
  const pauses = [...arrivals, performance.now()].map((at, i) => at - (arrivals[i - 1] ?? leftAt));
  await back();
  await api[Symbol.asyncDispose]();
  await ground.judge(protocol.findings);

  Object.assign(protocol.counts, {
    kills: kills + 1,
    streamedWhileAway: arrivals.length,
    answers: api.answers,
    uncoded: api.uncoded,
    ...api.codes,
  });
  Object.assign(protocol.figures, {
    drainP50Ms: quantile(drainMs, 0.5),
    drainMaxMs: greatest(drainMs),
    drainAfterAwayMs: Math.round(drainMs.at(-1) ?? 0),
    slowestAnswerMs: greatest([api.slowestMs]),
    longestPauseOfStreamMs: greatest(pauses),
  });
  protocol.goals.push(
    ...MOMENTS.map((moment) =>
      atLeast(`killed with a commit ${moment}`, protocol.counts[moment] ?? 0, Math.floor(kills / 3)),
    ),
    inTime('drained after it came back', greatest(drainMs), 10_000),
    atLeast(
      'errors with a code while it was away',
      Object.values(api.codes).reduce((sum, times) => sum + times, 0),
      1,
    ),
    atMost('errors without a code', api.uncoded, 0),
    inTime('slowest answer of the API', Math.round(api.slowestMs), 3_000),
    atLeast(
      'trades streamed while it was away',
      arrivals.length,
      Math.floor((awayMs / 1_000) * rate * SYMBOLS.length * 0.9),
    ),
    inTime('longest pause of the stream while it was away', greatest(pauses), 2_000),
  );
};

/** What commits trades: the prepared statement that is a transaction of its own, or the end of a longer one. */
const COMMIT = /record (?:boldly|trade_)|Q....commit\0/s;

/** Asks for trades all the time, as a dashboard would, and notes how long answers take and with which codes they fail. */
function watchApi({ server }: Ground) {
  const leaving = new AbortController();
  const seen = { answers: 0, uncoded: 0, slowestMs: 0, codes: {} as Record<string, number> };
  const life = (async () => {
    while (!leaving.signal.aborted) {
      const askedAt = performance.now();
      try {
        const { errors } = await server.ask(
          '{ trades(exchange: "okx", symbol: "BTC-USDT", first: 10) { edges { node { tradeId } } } }',
        );
        for (const { extensions } of errors ?? []) {
          if (extensions?.code === undefined || extensions.code === 'INTERNAL_SERVER_ERROR') seen.uncoded += 1;
          else seen.codes[extensions.code] = (seen.codes[extensions.code] ?? 0) + 1;
        }
      } catch {
        seen.uncoded += 1;
      }
      seen.answers += 1;
      seen.slowestMs = Math.max(seen.slowestMs, performance.now() - askedAt);
      await sleep(100);
    }
  })();
  return Object.assign(seen, {
    [Symbol.asyncDispose]: async () => {
      leaving.abort();
      await life;
    },
  });
}
