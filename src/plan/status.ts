import { CNIS } from '../cni/index.ts';
import type { Desired, DesiredCluster } from '../lab/desired.ts';
import type { Observed, ObservedCluster } from '../lab/observed.ts';
import { isSettled } from '../lab/ownership.ts';
import { contains, parseCidr } from '../net/cidr.ts';
import { appRows } from './app-status.ts';
import { certsRows } from './certificate-status.ts';
import { missingFromCertificates, serversToCertify } from './diff-certificate.ts';
import { routingOnNode } from './diff-routing.ts';
import { meshRows } from './mesh-status.ts';
import { diffPeerPools, peerPoolsOf } from './peer-pools.ts';
import { workloadRows } from './workload-status.ts';

/** One thing that should be, and what is. */
export interface StatusRow {
  readonly cluster: string;
  readonly thing:
    | 'network'
    | 'pod network'
    | 'containers'
    | 'nodes'
    | 'ranges'
    | 'pools'
    | 'certificate'
    | 'contexts'
    | 'credentials'
    | 'routes'
    | 'exemptions'
    | 'certs'
    | 'linkerd'
    | 'links'
    | 'apps'
    | 'workload';
  readonly result: 'ok' | 'drift' | 'unknown';
  readonly have: string;
  readonly want: string;
}

/** What is against what should be, a row a thing; nothing of it is remembered, all of it is seen. */
export function statusRows(desired: Desired, observed: Observed, names: readonly string[]): StatusRow[] {
  const network = observed.networks.find(({ name }) => name === desired.network.name);
  const subnets = network?.subnets.map(({ cidr }) => cidr) ?? [];
  return [
    row(
      '-',
      'network',
      subnets,
      desired.network.subnets.map(({ range }) => range),
    ),
    ...certsRows(desired, observed, names),
    ...desired.clusters
      .filter(({ name }) => names.includes(name))
      .flatMap((cluster) => clusterRows(cluster, desired, observed)),
  ];
}

const row = (
  cluster: string,
  thing: StatusRow['thing'],
  have: readonly string[],
  want: readonly string[],
): StatusRow => {
  const same = [...have].sort().join() === [...want].sort().join();
  return { cluster, thing, result: same ? 'ok' : 'drift', have: have.join(','), want: want.join(',') };
};

const counted = (cluster: string, thing: StatusRow['thing'], have: number | undefined, want: number): StatusRow => ({
  cluster,
  thing,
  result: have === undefined ? 'unknown' : have === want ? 'ok' : 'drift',
  have: have === undefined ? '?' : String(have),
  want: String(want),
});

function clusterRows(cluster: DesiredCluster, desired: Desired, observed: Observed): StatusRow[] {
  const { name } = cluster;
  const existing = observed.clusters.find((one) => one.name === name && isSettled(one, desired.lab.uid));
  if (cluster.spec.access) return existingRows(cluster, desired, observed);
  if (!existing) return [counted(name, 'containers', 0, cluster.nodes.length)];
  const running = existing.nodes.filter((node) => node.running && node.role !== 'proxy').length;
  const pools = cluster.loadBalancer.map(({ range }) => range);
  const contexts = observed.contexts.filter(
    (context) => cluster.contexts.includes(context.name) && context.ca === existing.credentials?.ca,
  );
  return [
    counted(name, 'containers', running, cluster.nodes.length),
    counted(name, 'nodes', existing.api?.nodes.filter(({ ready }) => ready).length, cluster.nodes.length),
    rangesRow(cluster, existing),
    ...cniRows(cluster, existing),
    ...certificateRows(cluster, desired.network.name, existing),
    ...(desired.loadBalancer.addon === 'none' ? [] : [poolsRow(name, existing, pools)]),
    row(
      name,
      'contexts',
      contexts.map((context) => context.name),
      cluster.contexts,
    ),
    ...routingRows(cluster, desired, observed),
    ...meshRows(desired, observed, name),
    ...workloadRows(desired, observed, name),
    ...appRows(cluster, existing),
  ];
}

/** Of a cluster that is there already: what it is made of is nobody's business but its maker's. */
function existingRows(cluster: DesiredCluster, desired: Desired, observed: Observed): StatusRow[] {
  const { name, contexts } = cluster;
  const found = observed.clusters.find((one) => one.name === name && one.existing);
  const { problem, stale = false } = found?.existing ?? {};
  const kept = found?.credentials !== undefined;
  const credentials: StatusRow = {
    cluster: name,
    thing: 'credentials',
    result: problem ? 'unknown' : kept && !stale ? 'ok' : 'drift',
    have: problem ? `? (${problem.message})` : kept ? (stale ? 'out of date' : contexts.join()) : 'none',
    want: contexts.join(),
  };
  if (!found?.api) return [credentials];
  return [
    credentials,
    counted(name, 'nodes', found.api.nodes.filter(({ ready }) => ready).length, cluster.nodes.length),
    ...(found.api.nodes.some(({ podCidrs }) => podCidrs.length > 0) ? [rangesRow(cluster, found)] : []),
    ...routingRows(cluster, desired, observed),
    ...meshRows(desired, observed, name),
    ...workloadRows(desired, observed, name),
    ...appRows(cluster, found),
  ];
}

/** Addresses of the servers that the certificates of their API servers hold. */
function certificateRows(cluster: DesiredCluster, network: string, existing: ObservedCluster): StatusRow[] {
  const servers = serversToCertify(cluster);
  if (servers.length === 0) return [];
  const nodes = existing.nodes.filter(({ name }) => servers.includes(name));
  const missing = missingFromCertificates(network, existing).flatMap(({ addresses }) => addresses);
  const want = nodes.flatMap(({ networks }) => networks[network] ?? []);
  const found = row(
    cluster.name,
    'certificate',
    want.filter((address) => !missing.includes(address)),
    want,
  );
  const known = nodes.every(({ name }) => existing.certificates?.[name]);
  return [known ? found : { ...found, result: 'unknown', have: '?' }];
}

/** Of a pod network that `lab` put there; the provider's own shows in whether nodes are ready. */
function cniRows({ name, cni }: DesiredCluster, { api }: ObservedCluster): StatusRow[] {
  if (!cni || !CNIS[cni].install) return [];
  const found = row(name, 'pod network', api?.calico?.ready ? [cni] : [], [cni]);
  return [api ? found : { ...found, result: 'unknown', have: '?' }];
}

function poolsRow(name: string, { api }: ObservedCluster, pools: readonly string[]): StatusRow {
  const found = row(
    name,
    'pools',
    api?.loadBalancer?.ready && api.loadBalancer.advertised ? api.loadBalancer.pools : [],
    pools,
  );
  return api ? found : { ...found, result: 'unknown', have: '?' };
}

/** The ranges that nodes really took must lie in those of the plan, and be of every family that it has. */
function rangesRow(cluster: DesiredCluster, { api }: ObservedCluster): StatusRow {
  const want = cluster.pods.map(({ range }) => range);
  const taken = api?.nodes.flatMap(({ podCidrs }) => podCidrs);
  const isIn = (range: string, cidr: string) => contains(parseCidr(range), parseCidr(cidr));
  const asPlanned =
    taken?.every((cidr) => want.some((range) => isIn(range, cidr))) &&
    // What an existing one does not tell of its nodes, its spec may say.
    (cluster.spec.access || want.every((range) => taken.some((cidr) => isIn(range, cidr))));
  return {
    cluster: cluster.name,
    thing: 'ranges',
    result: taken === undefined ? 'unknown' : asPlanned ? 'ok' : 'drift',
    have: taken?.join(',') ?? '?',
    want: want.join(','),
  };
}

function routingRows(cluster: DesiredCluster, desired: Desired, observed: Observed): StatusRow[] {
  if (cluster.spec.group === undefined) return [];
  const nodes = desired.routing
    .filter((routing) => routing.cluster === cluster.name)
    .map((routing) => routingOnNode(routing, observed));
  if (nodes.length === 0) return [];
  const sum = (of: (node: (typeof nodes)[number]) => number) => nodes.reduce((total, node) => total + of(node), 0);
  const calico = observed.clusters.find(({ name }) => name === cluster.name)?.api?.calico;
  const pools = peerPoolsOf(desired, cluster.name).filter(({ assumed }) => !assumed);
  const [change] = diffPeerPools(desired, observed, [cluster.name]);
  const known = nodes.every((node) => node.known);
  const rows = [
    counted(
      cluster.name,
      'routes',
      known ? sum(({ routes }) => routes.have) : undefined,
      sum(({ routes }) => routes.want),
    ),
    counted(
      cluster.name,
      'exemptions',
      known && (calico || pools.length === 0)
        ? sum(({ exemptions }) => exemptions.have) + pools.length - (change?.add.length ?? 0)
        : undefined,
      sum(({ exemptions }) => exemptions.want) + pools.length,
    ),
  ];
  const stale = sum((node) => node.stale) + (change?.remove.length ?? 0);
  return rows.map((one, index) =>
    index === 0 && stale > 0 ? { ...one, result: 'drift', have: `${one.have}+${stale} stale` } : one,
  );
}
