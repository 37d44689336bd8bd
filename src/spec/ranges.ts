import type { Pin } from '../lab/lab.ts';
import { type Family, unusableKind } from '../net/address.ts';
import {
  formatCidr,
  formatInterval,
  type Interval,
  overlaps,
  parseCidr,
  parseInterval,
  readCidr,
} from '../net/cidr.ts';
import { checkedText, type Fault } from './fault.ts';
import { show } from './show.ts';

/** In the middle of 169.0.0.0/8, so the ends of a range do not tell. */
const LINK_LOCAL = parseCidr('169.254.0.0/16');
const KINDS: Readonly<Record<string, string>> = {
  loopback: 'loopback addresses',
  multicast: 'multicast addresses',
  linkLocal: 'link-local addresses',
  ipv4Mapped: 'IPv4-mapped addresses',
  broadcast: 'the broadcast address',
  unspecified: 'the unspecified address',
};

/** A CIDR block that a cluster or a network can use. */
export const cidrText = (family?: Family) => checkedText((text) => findCidrFault(text, family));

/** Smaller subnets have no room for a gateway, a node and a pool. */
const SMALLEST_SUBNET = { 4: 29, 6: 125 } as const;

/** A CIDR block that a Docker network can have. */
export const subnetText = (family?: Family) =>
  checkedText((text) => findCidrFault(text, family) ?? findSubnetFault(text));

/** A CIDR block, or `first-last`. */
export const intervalText = checkedText((text) => {
  if (!text.includes('-')) return findCidrFault(text);
  const interval = parseInterval(text);
  if (interval) return findUseFault(text, interval);
  return { message: `expected first-last, two addresses of one family in ascending order, found ${show(text)}` };
});

function findCidrFault(text: string, family?: Family): Fault | undefined {
  const read = readCidr(text);
  if ('cidr' in read) {
    const isOther = family !== undefined && read.cidr.family !== family;
    return isOther ? { message: `expected an IPv${family} range, found ${show(text)}` } : findUseFault(text, read.cidr);
  }
  if (read.meant) {
    return { message: `${text} has bits set after its prefix`, hint: `did you mean ${formatCidr(read.meant)}?` };
  }
  if (read.problem === 'prefix') return { message: `the prefix of ${text} has more bits than an address` };
  const example = family === 6 ? 'fd00:10:4::/56' : '10.4.0.0/16';
  return { message: `expected a range such as ${example}, found ${show(text)}` };
}

function findSubnetFault(text: string): Fault | undefined {
  const { family, prefix } = parseCidr(text);
  const smallest = SMALLEST_SUBNET[family];
  if (prefix <= smallest) return undefined;
  return { message: `${text} has no room for a gateway, a node and a pool`, hint: `at least /${smallest}` };
}

function findUseFault(text: string, interval: Interval): Fault | undefined {
  const { family, first, last } = interval;
  const kind =
    unusableKind({ family, value: first }) ??
    unusableKind({ family, value: last }) ??
    (overlaps(interval, LINK_LOCAL) ? 'linkLocal' : undefined);
  return kind ? { message: `no cluster can use ${text}: it holds ${KINDS[kind] ?? kind}` } : undefined;
}

/** The pin with its text in canonical form. */
export const makePin = (text: string, at: string): Pin => {
  const interval = parseInterval(text);
  return { cidr: interval ? formatInterval(interval) : text, at };
};
