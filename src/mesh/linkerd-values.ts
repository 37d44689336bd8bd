import type { Desired, DesiredCluster } from '../lab/desired.ts';
import { familiesOf } from '../lab/families.ts';
import type { LinkerdSpec } from '../lab/mesh.ts';
import { contains, parseCidr } from '../net/cidr.ts';
import { isMap, mergeValues, type Values } from '../tools/merge-values.ts';

/** What the chart takes for the cluster's own addresses. */
const PRIVATE = ['10.0.0.0/8', '100.64.0.0/10', '172.16.0.0/12', '192.168.0.0/16', 'fd00::/8'];

/** Values of the control plane: what the lab knows, and over it what the spec says. */
export function controlPlaneValues(desired: Desired, cluster: DesiredCluster, spec: LinkerdSpec): Values {
  const own = {
    clusterDomain: cluster.spec.network.domain,
    identityTrustDomain: desired.certificates?.trustDomain,
    clusterNetworks: clusterNetworks(desired).join(','),
    disableIPv6: !familiesOf(cluster.spec).includes(6),
    // It reports to the internet, where a lab may not get.
    disableHeartBeat: true,
  };
  return mergeValues(own, spec.values);
}

/** Pods and services of every cluster must lie within, or `linkerd check` refuses them. */
function clusterNetworks({ clusters }: Desired): string[] {
  const ranges = clusters.flatMap(({ pods, services }) => [...pods, ...services].map(({ range }) => range));
  const outside = ranges.filter((range) => !PRIVATE.some((area) => contains(parseCidr(area), parseCidr(range))));
  return [...PRIVATE, ...new Set(outside)];
}

/** A link as the extension must know it: the list of a cluster is the whole truth each time. */
export interface Controller {
  readonly to: string;
  readonly gateway: boolean;
}

/** Values of the multicluster extension. */
export function extensionValues(
  desired: Desired,
  spec: LinkerdSpec,
  controllers: readonly Controller[],
  gateway: boolean,
): Values {
  const own = {
    identityTrustDomain: desired.certificates?.trustDomain,
    gateway: { enabled: gateway },
    controllers: controllers
      .toSorted((a, b) => (a.to < b.to ? -1 : 1))
      .map((controller) => ({ link: { ref: { name: controller.to } }, gateway: { enabled: controller.gateway } })),
  };
  return mergeValues(own, spec.multicluster.values);
}

/** What an install was made from, as text that can be compared; the order of keys says nothing. */
export const inputsOf = (version: string | undefined, values: Values): string =>
  JSON.stringify({ version, values }, (_, value: unknown) =>
    isMap(value) ? Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : value,
  );
