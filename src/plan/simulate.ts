import { CNIS } from '../cni/index.ts';
import type { Desired } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { NodeNetwork, PlacedNode } from '../lab/routing.ts';
import { FAMILIES, type Family, familyOf, formatAddress } from '../net/address.ts';
import { parseCidr } from '../net/cidr.ts';
import type { RunStep } from '../step/step.ts';
import { afterScript, type Listing, readListing } from '../tools/node-network.ts';
import { peerPoolsOf } from './peer-pools.ts';
import { routingStep } from './routing-step.ts';
import type { Pod, Roads } from './trace.ts';

/** The routing steps that a lab needs whose clusters have just been made. */
export const routingSteps = ({ routing }: Desired): RunStep[] =>
  routing
    .filter(({ routes, exemptions }) => routes.length + exemptions.length > 0)
    .map(({ cluster, node, routes, exemptions }) =>
      routingStep({
        ...{ kind: 'routing', cluster, node, why: 'new' },
        ...{ addRoutes: routes, removeRoutes: [], addRules: exemptions, removeRules: [] },
      }),
    );

/**
 * What packets meet once routing steps have run on clusters that are otherwise untouched. The steps are read back
 * from the very text that a node would be given.
 */
export function roadsAfter(desired: Desired, steps: readonly RunStep[]): Roads {
  const networks: Record<string, NodeNetwork> = {};
  for (const node of desired.nodes) {
    const scripts = steps.filter(({ argv }) => argv.includes(node.node)).map(({ stdin }) => stdin as string);
    networks[node.node] = readListing(scripts.reduce(afterScript, untouched(desired, node)));
  }
  const peerPools = (cluster: string) => peerPoolsOf(desired, cluster).map(({ cidr }) => cidr);
  return { nodes: desired.nodes, networks, cniOf: cniOf(desired), peerPools };
}

/** What packets meet now. */
export const roadsNow = (desired: Desired, { nodeNetworks, clusters }: Observed): Roads => ({
  nodes: desired.nodes,
  networks: nodeNetworks ?? {},
  cniOf: cniOf(desired),
  peerPools: (cluster) =>
    clusters.find(({ name }) => name === cluster)?.api?.calico?.peerPools.map(({ cidr }) => cidr) ?? [],
});

function cniOf({ clusters }: Desired): Roads['cniOf'] {
  const names = new Map(clusters.map(({ name, cni }) => [name, cni]));
  return (cluster) => names.get(cluster) ?? 'kindnet';
}

/** A node as its own pod network leaves it: it knows the other nodes of its cluster, and masquerades. */
function untouched(desired: Desired, { cluster, node }: PlacedNode): Listing {
  const cni = CNIS[cniOf(desired)(cluster)];
  const pods = desired.clusters.find(({ name }) => name === cluster)?.pods ?? [];
  const rules = (family: Family) =>
    pods.filter((one) => one.family === family).flatMap(({ range }) => cni.ownRules(range));
  const others = desired.nodes.filter((one) => one.cluster === cluster && one.node !== node);
  return {
    routes: others.flatMap(({ podCidrs, addresses }) =>
      podCidrs.map((cidr) => `${cidr} via ${addresses.find((one) => familyOf(one) === familyOf(cidr))}`),
    ),
    rules: { 4: rules(4), 6: rules(6) },
  };
}

/** A pod as a node may have one: any address of its share will do. */
export function somePod(node: PlacedNode, family: Family): Pod | undefined {
  const cidr = node.podCidrs.find((one) => familyOf(one) === family);
  return cidr ? { node, address: formatAddress({ family, value: parseCidr(cidr).first + 2n }) } : undefined;
}

/** Every pair of nodes whose pods should reach each other, in each family that both have. */
export function pairs(
  desired: Desired,
  names: readonly string[],
): { from: PlacedNode; to: PlacedNode; family: Family }[] {
  const groups = new Map(desired.clusters.map(({ name, spec }) => [name, spec.group]));
  const together = (a: string, b: string) => a !== b && groups.get(a) !== undefined && groups.get(a) === groups.get(b);
  const has = (node: PlacedNode, family: Family) => node.podCidrs.some((cidr) => familyOf(cidr) === family);
  return desired.nodes.flatMap((from) =>
    desired.nodes
      .filter(
        (to) => together(from.cluster, to.cluster) && (names.includes(from.cluster) || names.includes(to.cluster)),
      )
      .flatMap((to) =>
        FAMILIES.filter((family) => has(from, family) && has(to, family)).map((family) => ({ from, to, family })),
      ),
  );
}
