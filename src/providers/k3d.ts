import * as z from 'zod';
import { toHostPort } from '../lab/host-port.ts';
import type { Cluster } from '../lab/lab.ts';
import type { Provider } from './provider.ts';

/** k3d's names and labels, read from its containers; see `k3d cluster list`. */
export const k3d: Provider = {
  name: 'k3d',
  cni: 'flannel',
  binaries: ['k3d'],
  configSchema: z.strictObject({}).describe("k3d's own configuration; no key yet"),
  check: checkForK3d,
  contextName: (cluster) => `k3d-${cluster}`,
  image: ({ kubernetes: { image, version } }) => image ?? (version && `rancher/k3s:v${version.replace(/^v/, '')}-k3s1`),
  nodes: ({ name, nodes }) => [
    ...Array.from({ length: nodes.servers }, (_, n) => ({ name: `k3d-${name}-server-${n}`, role: 'server' as const })),
    ...Array.from({ length: nodes.workers }, (_, n) => ({ name: `k3d-${name}-agent-${n}`, role: 'worker' as const })),
  ],
  recognise: ({ labels }) => {
    const cluster = labels['k3d.cluster'];
    const role = labels['k3d.role'];
    if (labels.app !== 'k3d' || !cluster) return undefined;
    if (role === 'server') return { cluster, role };
    if (role === 'agent') return { cluster, role: 'worker' };
    return role === 'loadbalancer' ? { cluster, role: 'proxy' } : undefined;
  },
  readRanges: ({ container }) => ({
    pods: argument(container.args, '--cluster-cidr') ?? ['10.42.0.0/16'],
    services: argument(container.args, '--service-cidr') ?? ['10.43.0.0/16'],
  }),
  kubeconfigQuery: (cluster) => ({ argv: ['k3d', 'kubeconfig', 'get', cluster] }),
  hostPorts: ({ ports }) => ports.map(toHostPort),
};

/** k3d reads only IPv4 of a network and of its members, so an IPv6-only cluster cannot be made (k3d#1185). */
function checkForK3d(cluster: Cluster) {
  if (cluster.ipFamily !== 'ipv6') return [];
  return [
    {
      path: 'spec.ipFamily',
      message: 'k3d cannot make an IPv6-only cluster',
      hint: 'use ipFamily dual, or provider kind',
    },
  ];
}

/** The value of `--name=a,b` or `--name a,b` in k3s' arguments. */
function argument(args: readonly string[], name: string): readonly string[] | undefined {
  const at = args.findIndex((arg) => arg === name || arg.startsWith(`${name}=`));
  if (at < 0) return undefined;
  const value = args[at] === name ? args[at + 1] : args[at]?.slice(name.length + 1);
  return value?.split(',');
}
