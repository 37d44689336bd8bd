import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { bitsOf, type Family } from '../../src/net/address.ts';
import {
  allocateBlocks,
  allocateLargest,
  firstBlocks,
  freeIntervals,
  lastBlocks,
  mergeIntervals,
} from '../../src/net/allocate.ts';
import { blockSize, type Cidr, contains, formatCidr, type Interval, overlaps, parseCidr } from '../../src/net/cidr.ts';
import { families, smallIntervals } from './arbitrary-net.ts';

/** 256 addresses somewhere in the middle of each family. */
const BASES: Readonly<Record<Family, bigint>> = { 4: 0x0a000100n, 6: 0xfd00n << 112n };
const poolOf = (family: Family): Cidr => ({
  family,
  prefix: bitsOf(family) - 8,
  first: BASES[family],
  last: BASES[family] + 255n,
});

/** The last byte of every address that is in one of the intervals. */
const members = (intervals: readonly Interval[], base: bigint): number[] =>
  Array.from({ length: 256 }, (_, n) => n).filter((n) =>
    intervals.some(({ first, last }) => first <= base + BigInt(n) && base + BigInt(n) <= last),
  );

interface Space {
  readonly family: Family;
  readonly base: bigint;
  readonly pool: Cidr;
  readonly taken: readonly Interval[];
}

const spaces: fc.Arbitrary<Space> = families.chain((family) =>
  smallIntervals(family, BASES[family]).map((taken) => ({ family, base: BASES[family], pool: poolOf(family), taken })),
);

/** A block of `size` from `first` on is free in the model. */
const isFree = (free: ReadonlySet<number>, first: number, size: number): boolean =>
  Array.from({ length: size }, (_, n) => first + n).every((n) => free.has(n));

describe('intervals', () => {
  it('merge into ascending ones that neither touch nor overlap, and hold the same', () => {
    fc.assert(
      fc.property(spaces, ({ base, taken }) => {
        const merged = mergeIntervals(taken);
        expect(members(merged, base)).toEqual(members(taken, base));
        merged.slice(1).forEach((next, index) => {
          expect(next.first).toBeGreaterThan((merged[index] as Interval).last + 1n);
        });
      }),
    );
  });

  it('leave free what they do not hold', () => {
    fc.assert(
      fc.property(spaces, fc.nat(100), fc.nat(100), ({ family, base, taken }, from, to) => {
        const pool = { family, first: base + BigInt(from), last: base + 255n - BigInt(to) };
        const wider = taken.map((one) => ({ ...one, first: one.first - 3n }));
        const other: Interval = { family: family === 4 ? 6 : 4, first: 0n, last: 1n << 31n };
        const free = freeIntervals(pool, [...wider, other]);
        const held = new Set(members(wider, base));
        expect(members(free, base)).toEqual(members([pool], base).filter((n) => !held.has(n)));
        expect(mergeIntervals(free)).toEqual(free);
        expect(free.every((one) => contains(pool, one))).toBe(true);
      }),
    );
  });
});

describe('blocks', () => {
  const requests = fc.tuple(spaces, fc.nat(8), fc.integer({ min: 1, max: 9 }));

  it('are the lowest aligned free ones, or none when they are too few', () => {
    fc.assert(
      fc.property(requests, ([{ family, base, pool, taken }, bits, count]) => {
        const size = 2 ** bits;
        const intervals = freeIntervals(pool, taken);
        const free = new Set(members(intervals, base));
        const possible = Array.from({ length: 256 / size }, (_, n) => n * size).filter((n) => isFree(free, n, size));
        const prefix = bitsOf(family) - bits;
        const starts = (blocks: Cidr[] | undefined) => blocks?.map(({ first }) => Number(first - base));
        const enough = possible.length >= count;
        expect(starts(firstBlocks(intervals, family, prefix, count))).toEqual(
          enough ? possible.slice(0, count) : undefined,
        );
        expect(starts(lastBlocks(intervals, family, prefix, count))).toEqual(
          enough ? possible.toReversed().slice(0, count) : undefined,
        );
      }),
    );
  });

  it('of every prefix length are aligned, and as large as they say', () => {
    for (const [family, text] of [
      [4, '0.0.0.0/0'],
      [6, '::/0'],
    ] as const) {
      const everything = parseCidr(text);
      for (let prefix = 0; prefix <= bitsOf(family); prefix++) {
        const [lowest] = firstBlocks([everything], family, prefix, 1) as [Cidr];
        const [highest] = lastBlocks([everything], family, prefix, 1) as [Cidr];
        expect(lowest).toEqual({ family, prefix, first: 0n, last: blockSize(family, prefix) - 1n });
        expect(highest).toEqual({ ...highest, prefix, last: everything.last });
        expect(highest.first % blockSize(family, prefix)).toBe(0n);
        expect(parseCidr(formatCidr(highest))).toEqual(highest);
        expect(firstBlocks([everything], family, prefix, 2)?.length).toBe(prefix === 0 ? undefined : 2);
        // One address before the next boundary leaves no room for this block.
        if (prefix > 0 && prefix < bitsOf(family)) {
          const tight = { family, first: lowest.first + 1n, last: lowest.last + blockSize(family, prefix) - 1n };
          expect(firstBlocks([tight], family, prefix, 1)).toBeUndefined();
        }
      }
    }
  });

  const wishes = fc.tuple(spaces, fc.array(fc.nat(6), { minLength: 1, maxLength: 12 }));

  it('of many sizes are disjoint, aligned, free and in the order asked for', () => {
    let fitted = 0;
    fc.assert(
      fc.property(wishes, ([{ family, pool, taken }, sizes]) => {
        const free = freeIntervals(pool, taken);
        const prefixes = sizes.map((bits) => bitsOf(family) - bits);
        const blocks = allocateBlocks(free, family, prefixes);
        if (!blocks) return;
        fitted++;
        expect(blocks.map(({ prefix }) => prefix)).toEqual(prefixes);
        for (const [index, block] of blocks.entries()) {
          expect(block.first % blockSize(family, block.prefix)).toBe(0n);
          expect(free.some((gap) => contains(gap, block))).toBe(true);
          expect(blocks.slice(index + 1).some((other) => overlaps(block, other))).toBe(false);
          const before = blocks.slice(0, index).filter(({ prefix }) => prefix === block.prefix);
          expect(before.every(({ first }) => first < block.first)).toBe(true);
        }
      }),
    );
    expect(fitted).toBeGreaterThan(20);
  });

  it('fit whenever there is room: aligned blocks, largest first, never stand in each other’s way', () => {
    fc.assert(
      fc.property(wishes, ([{ family, base, pool, taken }, sizes]) => {
        const free = new Set(members(freeIntervals(pool, taken), base));
        // Buddies: what is left over of a block is again made of blocks, so counting them is exact.
        const fits = sizes
          .toSorted((a, b) => b - a)
          .every((bits) => {
            const size = 2 ** bits;
            const start = Array.from({ length: 256 / size }, (_, n) => n * size).find((n) => isFree(free, n, size));
            for (let n = 0; start !== undefined && n < size; n++) free.delete(start + n);
            return start !== undefined;
          });
        const prefixes = sizes.map((bits) => bitsOf(family) - bits);
        expect(allocateBlocks(freeIntervals(pool, taken), family, prefixes) !== undefined).toBe(fits);
      }),
    );
  });
});

describe('blocks of the largest common size', () => {
  const wishes = fc.tuple(spaces, fc.array(fc.nat(5), { minLength: 1, maxLength: 12 }), fc.integer({ min: 2, max: 7 }));

  it('are just that: one bit larger for all does not fit', () => {
    const seen = { shrunk: 0, none: 0, largest: 0 };
    fc.assert(
      fc.property(wishes, ([{ family, pool, taken }, sizes, most]) => {
        const free = freeIntervals(pool, taken);
        const needs = sizes.map((bits) => bitsOf(family) - bits);
        const largest = bitsOf(family) - most;
        const blocks = allocateLargest(free, family, largest, needs);
        const sizesFor = (common: number) => needs.map((need) => Math.min(common, need));
        if (!blocks) {
          seen.none++;
          expect(allocateBlocks(free, family, needs)).toBeUndefined();
          return;
        }
        const common = Math.max(largest, ...blocks.map(({ prefix }) => prefix));
        expect(blocks.map(({ prefix }) => prefix)).toEqual(sizesFor(common));
        expect(blocks).toEqual(allocateBlocks(free, family, sizesFor(common)));
        seen[common > largest ? 'shrunk' : 'largest']++;
        if (common > largest) expect(allocateBlocks(free, family, sizesFor(common - 1))).toBeUndefined();
      }),
      { numRuns: 500 },
    );
    expect(Math.min(seen.shrunk, seen.none, seen.largest)).toBeGreaterThan(10);
  });

  it('give more to the one that needs more', () => {
    const pool = parseCidr('10.0.0.0/16');
    expect(allocateLargest([pool], 4, 16, [24, 17, 24])?.map(formatCidr)).toEqual([
      ...['10.0.128.0/18', '10.0.0.0/17', '10.0.192.0/18'],
    ]);
    expect(allocateLargest([pool], 4, 16, [24, 18, 24])?.map(formatCidr)).toEqual([
      ...['10.0.0.0/18', '10.0.64.0/18', '10.0.128.0/18'],
    ]);
  });
});
