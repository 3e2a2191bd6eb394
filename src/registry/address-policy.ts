/** Which addresses may be connected to: a registry may be private, what it points at only if it is there itself. */

import { BlockList, isIP } from 'node:net';

/** From harmless to never. */
export const ADDRESS_CLASSES = ['public', 'private', 'loopback', 'forbidden'] as const;
/** `forbidden`: link-local, cloud metadata, unspecified, multicast and reserved ranges. */
export type AddressClass = (typeof ADDRESS_CLASSES)[number];

type Range = readonly [network: string, prefix: number];

const FORBIDDEN: readonly Range[] = [
  ['0.0.0.0', 8],
  ['169.254.0.0', 16],
  ['100.100.100.200', 32], // Alibaba metadata, inside the carrier-grade NAT range
  ['168.63.129.16', 32], // Azure wire server, a public address
  ['192.0.0.0', 24], // Oracle metadata and protocol assignments
  ['192.0.2.0', 24],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3], // multicast, reserved, broadcast
  ['::', 128],
  ['fe80::', 10],
  ['fec0::', 10],
  ['ff00::', 8],
  ['fd00:ec2::', 32], // AWS metadata
  ['fd20:ce::', 32], // Google metadata
  ['64:ff9b:1::', 48],
  ['100::', 64],
  ['2001:db8::', 32],
  ['2002::', 16], // 6to4 hides an IPv4 address
  ['2001::', 32], // Teredo likewise
];
const PRIVATE: readonly Range[] = [
  ['10.0.0.0', 8],
  ['172.16.0.0', 12],
  ['192.168.0.0', 16],
  ['100.64.0.0', 10],
  ['198.18.0.0', 15],
  ['fc00::', 7],
];
const LOOPBACK: readonly Range[] = [
  ['127.0.0.0', 8],
  ['::1', 128],
];

const LISTS: readonly (readonly [AddressClass, BlockList])[] = [
  ['forbidden', blockList(FORBIDDEN)],
  ['loopback', blockList(LOOPBACK)],
  ['private', blockList(PRIVATE)],
];

/** The class of an IP address; text that is none counts as forbidden. */
export function classifyAddress(address: string): AddressClass {
  const plain = unmap(address);
  const family = isIP(plain);
  if (family === 0) return 'forbidden';
  const type = family === 4 ? 'ipv4' : 'ipv6';
  return LISTS.find(([, list]) => list.check(plain, type))?.[0] ?? 'public';
}

/** `--allow-cidr`: networks that are always allowed. */
export class AddressPolicy {
  readonly #allowed: BlockList;

  /** @throws RangeError for text that is not address/prefix */
  constructor(allowedCIDRs: readonly string[] = []) {
    this.#allowed = blockList(allowedCIDRs.map(parseCIDR));
  }

  allows(address: string, granted: ReadonlySet<AddressClass>): boolean {
    if (granted.has(classifyAddress(address))) return true;
    const plain = unmap(address);
    const family = isIP(plain);
    return family !== 0 && this.#allowed.check(plain, family === 4 ? 'ipv4' : 'ipv6');
  }
}

/** What a registry that somebody named in a spec may be. */
export const REGISTRY_CLASSES: ReadonlySet<AddressClass> = new Set(['public', 'private', 'loopback']);

/** Refused by policy before any byte was sent. */
export class AddressRefusedError extends Error {
  override readonly name = 'AddressRefusedError';
  readonly code = 'LARDER_ADDRESS_REFUSED';
}

/** IPv4 inside IPv6 (::ffff:1.2.3.4, 64:ff9b::1.2.3.4) means the IPv4 address. */
function unmap(address: string): string {
  const bare = address.replace(/^\[|\]$/g, '').replace(/%.*$/, '');
  if (isIP(bare) !== 6) return bare;
  const { hostname } = new URL(`http://[${bare}]/`);
  const match = /^\[(?:::ffff:|64:ff9b::)([0-9a-f]{1,4}):([0-9a-f]{1,4})\]$/.exec(hostname);
  if (match === null) return bare;
  const [high, low] = [Number.parseInt(match[1] ?? '', 16), Number.parseInt(match[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

function blockList(ranges: readonly Range[]): BlockList {
  const list = new BlockList();
  for (const [network, prefix] of ranges)
    list.addSubnet(network, prefix, isIP(network) === 4 ? 'ipv4' : 'ipv6');
  return list;
}

function parseCIDR(text: string): Range {
  const [network = '', prefixText = ''] = text.split('/');
  const family = isIP(network);
  const prefix = Number(prefixText);
  const isPrefix = /^[0-9]{1,3}$/.test(prefixText) && prefix <= (family === 4 ? 32 : 128);
  if (family === 0 || !isPrefix)
    throw new RangeError(`reading network ${JSON.stringify(text)}: not address/prefix`);
  return [network, prefix];
}
