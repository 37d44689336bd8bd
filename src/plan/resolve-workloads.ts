import { cniOf } from '../cni/index.ts';
import { InputError, type Problem } from '../errors.ts';
import type { Desired, DesiredCluster, DesiredNetwork, DesiredSubnet } from '../lab/desired.ts';
import type { Lab } from '../lab/lab.ts';
import type { Observed } from '../lab/observed.ts';
import type { PlacedNode } from '../lab/routing.ts';
import type { DesiredWorkload, Workload, WorkloadAddress } from '../lab/workload.ts';
import { bitsOf, type Family, familyOf, formatAddress, parseAddress } from '../net/address.ts';
import { freeIntervals, lastBlocks } from '../net/allocate.ts';
import { type Cidr, contains, type Interval, overlaps, parseCidr, parseInterval } from '../net/cidr.ts';
import { heldAddresses } from './resolve-pools.ts';
import { groupsOf } from './resolve-routes.ts';
import type { Taken } from './taken.ts';

interface Input {
  readonly lab: Lab;
  readonly observed: Observed;
  readonly network: DesiredNetwork;
  readonly clusters: readonly DesiredCluster[];
  readonly nodes: readonly PlacedNode[];
}

/**
 * Where every workload is, what it is called in the mesh, and what it has to be routed to. Its addresses are fixed:
 * from the end of what Docker does not hand out, because pools are at the beginning.
 * @throws InputError for a pinned address that something else has
 */
export function resolveWorkloads(input: Input): DesiredWorkload[] {
  const { lab, clusters, nodes } = input;
  const addresses = resolveAddresses(input);
  return lab.workloads.flatMap((spec): DesiredWorkload[] => {
    const cluster = clusters.find(({ name }) => name === spec.cluster);
    if (!cluster) return [];
    const { domain } = cluster.spec.network;
    const [services] = cluster.services.map(({ range }) => parseCidr(range));
    return [
      {
        spec,
        name: spec.name,
        cluster: cluster.name,
        addresses: addresses.get(spec.name) ?? [],
        // kubeadm and k3s give DNS the tenth address.
        dns: services ? formatAddress({ family: services.family, value: services.first + 10n }) : '',
        identity: {
          id: spec.identity ?? `spiffe://root.linkerd.${lab.mesh.trustDomain}/${spec.name}`,
          serverName: `${spec.name}.${domain}`,
        },
        routes: routesOf(cluster, clusters, nodes),
        assumed: nodes.some((node) => node.cluster === cluster.name && node.assumed),
      },
    ];
  });
}

/** Pods of the cluster and of its group, as far as they run; services by way of one node, where kube-proxy is. */
function routesOf(cluster: DesiredCluster, clusters: readonly DesiredCluster[], nodes: readonly PlacedNode[]) {
  const group = groupsOf(clusters).find((members) => members.includes(cluster)) ?? [cluster];
  const viaNode = (node: string, cidr: string) => {
    const via = nodes.find((one) => one.node === node)?.addresses.find((one) => familyOf(one) === familyOf(cidr));
    return via ? [{ destination: cidr, via }] : [];
  };
  const pods = group.flatMap((member) => {
    const own = nodes.filter((node) => node.cluster === member.name && !node.assumed);
    const ranges = member.pods.map(({ range }) => range);
    return cniOf(member)?.destinations({ pods: ranges, nodes: own }) ?? [];
  });
  const server = cluster.nodes[0]?.name ?? '';
  return [
    ...pods.flatMap(({ cidr, node }) => viaNode(node, cidr)),
    ...cluster.services.flatMap(({ range }) => viaNode(server, range)),
  ];
}

function resolveAddresses({ lab, observed, network, clusters }: Input): ReadonlyMap<string, WorkloadAddress[]> {
  const chosen = new Map<string, WorkloadAddress[]>(lab.workloads.map(({ name }) => [name, []]));
  const problems: Problem[] = [];
  for (const subnet of lab.workloads.length > 0 ? network.subnets : []) {
    const { family } = subnet;
    const own = new Set(lab.workloads.map(({ name }) => `container ${name}`));
    const pools = clusters.flatMap(({ name, loadBalancer }) =>
      loadBalancer.flatMap(({ range }) => taken(range, `the pool of ${name}`)),
    );
    // A workload that runs holds its own address.
    const held: Taken[] = [
      ...heldAddresses(subnet, lab, observed, network.name).filter(({ by }) => !own.has(by)),
      ...pools.filter((pool) => pool.family === family),
    ];
    const fixed = lab.workloads.flatMap((workload) => {
      const known: Omit<Fixed, 'workload'> | undefined =
        pinned(workload, family) ?? running(workload, lab, observed, network.name, subnet);
      return known ? [{ workload, ...known }] : [];
    });
    for (const one of fixed) {
      const others = fixed.filter(({ workload }) => workload !== one.workload).map(asTaken);
      const problem =
        one.at === undefined ? undefined : checkPin(one, one.at, subnet, network.name, [...held, ...others]);
      if (problem) problems.push(problem);
      chosen.get(one.workload.name)?.push({ address: one.address, family, reason: one.reason });
    }
    const free = freeIntervals(areaOf(subnet), [
      ...held,
      ...fixed.map(asTaken),
      ...(subnet.ipRange ? [parseCidr(subnet.ipRange)] : []),
    ]);
    const wanting = lab.workloads.filter((workload) => !fixed.some((one) => one.workload === workload));
    const blocks = lastBlocks(free, family, bitsOf(family), wanting.length);
    if (!blocks) problems.push(noRoom(subnet, network.name, wanting));
    wanting.forEach(({ name }, index) => {
      const block = blocks?.[index];
      const reason = `free address at the end of Docker network ${network.name}, outside of what Docker hands out`;
      if (block) chosen.get(name)?.push({ address: formatAddress({ family, value: block.first }), family, reason });
    });
  }
  if (problems.length > 0) throw new InputError(problems);
  return chosen;
}

/** The end of an IPv6 subnet would be hard to read. */
function areaOf({ range, family }: DesiredSubnet): Cidr {
  const subnet = parseCidr(range);
  if (family === 4 || subnet.prefix > 109) return subnet;
  return { family, prefix: 110, first: subnet.first, last: subnet.first + (1n << 18n) - 1n };
}

const taken = (range: string, by: string): Taken[] => {
  const interval = parseInterval(range);
  return interval ? [{ ...interval, by }] : [];
};

interface Fixed {
  readonly workload: Workload;
  readonly address: string;
  readonly reason: string;
  readonly at?: string;
}

const intervalOf = (address: string): Interval => {
  const { family, value } = parseAddress(address) ?? { family: 4 as const, value: 0n };
  return { family, first: value, last: value };
};

const asTaken = ({ workload, address }: Fixed): Taken => ({ ...intervalOf(address), by: `workload ${workload.name}` });

function pinned({ addresses }: Workload, family: Family) {
  const pin = addresses.find(({ cidr }) => familyOf(cidr) === family);
  return pin && { address: pin.cidr, reason: `pinned in ${pin.at}`, at: pin.at };
}

/** What its container was made with, unless the network is another one now. */
function running({ name }: Workload, lab: Lab, observed: Observed, network: string, { range, family }: DesiredSubnet) {
  const container = observed.workloads?.find((one) => one.name === name && one.owner === lab.uid);
  const address = container?.addresses.find((one) => familyOf(one) === family);
  const stays = container?.network === network && address && contains(parseCidr(range), intervalOf(address));
  return stays ? { address, reason: 'its container has it' } : undefined;
}

function checkPin(
  { address }: Fixed,
  at: string,
  { range, ipRange }: DesiredSubnet,
  network: string,
  held: readonly Taken[],
): Problem | undefined {
  const interval = intervalOf(address);
  if (!contains(parseCidr(range), interval))
    return {
      at,
      message: `${address} is outside ${range} of Docker network ${network}`,
      hint: 'leave it to the planner',
    };
  if (ipRange && overlaps(parseCidr(ipRange), interval)) {
    const message = `${address} is in the ip-range ${ipRange} of Docker network ${network}, whose addresses Docker gives to nodes`;
    return { at, message, hint: 'pin an address outside it' };
  }
  const holder = held.find((one) => overlaps(one, interval));
  return holder && { at, message: `${address} is taken by ${holder.by}`, hint: 'pin another address, or none' };
}

const noRoom = ({ range }: DesiredSubnet, network: string, wanting: readonly Workload[]): Problem => ({
  at: wanting[0]?.at ?? '',
  message: `no address for ${wanting.map(({ name }) => name).join(', ')} in ${range} of Docker network ${network}`,
  hint: 'use a larger network (spec.network.subnets), or a smaller ip-range',
});

/** The workloads of clusters. */
export const workloadsOf = ({ workloads }: Desired, clusters: readonly string[]): DesiredWorkload[] =>
  workloads.filter(({ cluster }) => clusters.includes(cluster));
