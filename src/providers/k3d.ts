import { type HostPort, toHostPort } from '../lab/host-port.ts';
import type { Cluster } from '../lab/lab.ts';
import type { DockerNetwork } from '../lab/observed.ts';
import { parseCidr } from '../net/cidr.ts';
import type { RunStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { parseVersion, versionArgv } from '../tools/k3d.ts';
import { writeYaml } from '../tools/write-yaml.ts';
import { checkForK3d, type K3dBlock, k3dBlockSchema } from './k3d-block.ts';
import { k3dConfig, k3sImage } from './k3d-config.ts';
import type { ClusterInput, Provider, Refusal } from './provider.ts';

const ROLES = { server: 'server', agent: 'worker', loadbalancer: 'proxy' } as const;

/** k3d (https://k3d.io): nodes are containers, k3s inside. */
export const k3d: Provider = {
  name: 'k3d',
  cni: 'flannel',
  binaries: ['k3d'],
  // The first that reads k3d.io/v1alpha5.
  minimumVersion: { argv: versionArgv, read: parseVersion, version: '5.5.0' },
  configSchema: k3dBlockSchema,
  check: checkForK3d,
  checkNetwork,
  contextName: (cluster) => `k3d-${cluster}`,
  image: k3sImage,
  nodes: ({ name, nodes }) => [
    ...Array.from({ length: nodes.servers }, (_, n) => ({ name: `k3d-${name}-server-${n}`, role: 'server' as const })),
    ...Array.from({ length: nodes.workers }, (_, n) => ({ name: `k3d-${name}-agent-${n}`, role: 'worker' as const })),
  ],
  // A helper container while the cluster is made.
  helpers: () => 1,
  recognise: ({ name, labels }) => {
    const cluster = labels['k3d.cluster'];
    const role = ROLES[labels['k3d.role'] as keyof typeof ROLES];
    if (labels.app !== 'k3d' || !cluster) return undefined;
    if (role) return { cluster, role };
    // All that a create leaves which is killed in its first seconds; k3d takes it for the cluster.
    return name === `k3d-${cluster}-tools` ? { cluster, role: 'proxy' } : undefined;
  },
  readRanges: ({ container }) => ({
    pods: argument(container.args, '--cluster-cidr') ?? ['10.42.0.0/16'],
    services: argument(container.args, '--service-cidr') ?? ['10.43.0.0/16'],
  }),
  kubeconfigQuery: ({ name }) => ({ argv: ['k3d', 'kubeconfig', 'get', name] }),
  hostPorts,
  wantsApiPort: ({ providerConfig }) => (providerConfig as K3dBlock).kubeAPI?.hostPort === undefined,
  make: { create: createStep, writesKubeconfig: false, remove: removeStep, loadImages: loadImagesStep },
};

/** For k3d a variable K3D_<KEY> of the environment wins over that key of its configuration. */
const UNSET = { K3D_IMAGE: '', K3D_NETWORK: '', K3D_SERVERS: '', K3D_AGENTS: '' } as const;

function createStep(input: ClusterInput): RunStep {
  const { name } = input.cluster;
  return {
    kind: 'run',
    id: `${name}/create`,
    title: 'create the nodes',
    clusters: [name],
    needs: [],
    timeout: 900,
    why: 'k3d waits for a line in the log, not for nodes; readiness is its own step.',
    argv: ['k3d', 'cluster', 'create', name, '--config', '-'],
    stdin: writeYaml(k3dConfig(input)),
    env: UNSET,
    precondition: {
      argv: ['docker', 'ps', '-aq', '--filter', `label=k3d.cluster=${name}`],
      expect: 'empty',
      otherwise: 'stop',
      message: `a k3d cluster called ${name} appeared while this ran`,
    },
  };
}

function removeStep(cluster: string, needs: readonly string[]): RunStep {
  return {
    kind: 'run',
    id: `${cluster}/remove`,
    title: 'delete the nodes',
    clusters: [cluster],
    needs,
    timeout: 120,
    why: "k3d rewrites the kubeconfig it finds, without a lock: the user's is kept out of its sight.",
    argv: ['k3d', 'cluster', 'delete', cluster],
    env: { KUBECONFIG: kubeconfigFile(cluster) },
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
    why: "Through its helper container, which is k3d's default, k3d would exit 0 when a node did not take the image.",
    argv: ['k3d', 'image', 'import', ...images, '--cluster', cluster, '--mode', 'direct'],
  };
}

/** k3d reads only the first subnet of a network, and needs its gateway, which it wants to be IPv4. */
function checkNetwork({ name, subnets: [first] }: DockerNetwork): Omit<Refusal, 'path'> | undefined {
  const hint = 'let lab make a network (leave out network.adopt), or adopt one with its IPv4 subnet and gateway first';
  if (!first) return { message: `k3d cannot use Docker network ${name}, which has no subnet`, hint };
  if (parseCidr(first.cidr).family === 6)
    return { message: `k3d cannot use Docker network ${name}, whose first subnet ${first.cidr} is IPv6`, hint };
  return first.gateway === undefined
    ? { message: `k3d cannot use Docker network ${name}, whose subnet ${first.cidr} shows no gateway`, hint }
    : undefined;
}

function hostPorts({ ports, providerConfig, at }: Cluster): HostPort[] {
  const { kubeAPI, ports: own = [] } = providerConfig as K3dBlock;
  const block = own.flatMap(({ port }, index): HostPort[] => {
    const [, listen, host, protocol = 'tcp'] =
      /^(?:\[?([\d.]+|[\da-f:]+)\]?:)?(\d+):\d+(?:\/(tcp|udp|sctp))?$/i.exec(port) ?? [];
    if (host === undefined) return [];
    const where = { port: Number(host), protocol: protocol as HostPort['protocol'], ...(listen && { listen }) };
    return [{ ...where, at: `${at}, spec.k3d.ports.${index}` }];
  });
  const api: HostPort[] = kubeAPI?.hostPort
    ? [
        {
          port: Number(kubeAPI.hostPort),
          protocol: 'tcp',
          listen: kubeAPI.hostIP ?? '127.0.0.1',
          at: `${at}, spec.k3d.kubeAPI.hostPort`,
        },
      ]
    : [];
  return [...ports.map(toHostPort), ...block, ...api];
}

/** The value of `--name=a,b` or `--name a,b` in k3s' arguments. */
function argument(args: readonly string[], name: string): readonly string[] | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const value = args[at] === name ? args[at + 1] : args[at]?.slice(name.length + 1);
  return value?.split(',');
}
