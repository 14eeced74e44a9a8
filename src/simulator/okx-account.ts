import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Credentials } from '../exchanges/adapter.ts';
import type { Source } from './feed.ts';
import { hash32, seedOf } from './hash.ts';
import type { OutFrame } from './out-frame.ts';

/** The only key the simulator knows unless told otherwise; a constant for tests, worth nothing anywhere. */
export const TEST_CREDENTIALS: Credentials = {
  key: 'simulated-key',
  secret: 'simulated-secret',
  passphrase: 'simulated-passphrase',
};

/** How far a login's timestamp may be from now. */
const LOGIN_AGE_MS = 30_000;

/** The refusal of a login's argument, or null when it is right. */
export function refuseLogin(
  arg: unknown,
  credentials: Credentials,
  now: number,
): { readonly code: string; readonly msg: string } | null {
  const { apiKey, passphrase, timestamp, sign } = (typeof arg === 'object' && arg !== null ? arg : {}) as Record<
    string,
    unknown
  >;
  if (typeof apiKey !== 'string' || apiKey === '') return { code: '60001', msg: 'apiKey can not be empty.' };
  if (typeof sign !== 'string' || sign === '') return { code: '60002', msg: 'sign can not be empty.' };
  if (typeof passphrase !== 'string' || passphrase === '')
    return { code: '60003', msg: 'passphrase can not be empty.' };
  if (typeof timestamp !== 'string' || !/^\d{9,11}(\.\d+)?$/.test(timestamp))
    return { code: '60004', msg: 'Invalid timestamp' };
  if (Math.abs(now - Number(timestamp) * 1000) > LOGIN_AGE_MS)
    return { code: '60006', msg: 'Timestamp request expired' };
  if (apiKey !== credentials.key) return { code: '60005', msg: 'Invalid apiKey' };
  const expected = createHmac('sha256', credentials.secret)
    .update(`${timestamp}GET/users/self/verify`)
    .digest('base64');
  if (!same(sign, expected)) return { code: '60007', msg: 'Invalid sign' };
  if (!same(passphrase, credentials.passphrase)) return { code: '60024', msg: 'Wrong passphrase' };
  return null;
}

export interface SimulatedBalance {
  readonly currency: string;
  readonly total: string;
  readonly available: string;
  readonly frozen: string;
}

const CURRENCIES = ['USDT', 'BTC', 'ETH'] as const;

/** The account after `push` pushes, a pure function of the seed; 0 is the snapshot. */
export const balancesAt = (seed: string, push: number): readonly SimulatedBalance[] =>
  CURRENCIES.map((currency, i) => {
    // A currency changes on every third push.
    const bits = hash32(seedOf(`${seed}/account/${currency}`), 0, Math.floor((push + 2 - i) / 3));
    const [available, frozen] = [bits % 1_000_000_000, (bits >>> 8) % 1_000];
    return { currency, total: units(available + frozen), available: units(available), frozen: units(frozen) };
  });

/** Down to 10^-8, as small as real accounts get. */
const units = (amount: number): string => {
  const digits = String(amount).padStart(9, '0');
  return `${digits.slice(0, -8)}.${digits.slice(-8)}`;
};

/** First everything, then every `everyMs` what changed; of one currency, if one is named. */
export function account(seed: string, everyMs: number, now: number, currency = ''): Source {
  let [push, sentAt] = [0, now];
  const wanted = (balance: SimulatedBalance) => currency === '' || balance.currency === currency;
  const frame = (time: number, balances: readonly SimulatedBalance[]): OutFrame => ({
    text: JSON.stringify({
      arg: { channel: 'account' },
      data: [
        {
          uTime: String(time),
          totalEq: '',
          adjEq: '',
          details: balances.filter(wanted).map((balance) => detail(balance, time)),
        },
      ],
    }),
    channel: 'account',
    nativeSymbol: null,
    trades: null,
  });
  return {
    greeting: () => [frame(sentAt, balancesAt(seed, push))],
    due(time) {
      if (time - sentAt < everyMs) return [];
      const before = balancesAt(seed, push);
      [push, sentAt] = [push + 1, time];
      return [
        frame(
          time,
          balancesAt(seed, push).filter(({ total }, i) => total !== before[i]?.total),
        ),
      ];
    },
  };
}

const detail = ({ currency, total, available, frozen }: SimulatedBalance, time: number) => ({
  ccy: currency,
  cashBal: total,
  availBal: available,
  frozenBal: frozen,
  eq: total,
  ordFrozen: frozen,
  uTime: String(time),
  upl: '',
  isoEq: '',
});

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
