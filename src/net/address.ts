/**
 * Single addresses. `ipaddr.js` reads text strictly, prints it in canonical form and says what kind of address it is
 * (loopback, multicast, v4-mapped …); `ip-address` is held against all of it in the tests, and only there, because it
 * takes ten times as long. Ranges and allocation are our own: they are what this project is for.
 */
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
  if (!text.includes(':')) {
    if (!ipaddr.IPv4.isValidFourPartDecimal(text)) return undefined;
    return { family: 4, value: joinParts(ipaddr.IPv4.parse(text).octets, 2) };
  }
  const last = text.slice(text.lastIndexOf(':') + 1);
  // The library lets these pass: a zone, a leading zero in `::ffff:010.0.0.1`, and any number of them in `00001::`.
  const isLoose = text.includes('%') || /[\da-f]{5}/i.test(text);
  if (isLoose || (last.includes('.') && !ipaddr.IPv4.isValidFourPartDecimal(last))) return undefined;
  return ipaddr.IPv6.isValid(text) ? { family: 6, value: joinParts(ipaddr.IPv6.parse(text).parts, 4) } : undefined;
}

/** One number of parts that have so many hexadecimal digits each. */
const joinParts = (parts: readonly number[], digits: number): bigint =>
  BigInt(`0x${parts.map((part) => part.toString(16).padStart(digits, '0')).join('')}`);

/** Canonical text: dotted quad, or RFC 5952 for IPv6. */
export function formatAddress({ family, value }: Address): string {
  const [size, digits] = family === 4 ? [8, 2] : [32, 4];
  const hex = value.toString(16).padStart(size, '0');
  const parts = Array.from({ length: size / digits }, (_, n) =>
    Number.parseInt(hex.slice(n * digits, (n + 1) * digits), 16),
  );
  return family === 4 ? parts.join('.') : new ipaddr.IPv6(parts).toRFC5952String();
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
