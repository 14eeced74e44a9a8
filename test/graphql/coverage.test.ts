import { afterAll, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest';
import type { CoverageStatus, Stretch } from '../../src/market/coverage.ts';
import { connect, results } from '../server/clients.ts';
import { type Served, serve } from '../server/served.ts';
import { gapOf } from './ledger.ts';
import { START } from './market.ts';

let served: Served;
beforeAll(async () => {
  served = await serve();
});
beforeEach(() => {
  served.market.ledger.stretches = [];
  served.market.ledger.gaps = [];
});
afterAll(() => served[Symbol.asyncDispose]());

const iso = (ms: number) => new Date(START + ms).toISOString();
const market = 'exchange: "okx", symbol: "BTC-USDT"';

const stretch = (
  status: CoverageStatus,
  [first, last]: readonly [number, number],
  [from, to]: readonly [number, number],
  fields: Partial<Stretch> = {},
): Stretch => ({
  ...{ status, evidence: 'TRADE_ID_CONTIGUITY', first: BigInt(first), last: BigInt(last) },
  ...{ from: START + from, to: START + to, actual: status === 'GAP' ? 0 : last - first + 1 },
  ...{ cause: null, gap: null, gapFoundAt: null, ...fields },
});

describe('coverage', () => {
  const COVERAGE = (args: string) =>
    `{ coverage(${args}) { status evidence from to firstId lastId expected actual cause gapId } }`;

  it('tells what is known of a range, part by part', async () => {
    const gap = gapOf(11, 14);
    served.market.ledger.gaps = [gap];
    served.market.ledger.stretches = [
      stretch('PROVEN', [1, 10], [1_000, 2_000]),
      stretch('GAP', [11, 14], [2_000, 3_000], { cause: 'slept', gap: gap.first, gapFoundAt: gap.foundAt }),
      stretch('PROVEN', [15, 20], [3_000, 4_000]),
    ];
    const { data } = await served.ask(COVERAGE(`${market}, from: "${iso(0)}", to: "${iso(5_000)}"`));
    const unknown = { firstId: null, lastId: null, expected: null, actual: '0', gapId: null };
    expect(data.coverage).toEqual([
      {
        ...{ status: 'UNPROVEN', evidence: 'CONNECTION_ONLY', from: iso(0), to: iso(1_000) },
        ...{ ...unknown, cause: 'not collected' },
      },
      {
        ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', from: iso(1_000), to: iso(2_000) },
        ...{ firstId: '1', lastId: '10', expected: '10', actual: '10', cause: null, gapId: null },
      },
      {
        ...{ status: 'GAP', evidence: 'TRADE_ID_CONTIGUITY', from: iso(2_000), to: iso(3_001) },
        ...{ firstId: '11', lastId: '14', expected: '4', actual: '0', cause: 'slept', gapId: expect.any(String) },
      },
      {
        ...{ status: 'PROVEN', evidence: 'TRADE_ID_CONTIGUITY', from: iso(3_001), to: iso(4_000) },
        ...{ firstId: '15', lastId: '20', expected: '6', actual: '6', cause: null, gapId: null },
      },
      {
        ...{ status: 'UNPROVEN', evidence: 'CONNECTION_ONLY', from: iso(4_000), to: iso(5_000) },
        ...{ ...unknown, cause: 'nothing newer was received yet' },
      },
    ]);
    const found = await served.ask('query ($id: ID!) { node(id: $id) { ... on Gap { firstId remaining } } }', {
      id: data.coverage[2].gapId,
    });
    expect(found.data.node).toEqual({ firstId: '11', remaining: '4' });
  });

  it('ends now unless told otherwise', async () => {
    const { data } = await served.ask(`{ coverage(${market}, from: "${iso(0)}") { from to } }`);
    expect(Math.abs(Date.parse(data.coverage[0].to) - Date.now())).toBeLessThan(5_000);
  });

  it('says of data that has no ids no ids', async () => {
    const { data } = await served.ask(COVERAGE(`${market}, dataType: TICKER, from: "${iso(0)}", to: "${iso(1)}"`));
    expect(data.coverage).toMatchObject([{ status: 'UNPROVEN', cause: 'not collected', firstId: null }]);
  });

  it.each([
    [`exchange: "nope", symbol: "BTC-USDT", from: "${iso(0)}"`, 'EXCHANGE_UNKNOWN'],
    [`exchange: "okx", symbol: "NO-SUCH", from: "${iso(0)}"`, 'SYMBOL_UNKNOWN'],
    [`exchange: "okx", symbol: "\\u0000", from: "${iso(0)}"`, 'BAD_USER_INPUT'],
    [`${market}, from: "${iso(1)}", to: "${iso(0)}"`, 'BAD_USER_INPUT'],
  ])('refuses %s', async (args, code) => {
    const { errors = [] } = await served.ask(COVERAGE(args));
    expect(errors[0]?.extensions).toMatchObject({ code });
  });

  it('has a ratio that one missing trade among billions still shows in', async () => {
    const ask = async () =>
      (await served.ask(`{ instrument(${market}) { coverage { ratio expected stored openGaps } } }`)).data.instrument
        .coverage;
    expect(await ask()).toEqual({ ratio: null, expected: '0', stored: '0', openGaps: 0 });
    served.market.ledger.stretches = [stretch('PROVEN', [1, 4_000_000_000], [0, 1])];
    expect((await ask()).ratio).toBe(1);
    served.market.ledger.stretches.push(stretch('GAP', [4_000_000_001, 4_000_000_001], [1, 2]));
    served.market.ledger.gaps = [gapOf(4_000_000_001, 4_000_000_001)];
    const { ratio, ...rest } = await ask();
    expect(rest).toEqual({ expected: '4000000001', stored: '4000000000', openGaps: 1 });
    expect(ratio).toBeLessThan(1);
    expect(ratio).toBeGreaterThan(0.9999999);
  });
});

describe('gaps', () => {
  const GAPS = `query ($status: [CoverageStatus!], $symbol: String, $first: Int, $after: Cursor) {
    gaps(status: $status, symbol: $symbol, first: $first, after: $after) {
      edges { node { id exchange symbol dataType firstId lastId from to foundAt cause status expected filled unfillable remaining } }
      pageInfo { hasNextPage endCursor }
    }
  }`;
  const firsts = (data: { gaps: { edges: { node: { firstId: string } }[] } }) =>
    data.gaps.edges.map(({ node }) => node.firstId);

  it('have everything that is known of them', async () => {
    served.market.ledger.gaps = [gapOf(11, 20, { filled: 4n, unfillable: 1n })];
    const { data } = await served.ask(GAPS);
    expect(data.gaps.edges[0].node).toEqual({
      ...{
        id: expect.any(String),
        exchange: 'okx',
        symbol: 'BTC-USDT',
        dataType: 'TRADE',
        firstId: '11',
        lastId: '20',
      },
      ...{ from: iso(0), to: iso(60_000), foundAt: iso(11), cause: 'the socket was gone', status: 'GAP' },
      ...{ expected: '10', filled: '4', unfillable: '1', remaining: '5' },
    });
  });

  it('come newest first, page by page', async () => {
    served.market.ledger.gaps = [1, 2, 3, 4, 5].map((first) => gapOf(first, first));
    const seen: string[] = [];
    for (let after: string | null = null, more = true; more; ) {
      const { data } = await served.ask(GAPS, { first: 2, after });
      seen.push(...firsts(data));
      after = data.gaps.pageInfo.endCursor;
      more = data.gaps.pageInfo.hasNextPage;
    }
    expect(seen).toEqual(['5', '4', '3', '2', '1']);
  });

  it('can be narrowed, and a cursor of another filter is refused', async () => {
    served.market.ledger.gaps = [
      gapOf(1, 1),
      gapOf(2, 2, { status: 'BACKFILLED' }),
      gapOf(3, 3, { symbol: 'ETH-USDT' }),
    ];
    const closed = await served.ask(GAPS, { status: ['BACKFILLED'], first: 1 });
    expect(firsts(closed.data)).toEqual(['2']);
    expect(firsts((await served.ask(GAPS, { symbol: 'ETH-USDT' })).data)).toEqual(['3']);
    const { errors = [] } = await served.ask(GAPS, { after: closed.data.gaps.pageInfo.endCursor });
    expect(errors[0]?.extensions).toMatchObject({ code: 'CURSOR_INVALID' });
  });

  it('are counted where people look first', async () => {
    served.market.ledger.gaps = [gapOf(1, 1), gapOf(5, 5), gapOf(2, 2, { status: 'BACKFILLED' })];
    const { data } = await served.ask(
      '{ health { openGaps } collector(name: "okx:BTC-USDT") { streams { dataType openGaps } } }',
    );
    expect(data.health.openGaps).toBe(2);
    expect(data.collector.streams).toEqual([
      { dataType: 'TRADE', openGaps: 2 },
      { dataType: 'TICKER', openGaps: 0 },
    ]);
  });

  it('tell subscribers whenever they change', async () => {
    const { client } = connect(served.url);
    const changes = results(
      client,
      'subscription { gapChanged(exchange: "okx", symbol: "BTC-USDT") { firstId status remaining } }',
    );
    const first = changes.next();
    await vi.waitFor(() => expect(served.market.ledger.listeners).toBe(1));
    served.market.ledger.change(gapOf(9, 9, { symbol: 'ETH-USDT' }));
    served.market.ledger.change(gapOf(11, 20));
    served.market.ledger.change(gapOf(11, 20, { filled: 10n, status: 'BACKFILLED' }));
    expect((await first).value.data.gapChanged).toEqual({ firstId: '11', status: 'GAP', remaining: '10' });
    expect((await changes.next()).value.data.gapChanged).toMatchObject({ status: 'BACKFILLED', remaining: '0' });
    await changes.return?.();
    await vi.waitFor(() => expect(served.market.ledger.listeners).toBe(0));
    await client.dispose();
  });
});

describe('a backfill', () => {
  const REQUEST = `mutation ($input: RequestBackfillInput!) {
    requestBackfill(input: $input) {
      backfill { id exchange symbol from to firstId lastId requests trades seconds filled unfillable remaining status }
      userErrors { code message path }
    }
  }`;
  const input = { exchange: 'okx', symbol: 'BTC-USDT', from: iso(0), to: iso(10_000) };
  const ask = async (fields: object = {}) =>
    (await served.ask(REQUEST, { input: { ...input, ...fields } })).data.requestBackfill;

  it('can be planned without being made', async () => {
    const { backfill, userErrors } = await ask({ dryRun: true });
    expect(userErrors).toEqual([]);
    expect(backfill).toMatchObject({
      ...input,
      requests: 12,
      trades: '100',
      seconds: 1.5,
      remaining: '100',
      status: 'PLANNED',
    });
    expect((await served.ask(`{ backfill(id: "${backfill.id}") { status } }`)).data.backfill).toBeNull();
  });

  it('can be watched and cancelled', async () => {
    const { backfill } = await ask();
    const query = `{ backfill(id: "${backfill.id}") { status remaining } }`;
    expect((await served.ask(query)).data.backfill).toEqual({ status: 'RUNNING', remaining: '100' });
    const cancel = `mutation { cancelBackfill(input: { id: "${backfill.id}" }) { backfill { status } userErrors { code } } }`;
    expect((await served.ask(cancel)).data.cancelBackfill).toEqual({
      backfill: { status: 'CANCELLED' },
      userErrors: [],
    });
  });

  it.each([
    [{ exchange: 'nope' }, 'EXCHANGE_UNKNOWN', ['input', 'exchange']],
    [{ symbol: 'NO-SUCH' }, 'SYMBOL_UNKNOWN', ['input', 'symbol']],
    [{ to: iso(0) }, 'BAD_USER_INPUT', null],
  ])('with %j is refused as data', async (fields, code, path) => {
    expect(await ask(fields)).toEqual({ backfill: null, userErrors: [{ code, message: expect.any(String), path }] });
  });

  it('that nobody knows cannot be cancelled', async () => {
    const { data } = await served.ask('mutation { cancelBackfill(input: { id: "x" }) { userErrors { code path } } }');
    expect(data.cancelBackfill.userErrors).toEqual([{ code: 'BACKFILL_UNKNOWN', path: ['input', 'id'] }]);
  });
});

it('says of every kind of data what can be proven and fetched again', async () => {
  const { data } = await served.ask(
    '{ exchanges { exchange dataTypes capabilities { streams { dataType proof refillable refillBy refillReach } } } }',
  );
  for (const { dataTypes, capabilities } of data.exchanges)
    expect(capabilities.streams.map(({ dataType }: { dataType: string }) => dataType)).toEqual(dataTypes);
  expect(data.exchanges[0].capabilities.streams).toContainEqual({
    ...{ dataType: 'TRADE', proof: 'TRADE_ID_CONTIGUITY', refillable: true, refillBy: 'trade id' },
    refillReach: expect.stringContaining('month'),
  });
  expect(data.exchanges[0].capabilities.streams).toContainEqual({
    ...{ dataType: 'TICKER', proof: 'CONNECTION_ONLY', refillable: false, refillBy: null, refillReach: null },
  });
});
