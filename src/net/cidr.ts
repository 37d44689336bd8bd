import { type Address, bitsOf, type Family, formatAddress, parseAddress } from './address.ts';

/** An inclusive run of addresses of one family. */
export interface Interval {
  readonly family: Family;
  readonly first: bigint;
  readonly last: bigint;
}

/** A CIDR block whose host bits are zero. */
export interface Cidr extends Interval {
  readonly prefix: number;
}

export const blockSize = (family: Family, prefix: number): bigint => 1n << BigInt(bitsOf(family) - prefix);

/** The block of `prefix` bits that holds the address. */
export function blockAround({ family, value }: Address, prefix: number): Cidr {
  const size = blockSize(family, prefix);
  const first = value - (value % size);
  return { family, prefix, first, last: first + size - 1n };
}

export type CidrProblem = 'syntax' | 'prefix' | 'host bits';

/** Reads `10.0.0.0/16`; `host bits` comes with the block that was probably meant. */
export function readCidr(text: string): { cidr: Cidr } | { problem: CidrProblem; meant?: Cidr } {
  const match = /^([0-9a-fA-F:.]+)\/(0|[1-9]\d{0,2})$/.exec(text);
  const address = match?.[1] === undefined ? undefined : parseAddress(match[1]);
  if (!match || !address) return { problem: 'syntax' };
  const prefix = Number(match[2]);
  if (prefix > bitsOf(address.family)) return { problem: 'prefix' };
  const cidr = blockAround(address, prefix);
  return cidr.first === address.value ? { cidr } : { problem: 'host bits', meant: cidr };
}

/** Reads a CIDR that is known to be right (a tool's output, a plan of ours). @throws on anything else */
export function parseCidr(text: string): Cidr {
  const read = readCidr(text);
  if ('cidr' in read) return read.cidr;
  if (read.meant) return read.meant;
  throw new TypeError(`not a CIDR: ${text}`);
}

export const formatCidr = (cidr: Cidr): string => `${firstAddress(cidr)}/${cidr.prefix}`;
export const firstAddress = ({ family, first }: Interval): string => formatAddress({ family, value: first });
export const lastAddress = ({ family, last }: Interval): string => formatAddress({ family, value: last });

/** `first-last`, as MetalLB takes it, or the CIDR when the interval is exactly one. */
export function formatInterval(interval: Interval): string {
  const size = interval.last - interval.first + 1n;
  if ((size & (size - 1n)) === 0n && interval.first % size === 0n) {
    return `${firstAddress(interval)}/${bitsOf(interval.family) - (size.toString(2).length - 1)}`;
  }
  return `${firstAddress(interval)}-${lastAddress(interval)}`;
}

/** Reads a CIDR or `first-last`; undefined for anything else or when the ends are of two families or swapped. */
export function parseInterval(text: string): Interval | undefined {
  const read = readCidr(text);
  if ('cidr' in read) return read.cidr;
  const [from, to, ...rest] = text.split('-').map((part) => parseAddress(part.trim()));
  if (!from || !to || rest.length > 0 || from.family !== to.family || from.value > to.value) return undefined;
  return { family: from.family, first: from.value, last: to.value };
}

export const overlaps = (a: Interval, b: Interval): boolean =>
  a.family === b.family && a.first <= b.last && b.first <= a.last;

export const contains = (outer: Interval, inner: Interval): boolean =>
  outer.family === inner.family && outer.first <= inner.first && inner.last <= outer.last;

export const countAddresses = (interval: Interval): bigint => interval.last - interval.first + 1n;

/** The same addresses in as few blocks as possible, in order. */
export function joinBlocks(blocks: readonly Cidr[]): Cidr[] {
  const sorted = blocks.toSorted(
    (a, b) => a.family - b.family || (a.first < b.first ? -1 : a.first > b.first ? 1 : a.prefix - b.prefix),
  );
  const joined: Cidr[] = [];
  for (const block of sorted) {
    let next: Cidr = block;
    for (let last = joined.at(-1); last; last = joined.at(-1)) {
      if (contains(last, next)) next = last;
      else if (areHalves(last, next)) next = blockAround({ family: last.family, value: last.first }, last.prefix - 1);
      else break;
      joined.pop();
    }
    joined.push(next);
  }
  return joined;
}

const areHalves = (a: Cidr, b: Cidr): boolean =>
  a.family === b.family &&
  a.prefix === b.prefix &&
  a.prefix > 0 &&
  (a.first ^ b.first) === blockSize(a.family, a.prefix);
