import { CNIS } from '../cni/index.ts';
import type { DesiredCluster, DesiredNetwork } from '../lab/desired.ts';
import type { Observed } from '../lab/observed.ts';
import type { ExemptionRule, ForPeer, NodeRoute, NodeRouting } from '../lab/routing.ts';
import { type Family, formatAddress, parseAddress } from '../net/address.ts';
import { blockSize, formatCidr, parseCidr } from '../net/cidr.ts';
import { PROVIDERS } from '../providers/index.ts';

/** What a peer needs to know of a node. */
interface NodeFacts {
  readonly node: string;
  readonly podCidrs: readonly string[];
  readonly addresses: readonly string[];
}

interface Member {
  readonly cluster: DesiredCluster;
  readonly nodes: readonly NodeFacts[];
  readonly assumed: boolean;
}

const familyOf = (text: string): Family => (text.includes(':') ? 6 : 4);

/**
 * Routes and exemptions of every node of every group, both directions, in the families that both clusters have.
 * Nodes that do not exist yet get assumed addresses, so that a plan can be shown and simulated.
 */
export function resolveRouting(
  clusters: readonly DesiredCluster[],
  network: DesiredNetwork,
  observed: Observed,
  warn: (text: string) => void,
): NodeRouting[] {
  const groups = new Map<string, DesiredCluster[]>();
  for (const cluster of clusters) {
    const { group } = cluster.spec;
    if (group !== undefined) groups.set(group, [...(groups.get(group) ?? []), cluster]);
  }
  const assume = assumeAddresses(network);
  return [...groups.values()].flatMap((group) => {
    const members = group.map((cluster) => member(cluster, observed, network.name, assume));
    for (const [index, one] of members.entries()) {
      for (const other of members.slice(index + 1)) {
        if (sharedFamilies(one, other).length === 0) {
          warn(
            `${one.cluster.name} (${one.cluster.spec.ipFamily}) and ${other.cluster.name} (${other.cluster.spec.ipFamily}) share no address family: no routes between them`,
          );
        }
      }
    }
    return members.flatMap((one) =>
      routingOf(
        one,
        members.filter((other) => other !== one),
      ),
    );
  });
}

function routingOf(own: Member, peers: readonly Member[]): NodeRouting[] {
  return own.nodes.map(({ node }) => ({
    cluster: own.cluster.name,
    node,
    routes: peers.flatMap((peer) => routesTo(peer, sharedFamilies(own, peer)).map((route) => forPeer(route, peer))),
    exemptions: own.cluster.spec.network.preserveSourceIP
      ? peers.flatMap((peer) => exemptionsFor(own, peer).map((rule) => forPeer(rule, peer)))
      : [],
  }));
}

const forPeer = <T>(thing: T, { cluster, assumed }: Member): T & ForPeer => ({ ...thing, peer: cluster.name, assumed });

const sharedFamilies = (one: Member, other: Member): Family[] => {
  const families = other.cluster.pods.map(({ family }) => family);
  return one.cluster.pods.map(({ family }) => family).filter((family) => families.includes(family));
};

function routesTo({ cluster, nodes }: Member, families: readonly Family[]): NodeRoute[] {
  const cni = CNIS[PROVIDERS[cluster.spec.provider].cni];
  return cni
    .destinations({ pods: cluster.pods.map(({ range }) => range), nodes })
    .filter(({ cidr }) => families.includes(familyOf(cidr)))
    .flatMap(({ cidr, node }) => {
      const facts = nodes.find((one) => one.node === node);
      const via = facts?.addresses.find((address) => familyOf(address) === familyOf(cidr));
      return via ? [{ destination: cidr, via }] : [];
    });
}

function exemptionsFor(own: Member, peer: Member): ExemptionRule[] {
  const cni = CNIS[PROVIDERS[own.cluster.spec.provider].cni];
  const rangeOf = ({ cluster }: Member, family: Family) =>
    cluster.pods.find((range) => range.family === family)?.range ?? '';
  return sharedFamilies(own, peer).map((family) => cni.exemption(family, rangeOf(own, family), rangeOf(peer, family)));
}

function member(cluster: DesiredCluster, observed: Observed, network: string, assume: Assume): Member {
  const existing = observed.clusters.find(
    ({ name, provider, applied }) => name === cluster.name && provider === cluster.spec.provider && applied,
  );
  const nodes = existing?.nodes
    .filter(({ role }) => role !== 'proxy')
    .map(({ name, networks }) => ({
      node: name,
      addresses: networks[network] ?? [],
      podCidrs: existing.api?.nodes.find((node) => node.name === name)?.podCidrs ?? [],
    }));
  const known = nodes?.every(({ addresses, podCidrs }) => addresses.length > 0 && podCidrs.length > 0);
  return nodes && known
    ? { cluster, nodes, assumed: false }
    : { cluster, nodes: assumedNodes(cluster, assume), assumed: true };
}

type Assume = () => string[];

/** Addresses as Docker would hand them out on an empty network: the lowest after the gateway, one a family. */
function assumeAddresses({ subnets }: DesiredNetwork): Assume {
  const next = subnets.map(({ gateway }) => parseAddress(gateway)).filter((address) => address !== undefined);
  return () =>
    next.map((address, index) => {
      const following = { family: address.family, value: address.value + 1n };
      next[index] = following;
      return formatAddress(following);
    });
}

/** The controller manager gives node n the n-th block of the pod range. */
function assumedNodes(cluster: DesiredCluster, assume: Assume): NodeFacts[] {
  const masks = cluster.spec.network.nodeMask;
  return cluster.nodes.map(({ name }, index) => ({
    node: name,
    addresses: assume(),
    podCidrs: cluster.pods.map(({ range, family }) => {
      const { first } = parseCidr(range);
      const prefix = masks[family === 4 ? 0 : 1];
      const start = first + BigInt(index) * blockSize(family, prefix);
      return formatCidr({ family, prefix, first: start, last: start + blockSize(family, prefix) - 1n });
    }),
  }));
}
