import { cniOf } from '../cni/index.ts';
import type { DesiredCluster } from '../lab/desired.ts';
import type { IpFamily } from '../lab/lab.ts';
import type { ExemptionRule, ForPeer, NodeRoute, NodeRouting, PlacedNode } from '../lab/routing.ts';
import { type Family, familyOf } from '../net/address.ts';

interface Member {
  readonly cluster: DesiredCluster;
  readonly nodes: readonly PlacedNode[];
  readonly assumed: boolean;
}

/** Routes and exemptions of every node of every group, both directions, in the families that both clusters have. */
export function resolveRouting(clusters: readonly DesiredCluster[], nodes: readonly PlacedNode[]): NodeRouting[] {
  const nodesOf = new Map(clusters.map(({ name }) => [name, [] as PlacedNode[]]));
  for (const node of nodes) nodesOf.get(node.cluster)?.push(node);
  return groupsOf(clusters).flatMap((group) => {
    const all = group.map((cluster): Member => {
      const own = nodesOf.get(cluster.name) ?? [];
      return { cluster, nodes: own, assumed: own.some(({ assumed }) => assumed) };
    });
    // Of one that is there already no node may be within reach.
    const members = all.filter(({ nodes: own, cluster }) => own.length > 0 && cluster.cni !== undefined);
    return members.flatMap((one) =>
      routingOf(
        one,
        members.filter((other) => other !== one),
      ),
    );
  });
}

/** A warning for each two members of a group that no route can join: one has only IPv4, the other only IPv6. */
export function strangersIn(clusters: readonly DesiredCluster[]): string[] {
  const only = (family: IpFamily, group: readonly DesiredCluster[]) =>
    group.filter(({ spec }) => spec.ipFamily === family);
  return groupsOf(clusters).flatMap((group) =>
    only('ipv4', group).flatMap((one) =>
      only('ipv6', group).map(
        (other) => `${one.name} (ipv4) and ${other.name} (ipv6) share no address family: no routes between them`,
      ),
    ),
  );
}

/** The clusters of each group; those without one are alone and not here. */
export function groupsOf(clusters: readonly DesiredCluster[]): DesiredCluster[][] {
  const groups = new Map<string, DesiredCluster[]>();
  for (const cluster of clusters) {
    const { group } = cluster.spec;
    const members = group === undefined ? undefined : groups.get(group);
    if (members) members.push(cluster);
    else if (group !== undefined) groups.set(group, [cluster]);
  }
  return [...groups.values()];
}

/** Families in which pods of both clusters have addresses. */
export function sharedFamilies(one: DesiredCluster, other: DesiredCluster): Family[] {
  const families = other.pods.map(({ family }) => family);
  return [...new Set(one.pods.map(({ family }) => family))].filter((family) => families.includes(family));
}

function routingOf(own: Member, peers: readonly Member[]): NodeRouting[] {
  return own.nodes.map(({ node }) => ({
    cluster: own.cluster.name,
    node,
    routes: peers.flatMap((peer) =>
      routesTo(peer, sharedFamilies(own.cluster, peer.cluster)).map((route) => forPeer(route, peer)),
    ),
    exemptions: own.cluster.spec.network.preserveSourceIP
      ? peers.flatMap((peer) => exemptionsFor(own.cluster, peer.cluster).map((rule) => forPeer(rule, peer)))
      : [],
  }));
}

const forPeer = <T>(thing: T, { cluster, assumed }: Member): T & ForPeer => ({ ...thing, peer: cluster.name, assumed });

function routesTo({ cluster, nodes }: Member, families: readonly Family[]): NodeRoute[] {
  const destinations = cniOf(cluster)?.destinations({ pods: cluster.pods.map(({ range }) => range), nodes }) ?? [];
  return destinations
    .filter(({ cidr }) => families.includes(familyOf(cidr)))
    .flatMap(({ cidr, node }) => {
      const facts = nodes.find((one) => one.node === node);
      const via = facts?.addresses.find((address) => familyOf(address) === familyOf(cidr));
      return via ? [{ destination: cidr, via }] : [];
    });
}

function exemptionsFor(own: DesiredCluster, peer: DesiredCluster): ExemptionRule[] {
  const cni = cniOf(own);
  const rangesOf = ({ pods }: DesiredCluster, family: Family) => pods.filter((range) => range.family === family);
  return sharedFamilies(own, peer).flatMap((family) =>
    rangesOf(own, family).flatMap((from) =>
      rangesOf(peer, family).flatMap((to) => cni?.exemption?.(family, from.range, to.range) ?? []),
    ),
  );
}
