import { cniOf } from '../cni/index.ts';
import type { DesiredCluster } from '../lab/desired.ts';
import { type HostPort, toHostPort } from '../lab/host-port.ts';
import type { Cluster } from '../lab/lab.ts';
import { ownerMount } from '../lab/ownership.ts';
import type { RunStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { writeYaml } from '../tools/write-yaml.ts';
import { checkKindBlock, type KindBlock, kindBlockSchema } from './kind-block.ts';
import { certificateStep } from './kind-certificate.ts';
import { nodeMaskPatches } from './kind-kubeadm.ts';
import type { ClusterInput, Provider } from './provider.ts';

const ROLES = { 'control-plane': 'server', worker: 'worker', 'external-load-balancer': 'proxy' } as const;

/** An exported podman would make clusters that nothing here ever sees: all else is asked of Docker. */
const ENGINE = { KIND_EXPERIMENTAL_PROVIDER: 'docker' } as const;

/** kind (https://kind.sigs.k8s.io): nodes are containers, kubeadm inside. */
export const kind: Provider = {
  name: 'kind',
  cni: 'kindnet',
  otherCnis: ['calico'],
  binaries: ['kind'],
  configSchema: kindBlockSchema,
  check: checkKindBlock,
  contextName: (cluster) => `kind-${cluster}`,
  image: imageOf,
  nodes: ({ name, nodes }) => [
    ...numbered(`${name}-control-plane`, nodes.servers).map((node) => ({ name: node, role: 'server' as const })),
    ...numbered(`${name}-worker`, nodes.workers).map((node) => ({ name: node, role: 'worker' as const })),
  ],
  // A proxy stands before several servers.
  helpers: ({ nodes }) => (nodes.servers > 1 ? 1 : 0),
  recognise: ({ labels }) => {
    const cluster = labels['io.x-k8s.kind.cluster'];
    const role = ROLES[labels['io.x-k8s.kind.role'] as keyof typeof ROLES];
    return cluster && role ? { cluster, role } : undefined;
  },
  rangesFile: '/kind/kubeadm.conf',
  certificateFile: '/etc/kubernetes/pki/apiserver.crt',
  readRanges: ({ file }) => {
    const pods = /^\s*podSubnet:\s*"?([^"\s]+)/m.exec(file ?? '')?.[1];
    const services = /^\s*serviceSubnet:\s*"?([^"\s]+)/m.exec(file ?? '')?.[1];
    return pods && services ? { pods: pods.split(','), services: services.split(',') } : undefined;
  },
  kubeconfigQuery: ({ name }) => ({ argv: ['kind', 'get', 'kubeconfig', '--name', name], env: ENGINE }),
  hostPorts,
  make: {
    create: createStep,
    writesKubeconfig: true,
    remove: removeStep,
    loadImages: loadImagesStep,
    certificate: certificateStep,
  },
};

/** kind counts from the second one on: `x-worker`, `x-worker2`. */
const numbered = (name: string, count: number): string[] =>
  Array.from({ length: count }, (_, n) => (n === 0 ? name : `${name}${n + 1}`));

function createStep({ cluster, network, uid }: ClusterInput): RunStep {
  return {
    kind: 'run',
    id: `${cluster.name}/create`,
    title: 'create the nodes',
    clusters: [cluster.name],
    needs: [],
    timeout: 900,
    why: 'Without --wait, because kind exits 0 when that wait times out; readiness is its own step.',
    argv: [
      'kind',
      'create',
      'cluster',
      '--name',
      cluster.name,
      '--config',
      '-',
      '--kubeconfig',
      kubeconfigFile(cluster.name),
      '--wait',
      '0s',
    ],
    stdin: writeYaml(kindConfig({ cluster, uid })),
    env: { ...ENGINE, KIND_EXPERIMENTAL_DOCKER_NETWORK: network.name },
    precondition: {
      argv: ['docker', 'ps', '-aq', '--filter', `label=io.x-k8s.kind.cluster=${cluster.name}`],
      expect: 'empty',
      otherwise: 'stop',
      message: `a kind cluster called ${cluster.name} appeared while this ran`,
    },
  };
}

// An exported KIND_CLUSTER_NAME would win over the configuration: the name is always a flag.
function removeStep(cluster: string, needs: readonly string[]): RunStep {
  return {
    kind: 'run',
    id: `${cluster}/remove`,
    title: 'delete the nodes',
    clusters: [cluster],
    needs,
    timeout: 120,
    argv: ['kind', 'delete', 'cluster', '--name', cluster, '--kubeconfig', kubeconfigFile(cluster)],
    env: ENGINE,
  };
}

function loadImagesStep(cluster: string, images: readonly string[], needs: readonly string[]): RunStep {
  return {
    kind: 'run',
    id: `${cluster}/images`,
    title: `load ${images.join(', ')}`,
    clusters: [cluster],
    needs,
    timeout: 600,
    argv: ['kind', 'load', 'docker-image', ...images, '--name', cluster],
    env: ENGINE,
  };
}

/** The cluster as kind's own configuration (v1alpha4), the user's block merged last. */
export function kindConfig({ cluster, uid }: Pick<ClusterInput, 'cluster' | 'uid'>) {
  const { spec } = cluster;
  const block = spec.providerConfig as KindBlock;
  const { nodes: nodeBlocks = [], networking = {}, kubeadmConfigPatches = [], ...rest } = block;
  const owner = ownerMount(uid);
  const domain = spec.network.domain;
  const patches = [
    ...(domain === 'cluster.local'
      ? []
      : [writeYaml({ kind: 'ClusterConfiguration', networking: { dnsDomain: domain } })]),
    ...(domain === 'cluster.local' ? [] : [writeYaml({ kind: 'KubeletConfiguration', clusterDomain: domain })]),
    ...nodeMaskPatches(spec.ipFamily, spec.network.nodeMask),
    ...proxyPatch(cluster),
    ...kubeadmConfigPatches,
  ];
  return {
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    networking: {
      ipFamily: spec.ipFamily,
      podSubnet: cluster.pods.map(({ range }) => range).join(','),
      serviceSubnet: cluster.services.map(({ range }) => range).join(','),
      kubeProxyMode: spec.network.proxyMode,
      ...(cluster.cni !== 'kindnet' && { disableDefaultCNI: true }),
      // Also for IPv6: Docker Desktop does not forward ::1.
      apiServerAddress: '127.0.0.1',
      ...networking,
    },
    nodes: cluster.nodes.map(({ role }, index) => {
      const own = nodeBlocks[index] ?? {};
      const ports = index === 0 ? spec.ports : [];
      const mappings = [
        ...ports.map(({ host, node, protocol, listen }) => ({
          containerPort: node,
          hostPort: host,
          protocol: protocol.toUpperCase(),
          ...(listen && { listenAddress: listen }),
        })),
        ...(own.extraPortMappings ?? []),
      ];
      const labels = { ...(spec.zone && { 'topology.kubernetes.io/zone': spec.zone }), ...own.labels };
      const image = imageOf(spec);
      return {
        role: role === 'server' ? 'control-plane' : 'worker',
        ...(image && { image }),
        ...(Object.keys(labels).length > 0 && { labels }),
        extraMounts: [
          { hostPath: owner.source, containerPath: owner.target, readOnly: true },
          ...(own.extraMounts ?? []),
        ],
        ...(mappings.length > 0 && { extraPortMappings: mappings }),
        ...(own.kubeadmConfigPatches && { kubeadmConfigPatches: own.kubeadmConfigPatches }),
      };
    }),
    ...(patches.length > 0 && { kubeadmConfigPatches: patches }),
    ...rest,
  };
}

function proxyPatch(cluster: Pick<DesiredCluster, 'spec' | 'cni'>): string[] {
  const { proxyMode } = cluster.spec.network;
  const patch = {
    // MetalLB answers ARP for a pool address itself; under ipvs every node would, without this.
    ...(proxyMode === 'ipvs' && { ipvs: { strictARP: true } }),
    // A node that passes packets on to another one sees no answer to them, and would drop all but the first.
    ...(cniOf(cluster)?.passesOn && { conntrack: { tcpBeLiberal: true } }),
  };
  return Object.keys(patch).length > 0 ? [writeYaml({ kind: 'KubeProxyConfiguration', ...patch })] : [];
}

function hostPorts({ ports, providerConfig, at }: Cluster): HostPort[] {
  const { nodes = [], networking = {} } = providerConfig as KindBlock;
  const { apiServerPort = 0, apiServerAddress = '127.0.0.1' } = networking;
  const mappings = nodes.flatMap(({ extraPortMappings = [] }, node) =>
    extraPortMappings.map((mapping, index) => ({ ...mapping, key: `nodes.${node}.extraPortMappings.${index}` })),
  );
  // Docker chooses a port where none, 0 or -1 is given.
  return [
    ...ports.map(toHostPort),
    ...mappings.flatMap(({ hostPort = 0, protocol = 'TCP', listenAddress, key }): HostPort[] =>
      hostPort > 0
        ? [
            {
              port: hostPort,
              protocol: protocol.toLowerCase() as HostPort['protocol'],
              ...(listenAddress && { listen: listenAddress }),
              at: `${at}, spec.kind.${key}`,
            },
          ]
        : [],
    ),
    ...(apiServerPort > 0
      ? [
          {
            port: apiServerPort,
            protocol: 'tcp' as const,
            listen: apiServerAddress,
            at: `${at}, spec.kind.networking.apiServerPort`,
          },
        ]
      : []),
  ];
}

function imageOf({ kubernetes: { image, version } }: Cluster): string | undefined {
  if (image) return image;
  return version && `kindest/node:v${version.replace(/^v/, '')}`;
}
