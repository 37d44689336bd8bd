import { manifestId } from '../../src/addons/addon.ts';
import { metallb } from '../../src/addons/metallb.ts';
import { CALICO_MANIFESTS } from '../../src/cni/calico-install.ts';
import { InputError, LabError } from '../../src/errors.ts';
import type { Desired, DesiredCluster } from '../../src/lab/desired.ts';
import type { CalicoSpec, Cluster, Lab, Pin } from '../../src/lab/lab.ts';
import type { LinkerdSpec } from '../../src/lab/mesh.ts';
import type { DockerNetwork, Observed, ObservedCluster, Subnet } from '../../src/lab/observed.ts';
import { NETWORK_LABELS } from '../../src/lab/ownership.ts';
import type { Workload } from '../../src/lab/workload.ts';
import { diffForCreate } from '../../src/plan/diff.ts';
import { planCreate } from '../../src/plan/plan-create.ts';
import { resolve } from '../../src/plan/resolve.ts';
import type { Plan } from '../../src/step/step.ts';

export const UID = '0123456789ab';
export const OTHER_UID = 'ba9876543210';

export interface ClusterWords extends Partial<Omit<Cluster, 'name' | 'network' | 'nodes'>> {
  readonly nodes?: Partial<Cluster['nodes']>;
  readonly pods?: readonly string[];
  readonly services?: readonly string[];
  readonly pool?: readonly string[];
  readonly nodeMask?: readonly [number, number];
  readonly domain?: string;
  readonly proxyMode?: Cluster['network']['proxyMode'];
  readonly cni?: Cluster['network']['cni'];
  readonly calico?: Cluster['network']['calico'];
}

/** Pins of `use` in the file of a cluster, a line each. */
const pins = (file: string, use: string, ranges: readonly string[] = []): Pin[] =>
  ranges.map((cidr, line) => ({ cidr, at: `${file}:${use}:${line + 1}` }));

/** Linkerd as `mesh: {}` gives it to a cluster. */
export const linkerd: LinkerdSpec = {
  name: 'linkerd',
  issuerLifetime: 365 * 86_400,
  binary: 'linkerd',
  gatewayAPI: { manifest: { location: 'https://example.org/gateway-api.yaml' } },
  values: {},
  multicluster: { values: {} },
  env: [],
};

/** The words of a cluster with Calico. */
export const calico = (more: Partial<CalicoSpec> = {}): Pick<ClusterWords, 'cni' | 'calico'> => ({
  cni: 'calico',
  calico: {
    manifests: CALICO_MANIFESTS.map((location) => ({ location })),
    encapsulation: 'VXLANCrossSubnet',
    pools: [],
    at: 'calico.yaml:7:5',
    ...more,
  },
});

export function cluster(name: string, words: ClusterWords = {}): Cluster {
  const {
    nodes,
    pods,
    services,
    pool,
    nodeMask = [24, 64],
    domain = 'cluster.local',
    proxyMode,
    cni,
    calico,
    ...rest
  } = words;
  const file = `${name}.yaml`;
  return {
    name,
    at: `${file}:3`,
    provider: 'kind',
    ipFamily: 'ipv4',
    kubernetes: {},
    ports: [],
    images: [],
    providerConfig: {},
    mesh: { name: 'none' },
    apps: [],
    ...rest,
    nodes: { servers: 1, workers: 0, ...nodes },
    network: {
      pods: pins(file, 'pods', pods),
      services: pins(file, 'services', services),
      loadBalancer: pins(file, 'pool', pool),
      nodeMask,
      domain,
      proxyMode: proxyMode ?? 'iptables',
      preserveSourceIP: true,
      ...(cni && { cni }),
      ...(calico && { calico }),
    },
  };
}

export interface LabWords extends Partial<Omit<Lab, 'clusters' | 'network' | 'ranges'>> {
  readonly network?: Partial<Omit<Lab['network'], 'subnets' | 'ipRange'>> & {
    readonly subnets?: readonly string[];
    readonly ipRange?: string;
  };
  readonly ranges?: Partial<Lab['ranges']>;
}

export function lab(clusters: readonly (Cluster | string)[], words: LabWords = {}): Lab {
  const { network: { subnets, ipRange, ...network } = {}, ranges, ...rest } = words;
  return {
    name: 'practical',
    uid: UID,
    dir: 'clusters',
    path: '/labs/practical/clusters',
    loadBalancer: { addon: 'metallb', manifest: { location: metallb.manifest } },
    groups: {},
    links: [],
    checks: [],
    workloads: [],
    mesh: { trustDomain: 'cluster.local', anchor: { lifetime: 315_360_000 } },
    ...rest,
    network: {
      name: 'lab-practical',
      adopt: false,
      at: 'lab.yaml:4',
      ...network,
      subnets: pins('lab.yaml', 'subnets', subnets),
      ...(ipRange && { ipRange: { cidr: ipRange, at: 'lab.yaml:ipRange' } }),
    },
    ranges: {
      networks: { v4: '172.28.0.0/14', v6: 'fd00:1ab::/48' },
      pods: { v4: '10.0.0.0/9', v6: 'fd00:10::/32' },
      services: { v4: '10.128.0.0/9', v6: 'fd00:96::/64' },
      loadBalancer: { size: 16 },
      ...ranges,
    },
    clusters: clusters
      .map((one) => (typeof one === 'string' ? cluster(one) : one))
      .toSorted((a, b) => (a.name < b.name ? -1 : 1)),
  };
}

/** A workload beside cluster `a`. */
export const workload = (name: string, more: Partial<Workload> = {}): Workload => ({
  name,
  at: `${name}.yaml:3`,
  cluster: 'a',
  namespace: 'faces',
  image: 'lab/probe:local',
  env: { ZONE: 'outside' },
  ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
  labels: { app: name },
  addresses: [],
  digest: `digest-${name}`,
  ...more,
});

export function dockerNetwork(name: string, subnets: readonly (string | Subnet)[], more: Partial<DockerNetwork> = {}) {
  const list = subnets.map((one) => (typeof one === 'string' ? { cidr: one } : one));
  const ipv6 = list.some(({ cidr }) => cidr.includes(':'));
  return { id: `${name}-id`, name, driver: 'bridge', ipv6, labels: {}, attached: [], ...more, subnets: list };
}

export const OUR_LABELS = {
  [NETWORK_LABELS.uid]: UID,
  [NETWORK_LABELS.name]: 'practical',
  [NETWORK_LABELS.dir]: '/labs/practical/clusters',
};

/** An engine on this machine, with Docker's default bridge and room for everything. */
export function observed(more: Partial<Observed> = {}): Observed {
  return {
    engine: { id: 'ENGINE', version: '28.5.2', cpus: 2, memory: 64 * 2 ** 30, local: true, rootDir: '/var/lib/docker' },
    missing: [],
    clusters: [],
    contexts: [],
    images: {},
    host: { platform: 'linux', routes: [], resolvers: [], portsInUse: [] },
    reservations: [],
    nodeNetworks: {},
    ...more,
    networks: [
      dockerNetwork('bridge', [{ cidr: '172.17.0.0/16', gateway: '172.17.0.1' }]),
      dockerNetwork('host', [], { driver: 'host' }),
      dockerNetwork('none', [], { driver: 'null' }),
      ...(more.networks ?? []),
    ],
  };
}

/** A cluster of somebody else. */
export const foreign = (name: string, more: Partial<ObservedCluster> = {}): ObservedCluster => ({
  provider: 'kind',
  name,
  nodes: [],
  ...more,
});

/** A cluster of the lab as it is once its create has ended well. */
export function created(desired: Desired, one: DesiredCluster, world: Observed = observed()): ObservedCluster {
  const ranges = (list: readonly { readonly range: string }[]) => list.map(({ range }) => range);
  const [pods, services] = [ranges(one.pods), ranges(one.services)];
  const zone = one.spec.zone;
  return {
    provider: one.spec.provider,
    name: one.name,
    owner: desired.lab.uid,
    nodes: one.nodes.map(({ name, role }) => ({
      name,
      role,
      running: true,
      image: 'kindest/node:v1.34.4',
      networks: { [desired.network.name]: [] },
      addresses: [],
      hostPorts: [],
    })),
    ranges: { pods, services },
    applied: {
      version: 1,
      lab: desired.lab.name,
      uid: desired.lab.uid,
      dir: desired.lab.path,
      fixed: one.fixed,
      pods,
      services,
      loadBalancer: ranges(one.loadBalancer),
      ...(zone !== undefined && { zone }),
      images: Object.fromEntries(one.spec.images.map((image) => [image, world.images[image] ?? ''])),
    },
    api: {
      nodes: one.nodes.map(({ name }) => ({
        name,
        ready: true,
        podCidrs: [],
        labels: zone ? { 'topology.kubernetes.io/zone': zone } : {},
      })),
      ...(desired.loadBalancer.addon === 'metallb' && {
        loadBalancer: {
          ready: true,
          manifest: manifestId(desired.loadBalancer.manifest),
          pools: ranges(one.loadBalancer),
          advertised: true,
        },
      }),
    },
    credentials: { ca: `ca-${one.name}`, server: `https://127.0.0.1:6443/${one.name}` },
  };
}

/** The world after a create of these clusters, all of them unless named: network, clusters and contexts. */
export function worldAfter(desired: Desired, before: Observed = observed(), names?: readonly string[]): Observed {
  const made = desired.clusters.filter(({ name }) => !names || names.includes(name));
  const { name, subnets, labels } = desired.network;
  const there = before.networks.some((network) => network.name === name);
  const subnet = subnets.map(({ range, gateway, ipRange }) => ({ cidr: range, gateway, ...(ipRange && { ipRange }) }));
  return {
    ...before,
    networks: [...before.networks, ...(there ? [] : [dockerNetwork(name, subnet, { labels })])],
    clusters: [...before.clusters, ...made.map((one) => created(desired, one, before))],
    contexts: [
      ...before.contexts,
      ...made.flatMap((one) =>
        one.contexts.map((context) => ({
          name: context,
          file: '/home/me/.kube/config',
          owner: desired.lab.uid,
          server: `https://127.0.0.1:6443/${one.name}`,
          ca: `ca-${one.name}`,
        })),
      ),
    ],
  };
}

/** The same world with one of its clusters changed. */
export const change = (
  world: Observed,
  name: string,
  how: (one: ObservedCluster) => Partial<ObservedCluster>,
): Observed => ({
  ...world,
  clusters: world.clusters.map((one) => (one.name === name ? { ...one, ...how(one) } : one)),
});

/** The plan of `lab create`. */
export function planOf(declared: Lab, world: Observed, recreate: readonly string[] = []): Plan {
  const names = declared.clusters.map(({ name }) => name);
  const desired = resolve(declared, world);
  return planCreate(desired, world, diffForCreate(desired, world, { names, recreate }), names);
}

/** What was thrown, with every problem as text; fails when nothing was, or not an error of ours. */
export function errorOf(action: () => unknown): { exitCode: number; text: string[]; hint: string | undefined } {
  try {
    action();
  } catch (error) {
    if (!(error instanceof LabError)) throw error;
    const text =
      error instanceof InputError
        ? error.problems.map(({ at, message, hint }) => `${at}: ${message}${hint ? ` (${hint})` : ''}`)
        : [error.message];
    return { exitCode: error.exitCode, text, hint: error.hint };
  }
  throw new Error('nothing was thrown');
}
