import type { DesiredCluster, DesiredNetwork } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { PlacedNode } from '../lab/routing.ts';
import { formatAddress, parseAddress } from '../net/address.ts';
import { blockSize, formatCidr, parseCidr } from '../net/cidr.ts';

/**
 * Where every node of the lab is: its addresses and its share of the pod ranges. What does not run is assumed, so
 * that a plan can be shown and simulated before anything exists.
 */
export function resolveNodes(
  clusters: readonly DesiredCluster[],
  network: DesiredNetwork,
  observed: Observed,
): PlacedNode[] {
  const assume = assumeAddresses(network, observed);
  return clusters.flatMap((cluster) => {
    const seen = seenNodes(cluster, observed, network.name);
    // Nodes that are there already and not on the network are not about to be.
    return seen ?? (cluster.spec.access ? [] : assumedNodes(cluster, assume));
  });
}

/** The nodes of a cluster that answers; nothing unless all of them are known, for half a cluster cannot be routed to. */
function seenNodes(cluster: DesiredCluster, observed: Observed, network: string): PlacedNode[] | undefined {
  const existing = observed.clusters.find(
    ({ name, provider, applied, existing }) =>
      name === cluster.name && provider === cluster.spec.provider && (applied ?? existing?.madeBy),
  );
  const nodes = existing?.nodes
    .filter(({ role }) => role !== 'proxy')
    .map(({ name, networks }) => ({
      cluster: cluster.name,
      node: name,
      addresses: networks[network] ?? [],
      podCidrs: existing.api?.nodes.find((node) => node.name === name)?.podCidrs ?? [],
      assumed: false,
    }));
  return nodes?.every(({ addresses, podCidrs }) => addresses.length > 0 && podCidrs.length > 0) ? nodes : undefined;
}

type Assume = () => string[];

/** Addresses as Docker hands them out: the lowest after the gateway that nobody holds, one a family. */
function assumeAddresses({ name, subnets }: DesiredNetwork, { networks }: Observed): Assume {
  const attached = networks.find((one) => one.name === name)?.attached ?? [];
  const held = new Set(attached.flatMap(({ addresses }) => addresses));
  const next = subnets.map(({ gateway }) => parseAddress(gateway)).filter((address) => address !== undefined);
  return () =>
    next.map((address, index) => {
      let following = address;
      do following = { family: address.family, value: following.value + 1n };
      while (held.has(formatAddress(following)));
      next[index] = following;
      return formatAddress(following);
    });
}

/** The controller manager gives node n the n-th block of the pod range. */
function assumedNodes(cluster: DesiredCluster, assume: Assume): PlacedNode[] {
  const masks = cluster.spec.network.nodeMask;
  return cluster.nodes.map(({ name }, index) => ({
    cluster: cluster.name,
    node: name,
    addresses: assume(),
    podCidrs: cluster.pods.map(({ range, family }) => {
      const { first } = parseCidr(range);
      const prefix = masks[family === 4 ? 0 : 1];
      const start = first + BigInt(index) * blockSize(family, prefix);
      return formatCidr({ family, prefix, first: start, last: start + blockSize(family, prefix) - 1n });
    }),
    assumed: true,
  }));
}
