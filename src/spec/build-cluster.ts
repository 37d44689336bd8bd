import { homedir } from 'node:os';
import { join } from 'node:path';
import type { App } from '../lab/apps.ts';
import type { Access, CalicoSpec, Cluster, IpFamily, Manifest, Pin } from '../lab/lab.ts';
import { buildClusterMesh } from './build-mesh.ts';
import type { ClusterFile } from './cluster-schema.ts';
import { resolveBeside } from './manifest.ts';
import { readPort } from './ports.ts';
import { makePin } from './ranges.ts';
import { type Path, type Sourced, whereValue } from './source.ts';

/** The cluster that a checked document declares; `gatewayAPI` is the manifest that its mesh names. */
export function buildCluster(
  { metadata, spec }: ClusterFile,
  sourced: Sourced,
  gatewayAPI: Manifest,
  apps: readonly App[],
  calico?: CalicoSpec,
): Cluster {
  const { group, zone, provider, ipFamily, nodes, kubernetes, network } = spec;
  const access = provider === 'existing' && buildAccess(spec, sourced);
  const pins = (key: 'pods' | 'services' | 'loadBalancer') => makePins(network[key], sourced, ['spec', 'network', key]);
  return {
    name: metadata.name,
    at: whereValue(sourced, ['metadata', 'name']),
    provider,
    ...(access && { access }),
    ...(group !== undefined && { group }),
    ...(zone !== undefined && { zone }),
    ipFamily,
    nodes,
    kubernetes: {
      ...(kubernetes.image !== undefined && { image: kubernetes.image }),
      ...(kubernetes.version !== undefined && { version: kubernetes.version.replace(/^v/, '') }),
    },
    network: {
      pods: pins('pods'),
      services: pins('services'),
      loadBalancer: pins('loadBalancer'),
      nodeMask: toNodeMask(network.nodeMask, ipFamily),
      domain: network.domain,
      proxyMode: network.proxyMode,
      preserveSourceIP: network.preserveSourceIP,
      ...(network.cni && { cni: network.cni }),
      ...(calico && { calico }),
    },
    ports: spec.ports.flatMap((text, index) => {
      const port = readPort(text);
      return 'message' in port ? [] : [{ ...port, at: whereValue(sourced, ['spec', 'ports', index]) }];
    }),
    images: spec.images,
    providerConfig: provider === 'existing' ? {} : (spec[provider] ?? {}),
    mesh: buildClusterMesh(spec.mesh, gatewayAPI, sourced),
    apps,
  };
}

function buildAccess({ context = '', kubeconfig }: ClusterFile['spec'], sourced: Sourced): Access {
  const file = kubeconfig?.startsWith('~/')
    ? join(homedir(), kubeconfig.slice(2))
    : kubeconfig && resolveBeside(kubeconfig, sourced, ['spec', 'kubeconfig']);
  return { context, ...(file !== undefined && { kubeconfig: file }), at: whereValue(sourced, ['spec', 'context']) };
}

/** One range or a list of them, each with its place. */
export function makePins(text: string | readonly string[] | undefined, sourced: Sourced, path: Path): Pin[] {
  if (text === undefined) return [];
  if (typeof text === 'string') return [makePin(text, whereValue(sourced, path))];
  return text.map((item, index) => makePin(item, whereValue(sourced, [...path, index])));
}

function toNodeMask(mask: number | [number, number] | undefined, ipFamily: IpFamily): readonly [number, number] {
  if (Array.isArray(mask)) return mask;
  return ipFamily === 'ipv6' ? [24, mask ?? 64] : [mask ?? 24, 64];
}
