import { FailedError } from '../errors.ts';
import type { Range } from '../lab/desired.ts';
import type { Cluster, Lab, Pin } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { bitsOf, FAMILIES, type Family } from '../net/address.ts';
import { allocateLargest, freeIntervals } from '../net/allocate.ts';
import { type Cidr, formatCidr, formatInterval, overlaps, parseCidr } from '../net/cidr.ts';
import { describeHolders, holderOf, poolOf, type Taken } from './taken.ts';

export type Use = 'pods' | 'services';

/** The families that a cluster has, first family first. */
export const familiesOf = ({ ipFamily }: Pick<Cluster, 'ipFamily'>): readonly Family[] =>
  ipFamily === 'dual' ? FAMILIES : [ipFamily === 'ipv4' ? 4 : 6];

/** Ranges of every cluster by name, for pods or services. */
export type Ranges = ReadonlyMap<string, readonly Range[]>;

interface RangeInput {
  readonly lab: Lab;
  readonly observed: Observed;
  readonly hard: readonly Taken[];
  readonly soft: readonly Taken[];
}

/**
 * Gives every cluster its pod or service range of each family it has: what is pinned, else what runs, else the
 * first free one in the order of names. All new ranges of a lab are of one size, the largest that fits.
 * @throws FailedError that names the pool, the size and who takes the room
 */
export function resolveRanges(use: Use, input: RangeInput, warn: (text: string) => void): Ranges {
  const ranges = new Map<string, Range[]>(input.lab.clusters.map(({ name }) => [name, []]));
  for (const family of FAMILIES) {
    const wanting: Cluster[] = [];
    for (const cluster of input.lab.clusters.filter((one) => familiesOf(one).includes(family))) {
      const known = pinnedRange(cluster.network[use], family) ?? runningRange(use, cluster, family, input);
      if (known) ranges.get(cluster.name)?.push(known);
      else wanting.push(cluster);
    }
    if (wanting.length === 0) continue;
    const { blocks, reason } = allocate(use, family, wanting, input, warn);
    blocks.forEach((block, index) => {
      ranges.get((wanting[index] as Cluster).name)?.push({ range: formatCidr(block), family, reason });
    });
  }
  // A user who pins IPv6 first wants an IPv6-first cluster: the order of pins is the order of families.
  for (const { name, network } of input.lab.clusters) {
    const order = network[use].map(({ cidr }) => cidr);
    ranges.get(name)?.sort((a, b) => rank(order, a.range) - rank(order, b.range));
  }
  return ranges;
}

const rank = (order: readonly string[], range: string): number =>
  order.includes(range) ? order.indexOf(range) : order.length;

function pinnedRange(pins: readonly Pin[], family: Family): Range | undefined {
  const pin = pins.find(({ cidr }) => parseCidr(cidr).family === family);
  return pin && { range: pin.cidr, family, reason: `pinned in ${pin.at}` };
}

function runningRange(use: Use, cluster: Cluster, family: Family, { lab, observed }: RangeInput): Range | undefined {
  const running = observed.clusters.find(
    ({ name, owner, applied }) => name === cluster.name && owner === lab.uid && applied,
  );
  const range = running?.ranges?.[use].find((cidr) => parseCidr(cidr).family === family);
  return range === undefined ? undefined : { range, family, reason: 'the running cluster has it' };
}

function allocate(
  use: Use,
  family: Family,
  clusters: readonly Cluster[],
  input: RangeInput,
  warn: (text: string) => void,
) {
  const pool = poolOf(input.lab.ranges[use], family);
  const sizes = clusters.map((cluster) => sizeLimits(use, family, cluster));
  const largest = Math.max(pool.prefix, ...sizes.map((size) => size.largest));
  const needs = sizes.map((size) => size.smallest);
  const beside = (held: readonly Taken[]) => allocateLargest(freeIntervals(pool, held), family, largest, needs);
  const clean = beside([...input.hard, ...input.soft]);
  if (clean) return { blocks: clean, reason: `first free /${sizeText(clean)} of ${formatCidr(pool)}` };
  const blocks = beside(input.hard);
  if (!blocks) {
    throw new FailedError(
      `no room for ${use} of ${clusters.length} clusters: ${formatCidr(pool)} has not enough free blocks of /${Math.max(...needs)}; it is taken by ${describeHolders(pool, input.hard)}`,
      `name a larger pool in lab.yaml: spec.ranges.${use}.v${family}`,
    );
  }
  blocks.forEach((block, index) => {
    const held = holderOf(block, input.soft);
    if (held)
      warn(
        `${use} of ${clusters[index]?.name}: ${formatCidr(block)} overlaps ${held.by} (${formatInterval(held)}), because no room is left beside it`,
      );
  });
  return { blocks, reason: `first free /${sizeText(blocks)} of ${formatCidr(pool)}, although the host uses it` };
}

const sizeText = (blocks: readonly Cidr[]): string => [...new Set(blocks.map(({ prefix }) => prefix))].join(' or /');

/** Prefix lengths: at most `largest` big, and no smaller than `smallest`. */
function sizeLimits(use: Use, family: Family, cluster: Cluster): { largest: number; smallest: number } {
  if (use === 'services') {
    // kubeadm wants at least 10 addresses and clamps an IPv6 service range to /112.
    return family === 4 ? { largest: 16, smallest: 26 } : { largest: 112, smallest: 116 };
  }
  const mask = cluster.network.nodeMask[family === 4 ? 0 : 1];
  const nodes = cluster.nodes.servers + cluster.nodes.workers;
  // Each node takes one block of the node mask; kubeadm refuses more than 2^16 of them, and fewer than 14 addresses.
  const smallest = Math.min(mask - Math.ceil(Math.log2(nodes)), bitsOf(family) - 4);
  return { largest: Math.max(family === 4 ? 16 : 56, mask - 16), smallest };
}

/** A pinned range that something else on this machine holds. */
export function pinConflicts(pins: readonly Pin[], held: readonly Taken[]) {
  return pins.flatMap((pin) => {
    const range = parseCidr(pin.cidr);
    const holder = held.find((one) => overlaps(one, range));
    return holder
      ? [
          {
            at: pin.at,
            message: `${pin.cidr} is held by ${holder.by} (${formatInterval(holder)})`,
            hint: 'pin another range, or leave it to the planner',
          },
        ]
      : [];
  });
}
