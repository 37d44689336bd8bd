import type { App, AppsState } from '../lab/apps.ts';
import type { Desired, DesiredCluster, Range } from '../lab/desired.ts';
import type { Observed, ObservedCluster } from '../lab/observed.ts';
import { isSettled, takesPart } from '../lab/ownership.ts';
import { workloadsOf } from '../plan/resolve-workloads.ts';
import { type WorkloadState, workloadState } from '../plan/workload-state.ts';
import { type CertificateInfo, describeCertificates } from './certificate-info.ts';
import { formatTable } from './table.ts';

/** Everything worth knowing of one cluster, JSON-safe: one object of `lab info -o json`. */
export interface ClusterInfo {
  readonly name: string;
  readonly provider: string;
  readonly group: string;
  readonly zone: string;
  readonly ipFamily: string;
  readonly state: 'planned' | 'ready' | 'not ready' | 'stopped' | 'unfinished' | 'foreign' | 'unknown';
  readonly network: string;
  readonly pods: readonly string[];
  readonly services: readonly string[];
  readonly loadBalancer: readonly string[];
  readonly nodes: readonly { readonly name: string; readonly role: string; readonly addresses: readonly string[] }[];
  /** The API server: from this machine, and from other clusters on the lab's network, an address a family. */
  readonly endpoints: { readonly host: string; readonly clusters: readonly string[] };
  readonly contexts: readonly string[];
  /** The version of Linkerd that it has; empty without one. */
  readonly linkerd: string;
  /** Whose services it uses, as the specs say. */
  readonly links: readonly { readonly to: string; readonly mode: string; readonly why: string }[];
  readonly mesh: string;
  /** Add-ons and apps, and how far each is. */
  readonly apps: readonly { readonly name: string; readonly namespace: string; readonly state: string }[];
  /** The trust anchors of the lab and the cluster's issuer, as far as they are made. */
  readonly certificates: readonly CertificateInfo[];
  readonly why: Readonly<Record<string, string>>;
  /** Containers beside it that its mesh knows. */
  readonly workloads: readonly WorkloadInfo[];
}

export interface WorkloadInfo {
  readonly name: string;
  readonly namespace: string;
  readonly image: string;
  readonly addresses: readonly string[];
  readonly identity: string;
  readonly state: WorkloadState['container'];
  readonly proxy: WorkloadState['proxy'];
}

/** What should be and what is, side by side, a cluster each. */
export function describeClusters(desired: Desired, observed: Observed, names: readonly string[]): ClusterInfo[] {
  return desired.clusters
    .filter(({ name }) => names.includes(name))
    .map((cluster) => {
      const existing = observed.clusters.find(
        ({ name, provider }) => name === cluster.name && provider === cluster.spec.provider,
      );
      const own = existing && takesPart(existing, desired.lab.uid) ? existing : undefined;
      const ranges = (list: readonly Range[]) => list.map(({ range }) => range);
      const nodes = cluster.nodes.map(({ name, role }) => ({
        name,
        role,
        addresses: own?.nodes.find((node) => node.name === name)?.networks[desired.network.name] ?? [],
      }));
      return {
        name: cluster.name,
        provider: cluster.spec.provider,
        group: cluster.spec.group ?? '',
        zone: cluster.spec.zone ?? '',
        ipFamily: cluster.spec.ipFamily,
        state: stateOf(cluster, existing, desired.lab.uid),
        network: desired.network.name,
        pods: ranges(cluster.pods),
        services: ranges(cluster.services),
        loadBalancer: ranges(cluster.loadBalancer),
        nodes,
        endpoints: {
          host: own?.credentials?.server ?? '',
          clusters: serverAddresses(cluster, nodes[0]?.addresses ?? []).map(
            (address) => `https://${bracketed(address)}:6443`,
          ),
        },
        contexts: cluster.contexts,
        linkerd: own?.api?.linkerd?.version ?? '',
        links: desired.links
          .filter(({ from }) => from === cluster.name)
          .map(({ to, mode, why }) => ({ to, mode, why })),
        mesh: cluster.spec.mesh.name,
        apps: cluster.spec.apps.map((app) => ({
          name: app.name,
          namespace: app.namespace,
          state: appState(app, own?.api?.apps),
        })),
        certificates:
          observed.certificates && cluster.spec.mesh.name !== 'none'
            ? describeCertificates(observed.certificates, [cluster.name])
            : [],
        why: Object.fromEntries(
          [...cluster.pods, ...cluster.services, ...cluster.loadBalancer].map(({ range, reason }) => [range, reason]),
        ),
        workloads: workloadsOf(desired, [cluster.name]).map((workload) => ({
          name: workload.name,
          namespace: workload.spec.namespace,
          image: workload.spec.image,
          addresses: workload.addresses.map(({ address }) => address),
          identity: workload.identity.id,
          state: workloadState(desired, observed, workload).container,
          proxy: workloadState(desired, observed, workload).proxy,
        })),
      };
    });
}

function appState({ name, namespace, hash }: App, state: AppsState | undefined): string {
  const mark = state?.marks.find((one) => one.app === name && one.namespace === namespace);
  if (mark?.hash !== hash) return mark ? 'outdated' : 'planned';
  return state?.workloads.some((one) => one.app === name && !one.ready) ? 'not ready' : 'ready';
}

/** The addresses that the API server's certificate holds: of each family that the cluster has, the first one first. */
const serverAddresses = ({ services }: DesiredCluster, addresses: readonly string[]): string[] =>
  services.flatMap(({ family }) => addresses.find((address) => address.includes(':') === (family === 6)) ?? []);

const bracketed = (address: string): string => (address.includes(':') ? `[${address}]` : address);

function stateOf(cluster: DesiredCluster, existing: ObservedCluster | undefined, uid: string): ClusterInfo['state'] {
  if (!existing) return 'planned';
  if (existing.existing?.problem) return 'unknown';
  if (!takesPart(existing, uid)) return 'foreign';
  if (!isSettled(existing, uid)) return existing.existing ? 'planned' : 'unfinished';
  if (existing.nodes.some(({ running }) => !running)) return 'stopped';
  const ready = existing.api?.nodes.filter((node) => node.ready).length ?? 0;
  return ready >= cluster.nodes.length ? 'ready' : 'not ready';
}

/** One line a cluster; `wide` adds where it is reached. */
export function formatClusters(clusters: readonly ClusterInfo[], wide: boolean): string {
  const headings = ['NAME', 'PROVIDER', 'GROUP', 'STATE', 'PODS', 'SERVICES', 'LOADBALANCER'];
  const meshed = clusters.some(({ linkerd, links }) => linkerd !== '' || links.length > 0);
  const mesh = meshed ? ['LINKERD', 'LINKS'] : [];
  const more = ['ZONE', 'FAMILY', 'NODES', 'FROM-HOST', 'FROM-CLUSTERS', 'CONTEXTS', ...mesh];
  const rows = clusters.map((one) => [
    one.name,
    one.provider,
    one.group,
    one.state.replace(' ', '-'),
    one.pods.join(','),
    one.services.join(','),
    one.loadBalancer.join(','),
    ...(wide
      ? [
          one.zone,
          one.ipFamily,
          one.nodes
            .map(({ name, addresses }) => (addresses.length > 0 ? `${name}=${addresses.join('+')}` : name))
            .join(','),
          one.endpoints.host,
          one.endpoints.clusters.join(','),
          one.contexts.join(','),
          ...(meshed ? [one.linkerd, one.links.map(({ to, mode }) => `${to}=${mode}`).join(',')] : []),
        ]
      : []),
  ]);
  return formatTable(wide ? [...headings, ...more] : headings, rows);
}

/** One line a workload; empty without any. */
export function formatWorkloads(clusters: readonly ClusterInfo[]): string {
  const rows = clusters.flatMap(({ name, workloads }) =>
    workloads.map((one) => [
      one.name,
      name,
      one.namespace,
      one.state,
      one.proxy,
      one.addresses.join(','),
      one.image,
      one.identity,
    ]),
  );
  const headings = ['WORKLOAD', 'CLUSTER', 'NAMESPACE', 'STATE', 'PROXY', 'ADDRESSES', 'IMAGE', 'IDENTITY'];
  return rows.length > 0 ? formatTable(headings, rows) : '';
}

/** The reason for each range, a line each. */
export function formatReasons(desired: Desired, clusters: readonly ClusterInfo[]): string {
  const rows = clusters.flatMap(({ name, pods, services, loadBalancer, why }) =>
    (
      [
        ['pods', pods],
        ['services', services],
        ['load balancer', loadBalancer],
      ] as const
    ).flatMap(([use, ranges]) => ranges.map((range) => [name, use, range, why[range] ?? ''])),
  );
  const network = desired.network.subnets.map(({ range, reason }) => [desired.network.name, 'network', range, reason]);
  return formatTable(['NAME', 'USE', 'RANGE', 'WHY'], [...network, ...rows]);
}
