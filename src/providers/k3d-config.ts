import type { Cluster, PortMapping } from '../lab/lab.ts';
import { ownerMount } from '../lab/ownership.ts';
import type { Filtered, K3dBlock } from './k3d-block.ts';
import type { ClusterInput } from './provider.ts';

const SERVERS = ['server:*'];

/** `agent:*` without an agent would be an error. */
const everyNode = ({ nodes }: Cluster): string[] => [...SERVERS, ...(nodes.workers > 0 ? ['agent:*'] : [])];

/** A port that is not published by a node itself needs k3d's proxy. */
const needsProxy = ({ ports = [] }: K3dBlock): boolean =>
  ports.some(({ nodeFilters }) => nodeFilters.some((filter) => !filter.endsWith(':direct')));

/** The cluster as k3d's own configuration (v1alpha5), the user's block merged last. */
export function k3dConfig({ cluster, network, uid }: ClusterInput) {
  const { spec } = cluster;
  const { kubeAPI, volumes = [], ports = [], options = {}, ...rest } = spec.providerConfig as K3dBlock;
  const owner = ownerMount(uid);
  const image = k3sImage(spec);
  const labels = [
    ...(spec.zone ? [{ label: `topology.kubernetes.io/zone=${spec.zone}`, nodeFilters: everyNode(spec) }] : []),
    ...(options.k3s?.nodeLabels ?? []),
  ];
  const published = [...spec.ports.map(publish), ...ports];
  return {
    apiVersion: 'k3d.io/v1alpha5',
    kind: 'Simple',
    servers: spec.nodes.servers,
    agents: spec.nodes.workers,
    ...rest,
    ...(image && { image }),
    network: network.name,
    kubeAPI: {
      hostIP: '127.0.0.1',
      ...(cluster.apiPort !== undefined && { hostPort: String(cluster.apiPort) }),
      ...kubeAPI,
    },
    volumes: [{ volume: `${owner.source}:${owner.target}:ro`, nodeFilters: everyNode(spec) }, ...volumes],
    ...(published.length > 0 && { ports: published }),
    options: {
      ...options,
      // k3d rolls back what is not up in time, which it could not once it is killed.
      k3d: {
        wait: true,
        timeout: '840s',
        disableLoadbalancer: !needsProxy(spec.providerConfig as K3dBlock),
        ...options.k3d,
      },
      k3s: {
        extraArgs: [...k3sArgs(cluster), ...(options.k3s?.extraArgs ?? [])],
        ...(labels.length > 0 && { nodeLabels: labels }),
      },
      // k3d takes no lock, and switches the context by default.
      kubeconfig: { updateDefaultKubeconfig: false, switchCurrentContext: false },
    },
  };
}

/** On the first server itself, as kind does: no proxy in between. */
const publish = ({ host, node, protocol, listen }: PortMapping) => ({
  port: `${listen?.includes(':') ? `[${listen}]:` : listen ? `${listen}:` : ''}${host}:${node}/${protocol}`,
  nodeFilters: ['server:0:direct'],
});

function k3sArgs({ spec, pods, services }: ClusterInput['cluster']): Filtered<'arg'> {
  const { ipFamily, network } = spec;
  const [v4, v6] = network.nodeMask;
  const onServers = [
    `--cluster-cidr=${pods.map(({ range }) => range).join(',')}`,
    `--service-cidr=${services.map(({ range }) => range).join(',')}`,
    // k3s' own load balancer would claim every service before MetalLB, and traefik is such a service.
    '--disable=servicelb',
    '--disable=traefik',
    ...(network.domain === 'cluster.local' ? [] : [`--cluster-domain=${network.domain}`]),
    // Without it IPv6 of pods, whose range nobody routes, ends at the node.
    ...(ipFamily === 'ipv4' ? [] : ['--flannel-ipv6-masq']),
    ...(v4 === 24 ? [] : [`--kube-controller-manager-arg=node-cidr-mask-size-ipv4=${v4}`]),
    ...(v6 === 64 || ipFamily === 'ipv4' ? [] : [`--kube-controller-manager-arg=node-cidr-mask-size-ipv6=${v6}`]),
  ];
  const onAll = [
    ...(network.proxyMode === 'iptables' ? [] : [`--kube-proxy-arg=proxy-mode=${network.proxyMode}`]),
    // MetalLB answers ARP for a pool address itself; under ipvs every node would, without this.
    ...(network.proxyMode === 'ipvs' ? ['--kube-proxy-arg=ipvs-strict-arp=true'] : []),
  ];
  return [
    ...onServers.map((arg) => ({ arg, nodeFilters: SERVERS })),
    ...onAll.map((arg) => ({ arg, nodeFilters: everyNode(spec) })),
  ];
}

/** The image that a spec asks for; undefined for k3d's own default. */
export function k3sImage({ kubernetes: { image, version }, providerConfig }: Cluster): string | undefined {
  const asked = (providerConfig as K3dBlock).image ?? image;
  return asked ?? (version && `rancher/k3s:v${version.replace(/^v/, '')}-k3s1`);
}
