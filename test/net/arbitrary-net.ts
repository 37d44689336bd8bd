import fc from 'fast-check';
import { type Address, bitsOf, type Family } from '../../src/net/address.ts';
import { blockAround, type Cidr, type Interval } from '../../src/net/cidr.ts';

export const families: fc.Arbitrary<Family> = fc.constantFrom(4, 6);

/** Any address; often one with long runs of zeros or ones, where printing and arithmetic go wrong. */
export const addresses = (family: fc.Arbitrary<Family> = families): fc.Arbitrary<Address> =>
  family.chain((one) => {
    const most = (1n << BigInt(bitsOf(one))) - 1n;
    const words = fc
      .array(fc.oneof(fc.constantFrom(0n, 0xffffn, 1n), fc.bigInt(0n, 0xffffn)), {
        minLength: bitsOf(one) / 16,
        maxLength: bitsOf(one) / 16,
      })
      .map((list) => list.reduce((value, word) => (value << 16n) | word, 0n));
    return fc.oneof(words, fc.bigInt(0n, most)).map((value) => ({ family: one, value }));
  });

/** Any block, of every prefix length. */
export const cidrs = (family: fc.Arbitrary<Family> = families): fc.Arbitrary<Cidr> =>
  addresses(family).chain((address) => fc.nat(bitsOf(address.family)).map((prefix) => blockAround(address, prefix)));

/** Two blocks of one family that often have to do with each other. */
export const pairs: fc.Arbitrary<readonly [Cidr, Cidr]> = families.chain((family) =>
  fc.oneof(
    fc.tuple(cidrs(fc.constant(family)), cidrs(fc.constant(family))),
    fc
      .tuple(addresses(fc.constant(family)), fc.nat(bitsOf(family)), fc.nat(bitsOf(family)), fc.nat(3))
      .map(([address, one, other, step]) => {
        const first = blockAround(address, one);
        const most = (1n << BigInt(bitsOf(family))) - 1n;
        const near = first.last + BigInt(step);
        return [first, blockAround({ family, value: near > most ? first.first : near }, other)] as const;
      }),
  ),
);

/** Intervals inside the 256 addresses from `base` on, small enough for a naive model. */
export const smallIntervals = (family: Family, base: bigint): fc.Arbitrary<Interval[]> =>
  fc.array(
    fc.tuple(fc.nat(255), fc.nat(40)).map(([first, length]) => ({
      family,
      first: base + BigInt(first),
      last: base + BigInt(Math.min(255, first + length)),
    })),
    { maxLength: 12 },
  );
