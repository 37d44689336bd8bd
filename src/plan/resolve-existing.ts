/** Clusters that are there already: what is read of them takes the place of what a spec says of a new one. */
import type { Problem } from '../errors.ts';
import type { DesiredCluster, DesiredNode } from '../lab/desired.ts';
import type { Cluster, IpFamily, Lab } from '../lab/lab.ts';
import type { Observed, ObservedCluster } from '../lab/observed.ts';
import type { PlacedNode } from '../lab/routing.ts';
import { type Cidr, formatCidr, overlaps, parseCidr } from '../net/cidr.ts';
import { rangesTakenIn } from './resolve-ranges.ts';

const CONTROL_PLANE = ['node-role.kubernetes.io/control-plane', 'node-role.kubernetes.io/master'];

const seenAs = ({ name }: Cluster, { clusters }: Observed): ObservedCluster | undefined =>
  clusters.find((one) => one.existing && one.name === name);

/** The lab with the families that its existing clusters really have. */
export const withExisting = (lab: Lab, observed: Observed): Lab => ({
  ...lab,
  clusters: lab.clusters.map((cluster) =>
    cluster.access ? { ...cluster, ipFamily: familyOf(cluster, observed) } : cluster,
  ),
});

function familyOf(cluster: Cluster, observed: Observed): IpFamily {
  const families = new Set(rangesTakenIn('pods', cluster, observed).map(({ family }) => family));
  if (families.size > 1) return 'dual';
  return families.has(6) ? 'ipv6' : 'ipv4';
}

/** Servers first. */
export function existingNodes(cluster: Cluster, observed: Observed): DesiredNode[] {
  const nodes = seenAs(cluster, observed)?.api?.nodes ?? [];
  return nodes
    .map(({ name, labels }): DesiredNode => {
      const isServer = CONTROL_PLANE.some((label) => labels[label] !== undefined);
      return { name, role: isServer ? 'server' : 'worker' };
    })
    .toSorted((a, b) => (a.role === b.role ? 0 : a.role === 'server' ? -1 : 1));
}

/** Existing clusters of which nothing is known, or not all that a plan needs: each at its context. */
export const existingTroubles = ({ clusters }: Lab, observed: Observed): Problem[] =>
  clusters.flatMap((cluster) => {
    const problem = seenAs(cluster, observed)?.existing?.problem;
    return cluster.access && problem
      ? [{ at: cluster.access.at, message: `${cluster.name}: ${problem.message}`, hint: problem.hint }]
      : [];
  });

/** Existing clusters that are to be routed, and whose nodes are not where a route could lead to. */
export const existingElsewhere = (
  { groups }: Lab,
  clusters: readonly DesiredCluster[],
  nodes: readonly PlacedNode[],
): string[] =>
  clusters
    .filter(({ spec, pods }) => spec.access && spec.group !== undefined && pods.length > 0)
    .filter(({ spec: { group = '' } }) => groups[group]?.mode !== 'gateway')
    .filter(({ name, spec: { group } }) => clusters.some((one) => one.name !== name && one.spec.group === group))
    .filter(({ name, cni }) => cni === undefined || !nodes.some(({ cluster }) => cluster === name))
    .map(({ name }) => `${name}: its nodes are no containers on the lab's network, so nothing is routed to its pods`);

/** A range that one cluster holds, and for what. */
interface Held {
  readonly cidr: Cidr;
  readonly use: 'pods' | 'services';
}

const heldBy = (cluster: Cluster, observed: Observed): Held[] =>
  (['pods', 'services'] as const).flatMap((use) =>
    rangesTakenIn(use, cluster, observed).map(({ range }) => ({ cidr: parseCidr(range), use })),
  );

/** Ranges of existing clusters that overlap what the lab has already: neither can be moved by a plan. */
export function existingOverlaps(lab: Lab, observed: Observed): Problem[] {
  const existing = lab.clusters.filter(({ access }) => access);
  return existing.flatMap((cluster, index) => {
    const own = heldBy(cluster, observed);
    return [
      ...overlapsWithMade(cluster, own, lab, observed),
      ...overlapsWithNetwork(cluster, own, lab, observed),
      ...existing.slice(index + 1).flatMap((other) => overlapsWithOther(cluster, own, other, lab, observed)),
    ];
  });
}

const problemAt = (cluster: Cluster, { cidr, use }: Held, by: string, hint: string): Problem => ({
  at: cluster.access?.at ?? cluster.at,
  message: `the ${use} of ${cluster.name}, ${formatCidr(cidr)}, overlap ${by}`,
  hint,
});

function overlapsWithMade(cluster: Cluster, own: readonly Held[], lab: Lab, observed: Observed): Problem[] {
  return observed.clusters
    .filter(({ owner, applied }) => owner === lab.uid && applied)
    .flatMap(({ name, ranges }) =>
      (['pods', 'services'] as const).flatMap((use) =>
        (ranges?.[use] ?? []).flatMap((range) =>
          own
            .filter(({ cidr }) => overlaps(cidr, parseCidr(range)))
            .map((held) =>
              problemAt(
                cluster,
                held,
                `the ${use} of ${name}, ${range}, which runs`,
                `give ${name} another range (spec.network.${use}) and rebuild it: lab create ${lab.dir} ${name} --recreate ${name}`,
              ),
            ),
        ),
      ),
    );
}

function overlapsWithNetwork(cluster: Cluster, own: readonly Held[], lab: Lab, { networks }: Observed): Problem[] {
  const { name, adopt } = lab.network;
  const subnets = networks.find((network) => network.name === name)?.subnets ?? [];
  const hint = adopt
    ? 'adopt another network: spec.network.adopt in lab.yaml'
    : `delete the lab, and let its network be another: spec.network.subnets in lab.yaml`;
  return subnets.flatMap(({ cidr }) =>
    own
      .filter((held) => overlaps(held.cidr, parseCidr(cidr)))
      .map((held) => problemAt(cluster, held, `Docker network ${name}, ${cidr}`, hint)),
  );
}

/** Two clusters that are both there may have the same ranges, unless packets are to go from pod to pod. */
function overlapsWithOther(
  cluster: Cluster,
  own: readonly Held[],
  other: Cluster,
  { groups }: Lab,
  observed: Observed,
): Problem[] {
  const { group } = cluster;
  if (group === undefined || group !== other.group) return [];
  const areContainers = [cluster, other].every((one) => seenAs(one, observed)?.existing?.madeBy !== undefined);
  if (groups[group]?.mode === 'gateway' && !areContainers) return [];
  const gateways = `, or make it a group of gateways: groups: {${group}: {mode: gateway}} in lab.yaml`;
  const hint = `put them into two groups${areContainers ? '' : gateways}`;
  const theirs = heldBy(other, observed).filter(({ use }) => use === 'pods');
  return own
    .filter(({ use, cidr }) => use === 'pods' && theirs.some((held) => overlaps(held.cidr, cidr)))
    .map((held) => problemAt(cluster, held, `the pods of ${other.name}`, hint));
}
