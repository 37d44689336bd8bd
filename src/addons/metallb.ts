import type { DesiredCluster } from '../lab/desired.ts';
import type { Manifest } from '../lab/lab.ts';
import type { RunStep, Step, Value, WaitStep } from '../step/step.ts';
import { kubeconfigFile } from '../step/value.ts';
import { writeYaml } from '../tools/write-yaml.ts';

/** The pinned release. */
export const DEFAULT_MANIFEST =
  'https://raw.githubusercontent.com/metallb/metallb/v0.15.2/config/manifests/metallb-native.yaml';

export const METALLB = {
  namespace: 'metallb-system',
  controller: 'controller',
  speaker: 'speaker',
  pool: 'lab',
  /** Says on the pool which manifest was applied, so that another one is noticed. */
  manifestAnnotation: 'lab/manifest',
} as const;

/** What tells one manifest from another: the content of a file, the address of a URL. */
export const manifestId = ({ location, sha256 }: Manifest): string => sha256 ?? location;

/** MetalLB in layer 2 mode, and one pool with the cluster's addresses of every family. */
export function metallbSteps(cluster: DesiredCluster, manifest: Manifest, needs: readonly string[]): Step[] {
  const apply: RunStep = {
    clusters: [cluster.name],
    timeout: 180,
    kind: 'run',
    id: `${cluster.name}/metallb`,
    title: 'install MetalLB',
    needs,
    argv: applyArgv(cluster, manifest.location),
    // The API server may not answer yet right after the nodes are made; a URL may fail for once.
    retry: {
      on: ['connection refused', 'was refused', 'EOF', 'timeout', 'Unable to connect', 'ServiceUnavailable'],
      every: 2,
      for: 60,
    },
  };
  const waits = metallbWaitSteps(cluster, [apply.id]);
  const controller = waits.slice(0, 1).map(({ id }) => id);
  return [apply, ...waits, metallbPoolStep(cluster, manifest, controller)];
}

const applyArgv = ({ name }: DesiredCluster, file: string): Value[] => [
  ...['kubectl', '--kubeconfig', kubeconfigFile(name)],
  ...['apply', '--server-side', '--force-conflicts', '--field-manager=lab', '-f', file],
];

/** Waits until the controller, first, and the speaker run. */
export function metallbWaitSteps(cluster: DesiredCluster, needs: readonly string[]): WaitStep[] {
  const workloads = [
    ['deployment', METALLB.controller],
    ['daemonset', METALLB.speaker],
  ] as const;
  return workloads.map(([resource, name]) => ({
    kind: 'wait',
    id: `${cluster.name}/metallb-${name}`,
    title: `wait for MetalLB's ${name}`,
    clusters: [cluster.name],
    needs,
    timeout: 180,
    kubeconfig: kubeconfigFile(cluster.name),
    for: { resource, namespace: METALLB.namespace, name },
  }));
}

/** Writes the pool; also alone, when only its addresses changed. */
export function metallbPoolStep(cluster: DesiredCluster, manifest: Manifest, needs: readonly string[]): RunStep {
  return {
    kind: 'run',
    id: `${cluster.name}/pool`,
    title: `hand out ${cluster.loadBalancer.map(({ range }) => range).join(' and ')}`,
    clusters: [cluster.name],
    needs,
    timeout: 180,
    why: 'A running controller is not enough: its webhook certificate is made at run time, so this is tried again.',
    argv: applyArgv(cluster, '-'),
    stdin: poolManifests(cluster, manifest),
    retry: {
      on: [
        'failed calling webhook',
        'connection refused',
        'was refused',
        'x509',
        'no matches for kind',
        'no endpoints available',
      ],
      every: 1,
      for: 120,
    },
  };
}

function poolManifests(cluster: DesiredCluster, manifest: Manifest): string {
  const metadata = { name: METALLB.pool, namespace: METALLB.namespace };
  const pool = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'IPAddressPool',
    metadata: { ...metadata, annotations: { [METALLB.manifestAnnotation]: manifestId(manifest) } },
    // Both families in one pool, or a dual-stack service gets only one address.
    spec: { addresses: cluster.loadBalancer.map(({ range }) => range) },
  };
  const advertisement = {
    apiVersion: 'metallb.io/v1beta1',
    kind: 'L2Advertisement',
    metadata,
    spec: { ipAddressPools: [METALLB.pool] },
  };
  return `${writeYaml(pool)}---\n${writeYaml(advertisement)}`;
}
