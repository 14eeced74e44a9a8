import { type LookupAddress, lookup as resolve } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';
import { AppError } from './errors.ts';
import { isLoopback } from './loopback.ts';

/** Addresses that lead to this machine, its neighbours or to many at once: no exchange has one. */
const INWARD_4: readonly (readonly [network: string, bits: number])[] = [
  ...([
    ['0.0.0.0', 8],
    ['10.0.0.0', 8],
    ['100.64.0.0', 10],
    ['127.0.0.0', 8],
    ['169.254.0.0', 16],
  ] as const),
  ...([
    ['172.16.0.0', 12],
    ['192.0.0.0', 24],
    ['192.168.0.0', 16],
    ['198.18.0.0', 15],
    ['224.0.0.0', 3],
  ] as const),
];
const INWARD_6: typeof INWARD_4 = [
  ...([
    ['::', 127],
    ['fc00::', 7],
    ['fe80::', 10],
    ['fec0::', 10],
    ['ff00::', 8],
  ] as const),
  ...([
    ['2002::', 16],
    ['64:ff9b:1::', 48],
  ] as const),
];

const SECURE: ReadonlySet<string> = new Set(['https:', 'wss:']);
const PLAIN: ReadonlySet<string> = new Set(['http:', 'ws:']);

const inward = new BlockList();
for (const [network, bits] of INWARD_4) {
  inward.addSubnet(network, bits, 'ipv4'); // what stands in IPv6 as ::ffff:a.b.c.d is found by these too
  inward.addSubnet(`64:ff9b::${network}`, 96 + bits, 'ipv6'); // NAT64
}
for (const [network, bits] of INWARD_6) inward.addSubnet(network, bits, 'ipv6');

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4');

/** `10.1.0.0/16`, `fd00::/8` or a single address. */
export function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 6 ? 128 : 32));
}

/** Resolves a name as `dns.lookup` does with `all`. */
export type Resolve = (
  name: string,
  options: { readonly all: true },
  callback: (error: NodeJS.ErrnoException | null, addresses: LookupAddress[]) => void,
) => void;

/**
 * Where connections to exchanges and identity providers may lead: encrypted to public addresses and the allowed networks, and to this
 * machine where the URL says so itself. Names are judged by the address that is connected to, so none can change its mind in between.
 */
export class Outgoing {
  readonly #allowed = new BlockList();
  readonly #resolve: Resolve;

  /** `networks` as `isNetwork` takes them. */
  constructor(networks: readonly string[] = [], resolver: Resolve = resolve) {
    this.#resolve = resolver;
    for (const network of networks) {
      const [address = '', bits] = network.split('/');
      const family = familyOf(address);
      this.#allowed.addSubnet(address, Number(bits ?? (family === 'ipv6' ? 128 : 32)), family);
    }
  }

  /** To be called before anything is opened. @throws {AppError} UPSTREAM_UNSAFE */
  check({ protocol, hostname }: URL): void {
    if (!SECURE.has(protocol) && !(PLAIN.has(protocol) && isLoopback(hostname)))
      throw unsafe(
        hostname,
        `${protocol} is not encrypted; only https: and wss: are taken, and http: and ws: on this machine`,
      );
    const host = hostname.replace(/^\[(.*)\]$/, '$1');
    if (isIP(host) !== 0 && !this.#mayReach(hostname, host)) throw inwardAddress(hostname, host);
  }

  /** For sockets: every address a name has must be one that may be reached. */
  readonly lookup: LookupFunction = (hostname, { all }, callback) => {
    this.#resolve(hostname, { all: true }, (error, addresses) => {
      if (error) return callback(error, []);
      const wrong = addresses.find(({ address }) => !this.#mayReach(hostname, address));
      if (wrong) return callback(inwardAddress(hostname, wrong.address), []);
      const [first] = addresses;
      if (all || !first) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };

  #mayReach(host: string, address: string): boolean {
    const family = familyOf(address);
    if (!inward.check(address, family) || this.#allowed.check(address, family)) return true;
    return isLoopback(host) && isLoopback(address);
  }
}

const unsafe = (host: string, why: string) =>
  new AppError('UPSTREAM_UNSAFE', `Nothing is sent to ${host || 'nobody'}: ${why}`);

const inwardAddress = (host: string, address: string) =>
  unsafe(
    host,
    `${host === address ? 'it' : address} is an address of this machine or a private network; where that is meant, add it to outgoing.allowed_networks`,
  );
