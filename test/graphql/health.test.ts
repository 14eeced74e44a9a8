import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { type Served, serve } from '../server/served.ts';
import { UNLISTED } from './market.ts';

let served: Served;
beforeEach(async () => {
  served = await serve();
});
afterEach(() => served[Symbol.asyncDispose]());

const health = async () => (await served.ask('{ health { status reasons } }')).data.health;
const addFailing = (autoRestart: boolean) =>
  served.market.manager.addFromConfig({ exchange: 'okx', symbol: UNLISTED, dataTypes: ['trade'], autoRestart });

describe('health says what is wrong and what is done about it', () => {
  it('of a collector in error: when it is restarted', async () => {
    await addFailing(true);
    // While it is being restarted it is in another state.
    await vi.waitFor(async () =>
      expect(await health()).toEqual({
        status: 'DEGRADED',
        reasons: [
          expect.stringMatching(
            /^okx:NO-SUCH: Should be running but is error: okx refused the channel\. It is restarted in \d+\.\d s\.$/,
          ),
        ],
      }),
    );
  });

  it('of one that is not restarted by itself: how to', async () => {
    await addFailing(false);
    expect(await health()).toEqual({
      status: 'DEGRADED',
      reasons: [
        expect.stringMatching(
          /refused the channel\. It is not restarted .* auto_restart is off: use restartCollector\.$/,
        ),
      ],
    });
  });

  it('DOWN when all that should run are in error, and not for one that was stopped', async () => {
    await addFailing(true);
    await served.market.manager.stopCollector('okx:BTC-USDT');
    await vi.waitFor(async () => expect((await health()).status).toBe('DOWN'));
    await served.market.manager.stopCollector(`okx:${UNLISTED}`);
    expect(await health()).toEqual({ status: 'OK', reasons: [] });
  });

  it.each([
    ['SPOOLING', 'DEGRADED'],
    ['FULL', 'DOWN'],
  ] as const)('of recording that is %s, in the words of storage', async (state, status) => {
    served.market.recording = {
      ...served.market.recording,
      state,
      reason: 'The database has not taken trades for 2 s',
    };
    expect(await health()).toEqual({ status, reasons: ['The database has not taken trades for 2 s.'] });
  });

  it('of trades that could not be recorded', async () => {
    const { recording } = served.market;
    served.market.recording = { ...recording, drain: { ...recording.drain, refused: 1 } };
    expect(await health()).toEqual({
      status: 'DEGRADED',
      reasons: ['Some trades could not be recorded; the log says which.'],
    });
  });
});
