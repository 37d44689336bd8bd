import { InputError, type Problem } from '../errors.ts';
import type { DesiredNetwork, DesiredSubnet, Range } from '../lab/desired.ts';
import { familiesOf, nodeCount } from '../lab/families.ts';
import { formatCount } from '../lab/format-count.ts';
import type { Cluster, Lab, Pin } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import { bitsOf, FAMILIES, type Family, parseAddress } from '../net/address.ts';
import { firstBlocks, freeIntervals, lastBlocks } from '../net/allocate.ts';
import { type Cidr, contains, formatInterval, type Interval, overlaps, parseCidr, parseInterval } from '../net/cidr.ts';
import type { Ranges } from './resolve-ranges.ts';
import { describeHolders, type Taken } from './taken.ts';

/**
 * Gives every cluster a load balancer pool of each family: addresses of the network's own subnet that Docker does
 * not hand out (outside the ip-range), or, where there is no ip-range, from the top, because Docker always takes
 * the lowest free address.
 * @throws InputError for a pinned pool that cannot be, or when the pools do not fit
 */
export function resolvePools(lab: Lab, observed: Observed, network: DesiredNetwork): Ranges {
  const pools = new Map<string, Range[]>(lab.clusters.map(({ name }) => [name, []]));
  if (lab.loadBalancer.addon === 'none') return pools;
  const problems: Problem[] = [];
  for (const family of FAMILIES) {
    // One that is there already brings its own load balancer.
    const clusters = lab.clusters.filter((cluster) => !cluster.access && familiesOf(cluster).includes(family));
    const subnet = network.subnets.find((one) => one.family === family);
    if (clusters.length === 0 || !subnet) continue;
    const held = heldAddresses(subnet, lab, observed, network.name);
    const known = clusters.flatMap((cluster) => {
      const pin = cluster.network.loadBalancer.find(({ cidr }) => parseInterval(cidr)?.family === family);
      const pool = pin ? pinnedPool(pin, family) : runningPool(cluster, family, lab, observed, subnet);
      return pool ? [{ ...pool, cluster, pin }] : [];
    });
    for (const { cluster, pin, range } of known) {
      const others = known.filter((one) => one.cluster !== cluster).map(asTaken);
      if (pin) problems.push(...checkPin(pin, subnet, network.name, [...held, ...others]));
      pools.get(cluster.name)?.push(range);
    }
    const wanting = clusters.filter((cluster) => !known.some((one) => one.cluster === cluster));
    if (wanting.length === 0 || problems.length > 0) continue;
    const { blocks, reason } = choosePools(lab, subnet, network.name, wanting.length, [...held, ...known.map(asTaken)]);
    wanting.forEach(({ name }, index) => {
      pools.get(name)?.push({ range: formatInterval(blocks[index] as Cidr), family, reason });
    });
  }
  if (problems.length > 0) throw new InputError(problems);
  return pools;
}

const asTaken = ({ cluster, interval }: { readonly cluster: Cluster; readonly interval: Interval }): Taken => ({
  ...interval,
  by: `pool of ${cluster.name}`,
});

/** Addresses of a subnet that no pool may have: its ends, the gateway, running containers, pools of other labs. */
export function heldAddresses(subnet: DesiredSubnet, lab: Lab, observed: Observed, network: string): Taken[] {
  const block = parseCidr(subnet.range);
  const one = (text: string, by: string): Taken[] => {
    const address = parseAddress(text);
    return address?.family === block.family
      ? [{ family: block.family, first: address.value, last: address.value, by }]
      : [];
  };
  const ends: Taken[] = [block.first, ...(block.family === 4 ? [block.last] : [])].map((value) => ({
    family: block.family,
    first: value,
    last: value,
    by: 'the end of the subnet',
  }));
  const attached = observed.networks.find(({ name }) => name === network)?.attached ?? [];
  const others = observed.clusters
    .filter(({ name, owner }) => owner !== lab.uid || !lab.clusters.some((cluster) => cluster.name === name))
    .flatMap(({ name, applied }) => (applied?.loadBalancer ?? []).map((range) => [range, `pool of ${name}`] as const));
  const reserved = observed.reservations
    .filter(({ uid }) => uid !== lab.uid)
    .map(({ cidr = '', lab: name }) => [cidr, `lab ${name}`] as const);
  // A workload that is stopped does not show on the network, and has fixed addresses all the same.
  const workloads = (observed.workloads ?? [])
    .filter((one) => one.network === network)
    .flatMap(({ name, addresses }) => addresses.flatMap((address) => one(address, `container ${name}`)));
  const pinned = lab.workloads.flatMap(({ name, addresses }) =>
    addresses.flatMap(({ cidr }) => one(cidr, `container ${name}`)),
  );
  return [
    ...ends,
    ...one(subnet.gateway, 'the gateway'),
    ...workloads,
    ...pinned,
    ...attached.flatMap(({ name, addresses }) => addresses.flatMap((address) => one(address, `container ${name}`))),
    ...[...others, ...reserved].flatMap(([range, by]) => {
      const interval = parseInterval(range);
      return interval && overlaps(interval, block) ? [{ ...interval, by }] : [];
    }),
  ];
}

function pinnedPool(pin: Pin, family: Family) {
  const interval = parseInterval(pin.cidr) as Interval;
  return { interval, range: { range: pin.cidr, family, reason: `pinned in ${pin.at}` } };
}

function checkPin(pin: Pin, subnet: DesiredSubnet, network: string, held: readonly Taken[]): Problem[] {
  const interval = parseInterval(pin.cidr) as Interval;
  if (!contains(parseCidr(subnet.range), interval)) {
    return [
      {
        at: pin.at,
        message: `pool ${pin.cidr} is outside ${subnet.range} of Docker network ${network}`,
        hint: 'only addresses of the network itself answer on it',
      },
    ];
  }
  if (subnet.ipRange && overlaps(parseCidr(subnet.ipRange), interval)) {
    return [
      {
        at: pin.at,
        message: `pool ${pin.cidr} is in the ip-range ${subnet.ipRange} of Docker network ${network}, whose addresses Docker gives to nodes`,
        hint: 'pin addresses outside it, or another spec.network.ipRange',
      },
    ];
  }
  const holder = held.find((one) => overlaps(one, interval));
  return holder
    ? [
        {
          at: pin.at,
          message: `pool ${pin.cidr} holds ${formatInterval(holder)}, ${holder.by}`,
          hint: 'pin another pool',
        },
      ]
    : [];
}

function runningPool(cluster: Cluster, family: Family, lab: Lab, observed: Observed, subnet: DesiredSubnet) {
  const running = observed.clusters.find(({ name, owner }) => name === cluster.name && owner === lab.uid);
  for (const range of running?.applied?.loadBalancer ?? []) {
    const interval = parseInterval(range);
    if (interval?.family === family && contains(parseCidr(subnet.range), interval)) {
      return { interval, range: { range, family, reason: 'the running cluster has it' } };
    }
  }
  return undefined;
}

function choosePools(lab: Lab, subnet: DesiredSubnet, network: string, count: number, held: readonly Taken[]) {
  const block = parseCidr(subnet.range);
  const { family } = block;
  const { size, sizeAt } = lab.ranges.loadBalancer;
  const ipRange = subnet.ipRange ? [{ ...parseCidr(subnet.ipRange), by: 'the ip-range' }] : [];
  const nodes = lab.clusters.reduce((sum, one) => sum + nodeCount(one), 0);
  // Without an ip-range Docker fills the subnet from below: twice the nodes, and a few for helpers, stay free there.
  const below: Interval[] =
    ipRange.length > 0 ? [] : [{ family, first: block.first, last: block.first + BigInt(2 * nodes + 4) }];
  const free = freeIntervals(block, [...held, ...ipRange, ...below]);
  // A size that is written down is a demand; the default may shrink.
  const start = bitsOf(family) - (sizeAt ? Math.ceil : Math.floor)(Math.log2(size));
  for (let prefix = start; prefix <= (sizeAt ? start : bitsOf(family)); prefix++) {
    const blocks = (ipRange.length > 0 ? firstBlocks : lastBlocks)(free, family, prefix, count);
    const where = ipRange.length > 0 ? `outside its ip-range ${subnet.ipRange}` : 'from its top, as it has no ip-range';
    if (blocks)
      return {
        blocks,
        reason: `${formatCount(2 ** (bitsOf(family) - prefix), 'address', 'addresses')} of Docker network ${network}, ${where}`,
      };
  }
  throw new InputError([
    {
      at: sizeAt ?? lab.network.at,
      message: `no room for ${formatCount(count, 'pool')} of ${sizeAt ? formatCount(size, 'address', 'addresses') : 'even one address'} in ${subnet.range} of Docker network ${network}: it is taken by ${describeHolders(block, [...held, ...ipRange])}`,
      hint: sizeAt
        ? 'a smaller size fits more pools'
        : 'use a larger network (spec.network.subnets), or a smaller ip-range',
    },
  ]);
}
