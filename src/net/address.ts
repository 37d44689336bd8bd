/**
 * Single addresses. Two libraries share the work: `ipaddr.js` reads text strictly and classifies it
 * (loopback, multicast, v4-mapped …), `ip-address` turns values to and from BigInt and prints the canonical
 * form. Ranges and allocation are our own: they are what this project is for.
 */
import { Address4, Address6 } from 'ip-address';
import ipaddr from 'ipaddr.js';

export type Family = 4 | 6;
export const FAMILIES: readonly Family[] = [4, 6];

export interface Address {
  readonly family: Family;
  /** The address as an unsigned integer of 32 or 128 bits. */
  readonly value: bigint;
}

/** The family of an address or range that is known to be right. */
export const familyOf = (text: string): Family => (text.includes(':') ? 6 : 4);

/** Width of an address in bits. */
export const bitsOf = (family: Family): number => (family === 4 ? 32 : 128);

/** Reads `10.0.0.1` or `fd00::1`; undefined for anything else (octal, short forms, zones, ports). */
export function parseAddress(text: string): Address | undefined {
  if (ipaddr.IPv4.isValidFourPartDecimal(text)) return { family: 4, value: new Address4(text).bigInt() };
  // Each lets something pass that the other does not: a zone, a leading zero in `::ffff:010.0.0.1`.
  if (text.includes(':') && !text.includes('%') && ipaddr.IPv6.isValid(text) && Address6.isValid(text)) {
    return { family: 6, value: new Address6(text).bigInt() };
  }
  return undefined;
}

/** Canonical text: dotted quad, or RFC 5952 for IPv6. */
export function formatAddress({ family, value }: Address): string {
  return family === 4 ? Address4.fromBigInt(value).correctForm() : Address6.fromBigInt(value).correctForm();
}

/**
 * What kind of address this is, when a cluster cannot use it as a range: `loopback`, `multicast`,
 * `linkLocal`, `ipv4Mapped`, `broadcast`, `unspecified`; undefined when it is usable.
 */
export function unusableKind(address: Address): string | undefined {
  const range = ipaddr.parse(formatAddress(address)).range();
  const unusable = ['loopback', 'multicast', 'linkLocal', 'ipv4Mapped', 'broadcast', 'unspecified'];
  return unusable.includes(range) ? range : undefined;
}
