import type { Family } from './address.ts';
import { blockSize, type Cidr, type Interval } from './cidr.ts';

/** Sorts by first address and merges what touches or overlaps; O(n log n). One family only. */
export function mergeIntervals(intervals: readonly Interval[]): Interval[] {
  const sorted = [...intervals].sort((a, b) => (a.first < b.first ? -1 : a.first > b.first ? 1 : 0));
  const merged: Interval[] = [];
  for (const next of sorted) {
    const previous = merged.at(-1);
    if (previous && next.first <= previous.last + 1n) {
      if (next.last > previous.last) merged[merged.length - 1] = { ...previous, last: next.last };
    } else merged.push(next);
  }
  return merged;
}

/** What of `pool` is left beside `taken`, in ascending order. */
export function freeIntervals(pool: Interval, taken: readonly Interval[]): Interval[] {
  const free: Interval[] = [];
  let first = pool.first;
  for (const used of mergeIntervals(taken.filter((t) => t.family === pool.family))) {
    if (used.last < first) continue;
    if (used.first > pool.last) break;
    if (used.first > first) free.push({ family: pool.family, first, last: used.first - 1n });
    first = used.last + 1n;
  }
  if (first <= pool.last) free.push({ family: pool.family, first, last: pool.last });
  return free;
}

/**
 * The first `count` aligned blocks of `prefix` bits inside the free intervals, lowest address first;
 * undefined when there are fewer. Linear in intervals and blocks.
 */
export function firstBlocks(
  free: readonly Interval[],
  family: Family,
  prefix: number,
  count: number,
): Cidr[] | undefined {
  const size = blockSize(family, prefix);
  const blocks: Cidr[] = [];
  for (const gap of free) {
    let first = ((gap.first + size - 1n) / size) * size;
    for (; blocks.length < count && first + size - 1n <= gap.last; first += size) {
      blocks.push({ family, prefix, first, last: first + size - 1n });
    }
    if (blocks.length === count) return blocks;
  }
  return count === blocks.length ? blocks : undefined;
}

/** As {@link firstBlocks}, from the top: the highest block first. */
export function lastBlocks(
  free: readonly Interval[],
  family: Family,
  prefix: number,
  count: number,
): Cidr[] | undefined {
  const size = blockSize(family, prefix);
  const blocks: Cidr[] = [];
  for (const gap of free.toReversed()) {
    let last = ((gap.last + 1n) / size) * size - 1n;
    for (; blocks.length < count && last - size + 1n >= gap.first; last -= size) {
      blocks.push({ family, prefix, first: last - size + 1n, last });
    }
    if (blocks.length === count) break;
  }
  return count === blocks.length ? blocks : undefined;
}

/**
 * One block for each wanted prefix length, in the order asked for: larger blocks are placed first, so that a
 * small one never breaks up the only room for a large one; equal sizes go in the order asked for, lowest
 * address first. Undefined when they do not all fit.
 */
export function allocateBlocks(
  free: readonly Interval[],
  family: Family,
  prefixes: readonly number[],
): Cidr[] | undefined {
  const placed: Cidr[] = new Array(prefixes.length);
  let left = free;
  for (const prefix of [...new Set(prefixes)].sort((a, b) => a - b)) {
    const wanted = prefixes.flatMap((p, index) => (p === prefix ? [index] : []));
    const blocks = firstBlocks(left, family, prefix, wanted.length);
    if (!blocks) return undefined;
    wanted.forEach((index, n) => {
      placed[index] = blocks[n] as Cidr;
    });
    left = subtractIntervals(left, blocks);
  }
  return placed;
}

/** What is left of the sorted intervals `from` without `taken`. */
function subtractIntervals(from: readonly Interval[], taken: readonly Interval[]): Interval[] {
  const merged = mergeIntervals(taken);
  let next = 0;
  return from.flatMap((gap) => {
    while (next < merged.length && (merged[next] as Interval).last < gap.first) next++;
    const inside: Interval[] = [];
    for (let i = next; i < merged.length && (merged[i] as Interval).first <= gap.last; i++)
      inside.push(merged[i] as Interval);
    return inside.length === 0 ? [gap] : freeIntervals(gap, inside);
  });
}

/**
 * As {@link allocateBlocks}, with the largest common size that lets everything fit: each block gets `largest`
 * unless it needs a larger one (`needs`, prefix lengths); the common size shrinks down to what each one needs.
 */
export function allocateLargest(
  free: readonly Interval[],
  family: Family,
  largest: number,
  needs: readonly number[],
): Cidr[] | undefined {
  const smallest = Math.max(largest, ...new Set(needs));
  for (let common = largest; common <= smallest; common++) {
    const blocks = allocateBlocks(
      free,
      family,
      needs.map((need) => Math.min(common, need)),
    );
    if (blocks) return blocks;
  }
  return undefined;
}
