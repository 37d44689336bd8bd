import fc from 'fast-check';
import { Address4, Address6 } from 'ip-address';
import ipaddr from 'ipaddr.js';
import { describe, expect, it } from 'vitest';
import { bitsOf, formatAddress } from '../../src/net/address.ts';
import {
  blockAround,
  blockSize,
  type Cidr,
  contains,
  countAddresses,
  firstAddress,
  formatCidr,
  formatInterval,
  type Interval,
  lastAddress,
  overlaps,
  parseCidr,
  parseInterval,
  readCidr,
} from '../../src/net/cidr.ts';
import { addresses, cidrs, pairs } from './arbitrary-net.ts';

const libraryOf = (cidr: Cidr) => (cidr.family === 4 ? new Address4(formatCidr(cidr)) : new Address6(formatCidr(cidr)));

/** Whether an address is in a block, as ipaddr.js sees it. */
const matches = (value: bigint, block: Cidr): boolean => {
  const [range, prefix] = ipaddr.parseCIDR(formatCidr(block));
  return ipaddr.parse(formatAddress({ family: block.family, value })).match(range, prefix);
};

const intervals: fc.Arbitrary<Interval> = addresses().chain((one) =>
  addresses(fc.constant(one.family)).map(({ value }) => ({
    family: one.family,
    first: value < one.value ? value : one.value,
    last: value < one.value ? one.value : value,
  })),
);

describe('a block', () => {
  it('is read as it was printed, of every prefix length', () => {
    fc.assert(
      fc.property(cidrs(), (cidr) => {
        const text = formatCidr(cidr);
        expect(readCidr(text)).toEqual({ cidr });
        expect(parseCidr(text)).toEqual(cidr);
        expect(parseInterval(text)).toEqual(cidr);
      }),
      { numRuns: 1000 },
    );
  });

  it('has the ends that both libraries give it', () => {
    fc.assert(
      fc.property(cidrs(), (cidr) => {
        const other = libraryOf(cidr);
        expect(other.startAddress().bigInt()).toBe(cidr.first);
        expect(other.endAddress().bigInt()).toBe(cidr.last);
        expect(firstAddress(cidr)).toBe(other.startAddress().correctForm());
        expect(lastAddress(cidr)).toBe(other.endAddress().correctForm());
        expect(countAddresses(cidr)).toBe(blockSize(cidr.family, cidr.prefix));
        const kind = cidr.family === 4 ? ipaddr.IPv4 : ipaddr.IPv6;
        expect(kind.networkAddressFromCIDR(formatCidr(cidr)).toByteArray()).toEqual(
          ipaddr.parse(firstAddress(cidr)).toByteArray(),
        );
      }),
      { numRuns: 1000 },
    );
  });

  it('contains and overlaps what both libraries say', () => {
    const seen = { contains: 0, apart: 0 };
    fc.assert(
      fc.property(pairs, ([a, b]) => {
        const inside = libraryOf(b).isInSubnet(libraryOf(a));
        expect(contains(a, b)).toBe(inside);
        expect(contains(a, b)).toBe(matches(b.first, a) && matches(b.last, a));
        // Two blocks overlap when one is in the other.
        expect(overlaps(a, b)).toBe(inside || libraryOf(a).isInSubnet(libraryOf(b)));
        expect(overlaps(b, a)).toBe(overlaps(a, b));
        seen[inside ? 'contains' : 'apart']++;
      }),
      { numRuns: 2000 },
    );
    expect(Math.min(seen.contains, seen.apart)).toBeGreaterThan(200);
  });

  it('has nothing to do with one of the other family', () => {
    const [four, six] = [parseCidr('0.0.0.0/0'), parseCidr('::/0')];
    expect([overlaps(four, six), contains(six, four), contains(four, six)]).toEqual([false, false, false]);
  });

  it('is what is around an address', () => {
    fc.assert(
      fc.property(addresses(), fc.nat(128), (address, bits) => {
        const prefix = bits % (bitsOf(address.family) + 1);
        const block = blockAround(address, prefix);
        expect(matches(address.value, block)).toBe(true);
        const text = `${formatAddress(address)}/${prefix}`;
        expect(readCidr(text)).toEqual(
          block.first === address.value ? { cidr: block } : { problem: 'host bits', meant: block },
        );
        expect(parseCidr(text)).toEqual(block);
      }),
    );
  });

  it.each([
    ['10.0.0.0', 'syntax'],
    ['10.0.0/8', 'syntax'],
    ['10.0.0.0/08', 'syntax'],
    ['10.0.0.0/+8', 'syntax'],
    ['10.0.0.0/8 ', 'syntax'],
    ['10.0.0.0/255.0.0.0', 'syntax'],
    ['fe80::%1/64', 'syntax'],
    ['/8', 'syntax'],
    ['10.0.0.0/33', 'prefix'],
    ['fd00::/129', 'prefix'],
    ['fd00::/1000', 'syntax'],
  ])('is not %s: %s', (text, problem) => {
    expect(readCidr(text)).toEqual({ problem });
    expect(() => parseCidr(text)).toThrow(TypeError);
  });
});

describe('an interval', () => {
  it('is read as it was printed', () => {
    fc.assert(
      fc.property(fc.oneof(intervals, cidrs()), ({ family, first, last }) => {
        expect(parseInterval(formatInterval({ family, first, last }))).toMatchObject({ family, first, last });
      }),
      { numRuns: 1000 },
    );
  });

  it('is printed as a block exactly when it is one', () => {
    fc.assert(
      fc.property(cidrs(), (cidr) => {
        expect(formatInterval({ family: cidr.family, first: cidr.first, last: cidr.last })).toBe(formatCidr(cidr));
        if (cidr.last === cidr.first) return;
        expect(formatInterval({ ...cidr, last: cidr.last - 1n })).toBe(
          cidr.prefix === bitsOf(cidr.family) - 1
            ? `${firstAddress(cidr)}/${bitsOf(cidr.family)}`
            : `${firstAddress(cidr)}-${formatAddress({ family: cidr.family, value: cidr.last - 1n })}`,
        );
      }),
    );
    // As large as a block, but not aligned like one.
    expect(formatInterval({ family: 4, first: 2n, last: 5n })).toBe('0.0.0.2-0.0.0.5');
  });

  it.each([
    ...['10.0.0.5-10.0.0.1', '10.0.0.1-fd00::1', '10.0.0.1-', '-', '10.0.0.1-10.0.0.2-10.0.0.3', '10.0.0.1', 'x-y'],
    ...['10.0.0.1/8', '10.0.0.0/8-10.0.0.0/9'],
  ])('is not %s', (text) => {
    expect(parseInterval(text)).toBeUndefined();
  });

  it('may have spaces around the dash, as MetalLB writes it', () => {
    expect(parseInterval('10.0.0.1 - 10.0.0.9')).toEqual({ family: 4, first: 0x0a000001n, last: 0x0a000009n });
  });
});
