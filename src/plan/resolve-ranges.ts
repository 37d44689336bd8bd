import { InputError } from '../errors.ts';
import type { Range } from '../lab/desired.ts';
import { familiesOf, nodeCount } from '../lab/families.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Cluster, Lab, Pin } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { bitsOf, FAMILIES, type Family } from '../net/address.ts';
import { allocateLargest, freeIntervals } from '../net/allocate.ts';
import { type Cidr, formatCidr, formatInterval, overlaps, parseCidr } from '../net/cidr.ts';
import { describeHolders, holderOf, poolOf, type Taken } from './taken.ts';

export type Use = 'pods' | 'services';

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
 * @throws InputError that names the pool, the size and who takes the room
 */
export function resolveRanges(use: Use, input: RangeInput, warn: (text: string) => void): Ranges {
  const ranges = new Map<string, Range[]>(input.lab.clusters.map(({ name }) => [name, []]));
  const own = input.lab.clusters.filter(({ access }) => !access);
  for (const cluster of input.lab.clusters.filter(({ access }) => access))
    ranges.set(cluster.name, rangesTakenIn(use, cluster, input.observed));
  for (const family of FAMILIES) {
    const wanting: Cluster[] = [];
    for (const cluster of own.filter((one) => familiesOf(one).includes(family))) {
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
  for (const cluster of own) {
    const first = firstFamily(cluster, input);
    ranges.get(cluster.name)?.sort((a, b) => Number(b.family === first) - Number(a.family === first));
  }
  return ranges;
}

/** The ranges of a cluster that is there already: what its spec says where it does not, in its own order. */
export function rangesTakenIn(use: Use, { name, network }: Cluster, { clusters }: Observed): Range[] {
  const seen = clusters.find((one) => one.existing && one.name === name)?.ranges?.[use] ?? [];
  const pinned = network[use].map(({ cidr, at }) => ({ cidr, reason: `named in ${at}` }));
  const read = seen.map((cidr) => ({ cidr, reason: 'the cluster has it' }));
  return (pinned.length > 0 ? pinned : read).map(({ cidr, reason }) => ({
    range: cidr,
    family: parseCidr(cidr).family,
    reason,
  }));
}

/**
 * A user who pins both families, IPv6 first, wants an IPv6-first cluster. One order for pods and services: kubeadm
 * and the nodes follow the first service range.
 */
function firstFamily(cluster: Cluster, input: RangeInput): Family {
  const { services, pods } = cluster.network;
  const orders = [
    services.map(({ cidr }) => cidr),
    pods.map(({ cidr }) => cidr),
    runningCluster(cluster, input)?.ranges?.services ?? [],
  ];
  const [first] = orders.find((ranges) => ranges.length > 1) ?? [];
  return first === undefined ? 4 : parseCidr(first).family;
}

function pinnedRange(pins: readonly Pin[], family: Family): Range | undefined {
  const pin = pins.find(({ cidr }) => parseCidr(cidr).family === family);
  return pin && { range: pin.cidr, family, reason: `pinned in ${pin.at}` };
}

/** Also one that was never ready: what is left of it holds its ranges until it is gone. */
const runningCluster = ({ name }: Cluster, { lab, observed }: RangeInput) =>
  observed.clusters.find((one) => one.name === name && one.owner === lab.uid);

/** A range that the declared nodes no longer fit is not kept: the cluster has to be made anew for them anyway. */
function runningRange(use: Use, cluster: Cluster, family: Family, input: RangeInput): Range | undefined {
  const range = runningCluster(cluster, input)?.ranges?.[use].find((cidr) => parseCidr(cidr).family === family);
  if (range === undefined || (use === 'pods' && !holdsNodes(range, family, cluster))) return undefined;
  return { range, family, reason: 'the running cluster has it' };
}

function holdsNodes(range: string, family: Family, cluster: Cluster): boolean {
  const { prefix } = parseCidr(range);
  const tooLarge = maskOf(cluster, family) - prefix > MAX_NODE_BITS;
  return !tooLarge && prefix <= sizeLimits('pods', family, cluster).smallest;
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
    throw new InputError([
      {
        at: input.lab.network.at,
        message: `no room for ${use} of ${formatCount(clusters.length, 'cluster')}: ${formatCidr(pool)} has not enough free blocks of /${prefixText(needs)}; it is taken by ${describeHolders(pool, input.hard)}`,
        hint: `name a larger pool in lab.yaml: spec.ranges.${use}.v${family}`,
      },
    ]);
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

const prefixText = (prefixes: readonly number[]): string =>
  [...new Set(prefixes)].toSorted((a, b) => a - b).join(' or /');
const sizeText = (blocks: readonly Cidr[]): string => prefixText(blocks.map(({ prefix }) => prefix));

/** kubeadm refuses a larger difference between the prefixes of cluster and node. */
const MAX_NODE_BITS = 16;
const maskOf = ({ network }: Cluster, family: Family): number => network.nodeMask[family === 4 ? 0 : 1];

/** Prefix lengths: at most `largest` big, and no smaller than `smallest`. */
function sizeLimits(use: Use, family: Family, cluster: Cluster): { largest: number; smallest: number } {
  if (use === 'services') {
    // kubeadm wants at least 10 addresses and clamps an IPv6 service range to /112.
    return family === 4 ? { largest: 16, smallest: 26 } : { largest: 112, smallest: 116 };
  }
  const mask = maskOf(cluster, family);
  // Each node takes one block of the node mask; kubeadm refuses more than 2^16 of them, and fewer than 14 addresses.
  const smallest = Math.min(mask - Math.ceil(Math.log2(nodeCount(cluster))), bitsOf(family) - 4);
  return { largest: Math.max(family === 4 ? 16 : 56, mask - MAX_NODE_BITS), smallest };
}

/** A pinned range that something else on this machine holds. */
export function pinConflicts(pins: readonly Pin[], held: readonly Taken[]) {
  return pins.flatMap((pin) => {
    const range = parseCidr(pin.cidr);
    const holder = held.find((one) => overlaps(one, range));
    if (!holder) return [];
    const part = formatInterval(holder);
    return {
      at: pin.at,
      message: `${pin.cidr} is held by ${holder.by}${part === pin.cidr ? '' : ` (${part})`}`,
      hint: 'pin another range, or leave it to the planner',
    };
  });
}
